"""The terminal is restored however the screen ends, and no input ends the screen."""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.tui.pty import PseudoTerminal, python

MODES = {
    "alternate screen": 1049,
    "mouse": 1000,
    "any motion": 1003,
    "mouse in SGR": 1006,
    "paste": 2004,
    "focus": 1004,
}


class Recorded(PseudoTerminal):
    """Keeps what was written, and knows what mode the terminal is in."""

    def watch(self) -> None:
        """Begin to keep."""
        self.written = b""
        self.before = termios.tcgetattr(self._master)
        feed = self.emulator.feed

        def kept(data: bytes) -> bytes:
            self.written += data
            return feed(data)

        setattr(self.emulator, "feed", kept)  # noqa: B010

    def is_set(self, mode: int) -> bool:
        """Say whether a mode was set last."""
        return self.written.rfind(b"\x1b[?%dh" % mode) > self.written.rfind(b"\x1b[?%dl" % mode)

    def is_in_order(self) -> bool:
        """Return whether the terminal is in the state that a shell expects."""
        modes = [name for name, mode in MODES.items() if self.is_set(mode)]
        return not modes and self.is_set(25) and termios.tcgetattr(self._master) == self.before

    def is_stopped(self) -> bool:
        """Return whether the process is stopped: a shell continues it only then."""
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the screen."""
        os.kill(self.process.pid, number)


@contextmanager
def screen(home: Path, *words: str) -> Iterator[Recorded]:
    """Open the screen."""
    with Recorded(python("-m", "tui", f"--home={home}", *words), columns=100, rows=30) as terminal:
        terminal.watch()
        terminal.until("this machine")
        terminal.until(lambda: all(terminal.is_set(mode) for mode in MODES.values()) and not terminal.is_set(25))
        yield terminal


@pytest.mark.parametrize(
    ("number", "driver"),
    [
        (signal.SIGTERM, "diff"),
        (signal.SIGTERM, "stock"),
        (signal.SIGHUP, "diff"),
        (signal.SIGINT, "diff"),
        (signal.SIGINT, "stock"),
    ],
)
def test_a_signal_leaves_the_terminal_in_order(tmp_path: Path, number: signal.Signals, driver: str) -> None:
    with screen(tmp_path, f"--driver={driver}") as terminal:
        terminal.send(number)
        terminal.until(lambda: terminal.process.poll() is not None)
        terminal.until(terminal.is_in_order)
        assert terminal.process.returncode == 128 + number


def test_a_pause_leaves_the_terminal_in_order_and_the_screen_comes_back(tmp_path: Path) -> None:
    with screen(tmp_path) as terminal:
        terminal.send(signal.SIGTSTP)
        terminal.until(terminal.is_stopped)
        terminal.until(terminal.is_in_order)
        terminal.send(signal.SIGCONT)
        terminal.until(lambda: terminal.is_set(1049) and "this machine" in terminal.text)
        terminal.press("q")
        terminal.until(lambda: terminal.process.poll() == 0)
        terminal.until(terminal.is_in_order)


def test_a_pause_that_was_not_announced_leaves_the_terminal_in_order(tmp_path: Path) -> None:
    with screen(tmp_path) as terminal:
        terminal.send(signal.SIGSTOP)
        terminal.until(terminal.is_stopped)
        seen = len(terminal.written)
        terminal.send(signal.SIGCONT)
        terminal.until(lambda: b"this machine" in terminal.written[seen:])
        terminal.press("q")
        terminal.until(lambda: terminal.process.poll() == 0)
        terminal.until(terminal.is_in_order)


@pytest.mark.parametrize("driver", ["diff", "stock"])
def test_no_bytes_from_the_terminal_end_or_steer_the_screen(tmp_path: Path, driver: str) -> None:
    with screen(tmp_path, f"--driver={driver}") as terminal:
        for data in (b"\x1b[M\x20\xa0\xa0", b"\xff", b"\xc3", b"\x1b]11;rgb:0000/0000/0000\x07", b"\x1b[?62;2;4c"):
            os.write(terminal._master, data)
            terminal.wait(0.1)
        assert "1 Home" in terminal.text
        assert "Guided first submission" in terminal.text
        terminal.press("?")
        terminal.until("Keys everywhere")
        terminal.press("\x1b")
        terminal.until(lambda: "Keys everywhere" not in terminal.text)


def test_keys_that_are_typed_ahead_change_screens_and_open_windows(tmp_path: Path) -> None:
    with screen(tmp_path) as terminal:
        terminal.until("recipe demo")
        for keys in ("g:", "n:", "o\r:", "2:1?4"):
            terminal.press(keys)
            terminal.wait(0.3)
            go_home(terminal)
        terminal.press("q")
        terminal.until(lambda: terminal.process.poll() == 0)
        assert "a bug" not in terminal.text


def go_home(terminal: Recorded) -> None:
    """Close all dialogs, and go to the first screen."""

    def there() -> bool:
        for keys in ("\x1b", "1"):
            terminal.press(keys)
            terminal.wait(0.3)
        return "this machine" in terminal.text and "Search for" not in terminal.text

    terminal.until(there)
