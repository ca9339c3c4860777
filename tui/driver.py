"""A Textual driver that sends changed cells only, and no faster than the terminal reads them.

Textual writes every refreshed widget whole. Here its text goes into a drawing (tui/stream.py); a thread compares that
with what the terminal shows (tui/cells.py), sends the difference, and waits for the terminal before the next one
(tui/pace.py). The app never waits for the terminal, so keys are answered however slow the link is.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import sys
import termios
import threading
from codecs import getincrementaldecoder
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar

from textual.drivers.linux_driver import LinuxDriver

from tui.cells import Mirror
from tui.input import InputParser
from tui.pace import QUESTION, Pace
from tui.stream import Drawing

if TYPE_CHECKING:
    from textual.driver import Driver

    from tui.terminal import Terminal

_BEGIN_FRAME, _END_FRAME = "\x1b[?2026h", "\x1b[?2026l"
_LEAVING_SECONDS = 1.0
"""Seconds that exit waits for the terminal to answer and to read the rest."""
_INPUT_POLL = 0.05
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""Signals that ask for the end of the app."""


def driver_class(terminal: Terminal) -> type[Driver]:
    """Return the class for `App(driver_class=...)`."""
    if terminal.web:
        return _page_driver()
    if terminal.driver == "stock":
        return StockDriver
    return AsciiDriver if terminal.glyphs == "ascii" else DiffDriver


class StockDriver(LinuxDriver):
    """Textual's own output with our input: no received byte can end the app or act as an unknown key."""

    _found: list[Any] | None = None
    """The terminal's settings as they were found first."""

    def start_application_mode(self) -> None:
        """Take over the terminal, and restore it on any signal that ends the app."""
        if self._key_thread is not None:  # after SIGSTOP: of two readers one would wait for what the other has taken
            self.disable_input()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # After SIGSTOP, which gives no chance to give the terminal back, Textual finds its own settings there.
        self._found = self.attrs_before = self._found or self.attrs_before
        for number in _ENDING:
            self._loop.add_signal_handler(number, self._end, number)

    def _end(self, number: int) -> None:
        """Leave in order. The same signal again ends the process at once."""
        for one in _ENDING:
            self._loop.remove_signal_handler(one)
        self._app.exit(return_code=128 + number)

    def run_input_thread(self) -> None:
        """Read keys until stopped. A byte that is not UTF-8 is shown as such."""
        parser = InputParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_INPUT_POLL):
                    data = _read(self.fileno)
                    if not data:
                        self._loop.call_soon_threadsafe(self._app.exit)
                        return
                    data = self._pressed(data)
                else:
                    data = self._held()
                for message in (*parser.feed(decode(data)), *parser.tick()):
                    self.process_message(message)

    def _pressed(self, data: bytes) -> bytes:
        """Return the input without the terminal's answers."""
        return data

    def _held(self) -> bytes:
        """Return held-back input that turned out to be keys."""
        return b""


class DiffDriver(StockDriver):
    """Sends the difference between two screens, one frame at a time."""

    ASCII_ONLY: ClassVar[bool] = False

    _output: TerminalOutput | None = None
    _drawing: Drawing | None = None

    @property
    def link_ms(self) -> float | None:
        """Milliseconds from a frame to the terminal's answer; None where it has not answered yet."""
        return self._output.pace.link_ms if self._output else None

    @property
    def bytes_sent(self) -> int:
        """Bytes written to the terminal so far."""
        return self._output.bytes_sent if self._output else 0

    def repaint(self) -> None:
        """Send the whole screen again, for a terminal to which something else has written."""
        if self._output:
            self._output.repaint()

    def write(self, data: str) -> None:
        """Accept output of Textual; a thread sends it."""
        if self._output:
            self._output.draw(data, self._get_terminal_size())

    def start_application_mode(self) -> None:
        """Take over the terminal, with its content unknown. What was drawn before a pause is drawn again:
        Textual itself does not repaint after one."""
        if self._output:
            self._output.stop()
        self._drawing = self._drawing or Drawing(ascii_only=self.ASCII_ONLY)
        self._output = TerminalOutput(_output_file(), self._drawing)
        super().start_application_mode()
        if not _echoes(self.fileno):
            self._output.begin()
        resized = signal.getsignal(signal.SIGWINCH)

        def forget_and_tell(number: int, frame: FrameType | None) -> None:
            self.repaint()
            if callable(resized):
                resized(number, frame)

        signal.signal(signal.SIGWINCH, forget_and_tell)

    def stop_application_mode(self) -> None:
        """Restore the terminal once it has answered: the answer would be typed into the shell."""
        if self._output:
            self._output.settle()
        super().stop_application_mode()

    def close(self) -> None:
        """Send the rest and end the thread."""
        super().close()
        if self._output:
            self._output.stop()

    def _pressed(self, data: bytes) -> bytes:
        return self._output.without_answers(data) if self._output else data

    def _held(self) -> bytes:
        return self._output.held() if self._output else b""


