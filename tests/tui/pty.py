"""A real pseudo-terminal with a person at it: runs a command, shows what it draws, presses keys, pulls the plug.

`Link` puts a network between: so many bytes a second, and a delay each way. As with SSH, the near end takes what the
program writes at once, so what the link has not carried yet piles up in between (`unsent`).
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import pyte

ROOT = Path(__file__).parents[2]
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p")
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;:<=>?$]*|\][^\x07\x1b]*\x1b?)?$")
_ANSWERS = ((b"\x1b[?2026$p", b"\x1b[?2026;2$y"), (b"\x1b[?2048$p", b"\x1b[?2048;0$y"))
_PIECE = 256
_POLL = 0.02
_AFTERWARDS = 5.0
"""Seconds for which a condition may come true when the program has closed its terminal."""


class Cell(NamedTuple):
    """A visible cell."""

    text: str
    foreground: str
    background: str
    attributes: tuple[bool, ...]


class Emulator:
    """A terminal without a window."""

    def __init__(self, columns: int, rows: int, *, answers: bool = True) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._rest = b""
        self._answering = answers
        self._replies: list[bytes] = []
        setattr(self.screen, "write_process_input", lambda data: self._replies.append(data.encode()))  # noqa: B010

    def feed(self, data: bytes) -> bytes:
        """Show what a program wrote; returns what the terminal answers."""
        data = self._rest + data
        unfinished = _UNFINISHED.search(data)
        cut = unfinished.start() if unfinished else len(data)
        data, self._rest = data[:cut], data[cut:]
        self._replies.extend(answer for question, answer in _ANSWERS for _ in range(data.count(question)))
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
        replies = b"".join(self._replies) if self._answering else b""
        self._replies.clear()
        return replies

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as a user does with the mouse."""
        self.screen.resize(rows, columns)

    def text(self) -> str:
        """Return the screen as lines without the spaces at their ends."""
        rows = (self.screen.buffer[y] for y in range(self.screen.lines))
        return "\n".join("".join(row[x].data for x in range(self.screen.columns)).rstrip() for row in rows)

    def cells(self) -> list[list[Cell]]:
        """Return the visible cells; the foreground colour of blanks is ignored."""
        return [[_seen(self.screen.buffer[y][x]) for x in range(self.screen.columns)] for y in range(self.screen.lines)]


def _seen(char: pyte.screens.Char) -> Cell:
    on_blank = (char.underscore, char.reverse, char.strikethrough)
    if char.data == " ":
        return Cell(" ", char.fg if any(on_blank) else "", char.bg, on_blank)
    return Cell(char.data, char.fg, char.bg, (*on_blank, char.bold, char.italics, char.blink))


@dataclass(frozen=True)
class Link:
    """A network."""

    bytes_per_second: float
    delay: float
    """Seconds each way."""


class PseudoTerminal:
    """A command on a terminal of its own. Use it with `with`, or call `close`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 36,
        env: Mapping[str, str] | None = None,
        link: Link | None = None,
        answers: bool = True,
    ) -> None:
        self.emulator = Emulator(columns, rows, answers=answers)
        self.bytes_read = 0
        self.unsent_peak = 0.0
        """The most bytes that waited for the link at a time."""
        self.first_paint: float | None = None
        """Seconds from the start to the first character on the screen."""
        self.on_show: Callable[[], None] = lambda: None
        """Called whenever the screen has changed."""
        self._link = link
        self._free_at = 0.0
        self._arriving: deque[tuple[float, bytes]] = deque()
        self._leaving: deque[tuple[float, bytes]] = deque()
        self._master, slave = os.openpty()
        self._set_size(columns, rows)
        self._begun = time.monotonic()
        self.process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(env or {}),
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  (makes the terminal the child's own)
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def text(self) -> str:
        """What the screen shows."""
        return self.emulator.text()

    def until(self, wanted: str | Callable[[], bool], seconds: float = 60.0) -> None:
        """Let time pass until the screen shows a text, or a condition holds; fails with the screen's text."""
        holds = wanted if callable(wanted) else lambda: wanted in self.text
        end = time.monotonic() + seconds
        while not holds():
            if not self._step(end):
                end = min(end, time.monotonic() + _AFTERWARDS)
                time.sleep(_POLL)
            if time.monotonic() > end:
                raise AssertionError(f"not seen: {wanted}\n{self.text}")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._step(end):
            pass

    def settle(self, quiet: float = 0.3, seconds: float = 30.0) -> None:
        """Let time pass until nothing was written for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            before = self.bytes_read
            self.wait(quiet)
            if self.bytes_read == before:
                return

    def press(self, keys: str) -> None:
        """Press keys, given as bytes."""
        self._answer(keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; the kernel tells the program."""
        self._set_size(columns, rows)
        self.emulator.resize(columns, rows)

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        os.close(self._master)
        self._master = -1

    def cpu_seconds(self) -> float:
        """Return the processor time that the command has taken so far, without its children."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def unsent(self) -> float:
        """Return the bytes that wait for the link now."""
        return max(0.0, self._free_at - time.monotonic()) * self._link.bytes_per_second if self._link else 0.0

    def close(self) -> None:
        """End the command, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._master >= 0:
            self.hang_up()

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _step(self, end: float) -> bool:
        """Process what is due, then wait briefly for more; returns whether the program still has its terminal."""
        self._deliver()
        due = [queue[0][0] for queue in (self._arriving, self._leaving) if queue]
        rest = max(0.0, min([end, time.monotonic() + _POLL, *due]) - time.monotonic())
        if not select.select([self._master], [], [], rest)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return bool(self._arriving)
        self.bytes_read += len(data)
        self._carry(data)
        self._deliver()
        return True

    def _carry(self, data: bytes) -> None:
        if self._link is None:
            self._show(data)
            return
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            self._free_at = max(time.monotonic(), self._free_at) + len(piece) / self._link.bytes_per_second
            self._arriving.append((self._free_at + self._link.delay, piece))
        self.unsent_peak = max(self.unsent_peak, self.unsent())

    def _deliver(self) -> None:
        while self._arriving and self._arriving[0][0] <= time.monotonic():
            self._show(self._arriving.popleft()[1])
        while self._leaving and self._leaving[0][0] <= time.monotonic():
            os.write(self._master, self._leaving.popleft()[1])

    def _show(self, data: bytes) -> None:
        if replies := self.emulator.feed(data):
            self._answer(replies)
        if self.first_paint is None and self.text.strip():
            self.first_paint = time.monotonic() - self._begun
        self.on_show()

    def _answer(self, data: bytes) -> None:
        if self._link is None:
            os.write(self._master, data)
        else:
            self._leaving.append((time.monotonic() + self._link.delay, data))


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a user at a capable local terminal, independent of the tests' own.

    Only the folder of the measuring lock stays: a job of the person who runs the tests is not waited for.
    """
    drop = re.compile(r"SSH_|LC_|TEXTUAL_|TMUX|COLUMNS$|LINES$|NO_COLOR$|INFERDECK_(?!LOCK_DIR)")
    kept = {name: value for name, value in os.environ.items() if not drop.match(name)}
    good = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    return {name: value for name, value in {**kept, **good, **more}.items() if value}


def python(*words: str) -> list[str]:
    """Return the command that runs this Python."""
    return [sys.executable, *words]
