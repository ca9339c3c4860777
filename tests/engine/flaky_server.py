"""A server on the loopback that can do all that servers do wrong."""

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Flaky:
    """One file and the way it is served."""

    content: bytes
    drops: int = 0
    """Connections that are cut after `cut` bytes."""
    cut: int = 200_000
    ranges: bool = True
    etag: str = '"one"'
    modified: str = ""
    statuses: list[int] = field(default_factory=list)
    """Answers to give before the file."""
    headers: dict[str, str] = field(default_factory=dict)
    length: bool = True
    pause: float = 0
    """Seconds to wait after each 64 KiB."""
    url: str = ""
    seen: list[dict[str, str]] = field(default_factory=list)
    """The headers of every request."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def asked(self) -> list[str]:
        """The ranges that were asked for."""
        return [headers.get("range", "") for headers in self.seen]


class _Handler(BaseHTTPRequestHandler):
    flaky: Flaky

    def do_GET(self) -> None:
        flaky = self.flaky
        asked = {key.lower(): value for key, value in self.headers.items()}
        flaky.seen.append(asked)
        if flaky.statuses:
            self.send_response(flaky.statuses.pop(0))
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = self._start(asked)
        if start and start >= len(flaky.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(flaky.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(flaky.content[start:], start)

    def _start(self, asked: dict[str, str]) -> int:
        flaky = self.flaky
        if not flaky.ranges or "range" not in asked:
            return 0
        if asked.get("if-range", flaky.etag) not in (flaky.etag, flaky.modified):
            return 0
        return int(asked["range"].removeprefix("bytes=").removesuffix("-"))

    def _send(self, body: bytes, start: int) -> None:
        flaky = self.flaky
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(flaky.content) - 1}/{len(flaky.content)}")
        if flaky.length:
            self.send_header("Content-Length", str(len(body)))
        for name, value in {"ETag": flaky.etag, "Last-Modified": flaky.modified, **flaky.headers}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if flaky.drops and len(body) > flaky.cut:
            flaky.drops -= 1
            self.wfile.write(body[: flaky.cut])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._write_slowly(body)
        self.close_connection = True

    def _write_slowly(self, body: bytes) -> None:
        for start in range(0, len(body), 65536):
            try:
                self.wfile.write(body[start : start + 65536])
            except ConnectionError:
                return  # who asked was killed
            time.sleep(self.flaky.pause)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(flaky: Flaky) -> Iterator[Flaky]:
    """Serve until the block ends; `flaky.url` is the address."""
    handler = type("Handler", (_Handler,), {"flaky": flaky})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        flaky.url = f"http://127.0.0.1:{server.server_address[1]}/data.bin"
        try:
            yield flaky
        finally:
            server.shutdown()
            thread.join()
