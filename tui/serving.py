"""Where the page of `inferdeck serve` is, and what each of its tabs runs."""

from __future__ import annotations

from dataclasses import dataclass

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Serving:
    """Where the page is, and what each tab runs."""

    host: str
    port: int
    key: str
    """The access key: other users of this machine can reach its loopback address as well."""
    command: str
    """A line for the shell."""

    @property
    def place(self) -> str:
        """Host and port as an address has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def address(self) -> str:
        """The address to open in the browser."""
        return f"http://{self.place}/?key={self.key}"
