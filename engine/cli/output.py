"""Standard streams as every command uses them: open, and able to write any text in any locale.

Text for users is cleaned beforehand (engine/text.py). Here nothing is refused: a drawing character that the locale
lacks becomes its ASCII equivalent, a byte that is not UTF-8 is passed through, any other character is escaped.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.ascii import drawing
from engine.errors import OutputError

_HANDLER = "inferdeck-write-all"
_FIRST_BYTE, _LAST_BYTE = "\udc80", "\udcff"


class Output(io.TextIOWrapper):
    """Standard output. A failed write raises OutputError; a closed pipe remains BrokenPipeError."""

    def write(self, text: str) -> int:
        """Write text. Raises OutputError."""
        with self._explained():
            return super().write(text)

    def flush(self) -> None:
        """Flush the buffer. Raises OutputError."""
        with self._explained():
            super().flush()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            discard()
            raise OutputError(f"standard output can't be written: {error.strerror}") from None


def prepare() -> None:
    """Make the three standard streams usable, however the process was started."""
    codecs.register_error(_HANDLER, _stand_in)
    _open_closed()
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors=_HANDLER)
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        _replace(sys.stdout)


def _replace(out: io.TextIOWrapper) -> None:
    if isinstance(out, Output):
        return
    encoding, by_lines, through = out.encoding, out.line_buffering, out.write_through
    sys.stdout = Output(out.detach(), encoding, _HANDLER, line_buffering=by_lines, write_through=through)
    setattr(sys, "__stdout__", sys.stdout)  # noqa: B010  (declared final, and read where the driver looks for a terminal)


def write_json(value: object, *, indent: int | None = None) -> None:
    """Write a value as JSON, with everything beyond ASCII escaped, so that it is exact in every locale."""
    sys.stdout.write(json.dumps(value, indent=indent) + "\n")


def complain(text: str) -> None:
    """Write to standard error, ignoring failures."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        discard(2)


def discard(number: int = 1) -> None:
    """Discard a stream's unwritten data, which Python would report again at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)


def _open_closed() -> None:
    """Open the null device in place of closed standard streams, so that no file gets their descriptors."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            stream: Any = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  (open to the end)
            setattr(sys, name, stream)


def _stand_in(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return b"".join(_bytes(one) for one in error.object[error.start : error.end]), error.end


def _bytes(character: str) -> bytes:
    if _FIRST_BYTE <= character <= _LAST_BYTE:
        return character.encode("utf-8", "surrogateescape")
    return (drawing(character) or character).encode("ascii", "backslashreplace")