class AsciiDriver(DiffDriver):
    """The same for terminals that have nothing beyond ASCII."""

    ASCII_ONLY = True


class TerminalOutput:
    """Output to the terminal: wanted content, present content, and a thread that sends the difference.

    The lock can be taken again by the thread that holds it, because signal handlers draw too.
    """

    def __init__(self, file: int, drawing: Drawing) -> None:
        self.pace = Pace()
        self.bytes_sent = 0
        self._file = file
        self._drawing = drawing
        self._mirror = Mirror()
        self._passed: list[str] = []
        """Output that is passed through unchanged, ahead of the next frame."""
        self._changed = threading.Condition()
        self._dirty = self._forget = self._stopped = False
        self._held = True
        """Whether frames are held back, and only passed-through output is sent."""
        self._thread = threading.Thread(target=self._run, name="terminal-output", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Let frames go: the terminal's answers will not be echoed onto the screen any more."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def draw(self, data: str, size: tuple[int, int]) -> None:
        """Change what the terminal should show; returns at once."""
        with self._changed:
            grid = self._drawing.grid
            if (grid.width, grid.height) != size:
                grid.resize(*size)
                self._forget = True
            if passed := self._drawing.draw(data):
                self._passed.append(passed)
            self._dirty = True
            self._changed.notify_all()

    def repaint(self) -> None:
        """Forget what the terminal shows."""
        with self._changed:
            self._forget = self._dirty = True
            self._changed.notify_all()

    def without_answers(self, data: bytes) -> bytes:
        """Take the terminal's answers out of its input; called by the thread that reads."""
        with self._changed:
            rest = self.pace.without_answers(data)
            self._changed.notify_all()
            return rest

    def held(self) -> bytes:
        """Return bytes that looked like the start of an answer and are not."""
        with self._changed:
            return self.pace.held()

    def settle(self) -> None:
        """Send no more frames, and wait a moment for the answer to the last."""
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: not self.pace.waiting, _LEAVING_SECONDS)

    def stop(self) -> None:
        """Send passed-through output, then end; give up after a moment on a terminal that reads nothing."""
        with self._changed:
            self._held = self._stopped = True
            self._changed.notify_all()
        self._thread.join(_LEAVING_SECONDS)

    def _run(self) -> None:
        while (text := self._next()) is not None:
            if not self._write(text.encode("utf-8", "replace")):
                return

    def _next(self) -> str | None:
        """Wait for something to send; None when there will be no more."""
        with self._changed:
            while True:
                if self._passed:
                    text = "".join(self._passed)
                    self._passed.clear()
                    return text
                if self._stopped:
                    return None
                delay = None
                if self._dirty and not self._held:
                    delay = self.pace.delay()
                    if not delay and (frame := self._frame()):
                        return frame
                self._changed.wait(delay or None)

    def _frame(self) -> str:
        self._dirty = False
        if self._forget or self._drawing.lost:
            self._mirror.forget()
            self._forget = self._drawing.lost = False
        change = self._mirror.change(self._drawing.grid, self._drawing.cursor)
        if not change:
            return ""
        if self._drawing.synchronized:
            change = _BEGIN_FRAME + change + _END_FRAME
        if not self.pace.asks:
            return change
        self.pace.sent(len(change))
        return change + QUESTION

    def _write(self, data: bytes) -> bool:
        """Write all, waiting while the terminal reads nothing; return whether the terminal is still there."""
        self.bytes_sent += len(data)
        while data:
            try:
                data = data[os.write(self._file, data) :]
            except BlockingIOError:
                select.select([], [self._file], [])
            except OSError:
                return False
        return True


def _page_driver() -> type[Driver]:
    from textual.drivers import web_driver  # noqa: PLC0415  (for a page only)

    class PageDriver(web_driver.WebDriver):
        """Textual's driver for `inferdeck serve`, with our input."""

        def run_input_thread(self) -> None:
            setattr(web_driver, "XTermParser", InputParser)  # noqa: B010  (it makes its parser by that name)
            super().run_input_thread()

    return PageDriver


def _output_file() -> int:
    """Return standard error, as Textual does, or standard output where that alone is a terminal."""
    error, output = sys.__stderr__, sys.__stdout__
    return 1 if error is None or (not error.isatty() and output is not None and output.isatty()) else error.fileno()


def _echoes(file: int) -> bool:
    """Return whether the terminal echoes input, as it does while the app is in the background."""
    try:
        return bool(termios.tcgetattr(file)[3] & termios.ECHO)
    except termios.error:
        return False


def _read(file: int) -> bytes:
    """Return what the terminal sent; empty when it is closed."""
    try:
        return os.read(file, 4096)
    except OSError:
        return b""
