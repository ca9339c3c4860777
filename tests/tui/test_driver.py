"""The driver under a real Textual app, on a real pseudo-terminal, compared with Textual's own."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.drivers.web_driver import WebDriver

from tests.tui.pty import Cell, Emulator, Link, PseudoTerminal, python
from tui.cells import Grid, Mirror
from tui.driver import AsciiDriver, DiffDriver, StockDriver, TerminalOutput, driver_class
from tui.stream import Drawing
from tui.terminal import Wishes, decide

COLUMNS, ROWS = 80, 24
KEYS = ["n", "n", "\x1b[B", "n", "m", "d", "\t", "hé漢", "\t", "n", "t", "n"]


def app(driver: str, *more: str, answers: bool = True, link: Link | None = None) -> PseudoTerminal:
    command = python("-m", "tests.tui.changing_app", driver, *more)
    env = {"TEXTUAL_ANIMATIONS": "none"}
    return PseudoTerminal(command, columns=COLUMNS, rows=ROWS, env=env, answers=answers, link=link)


def screens(driver: str) -> Iterator[list[list[Cell]]]:
    """Press the keys one by one; yield what is seen after each."""
    with app(driver) as terminal:
        terminal.until("frame 0")
        terminal.settle()
        yield terminal.emulator.cells()
        for key in KEYS:
            terminal.press(key)
            terminal.settle()
            yield terminal.emulator.cells()


@pytest.mark.slow
def test_a_real_app_looks_the_same_as_with_textuals_own_driver() -> None:
    for number, (stock, diff) in enumerate(zip(screens("stock"), screens("diff"), strict=True)):
        wrong = [(x, y) for y in range(ROWS) for x in range(COLUMNS) if stock[y][x] != diff[y][x]]
        assert not wrong, f"after {KEYS[:number]}"


def test_every_frame_that_a_real_app_writes_is_shown_right(tmp_path: Path) -> None:
    record = tmp_path / "written"
    with app("record", str(record)) as terminal:
        terminal.until("frame 0")
        for number in range(1, 8):
            terminal.press("n")
            terminal.until(f"frame {number}")
        for key in ("m", "d", "\t", "hé漢", "\t", "t"):
            terminal.press(key)
            terminal.settle()
        assert "hé漢" in terminal.text
        terminal.press("q")
        terminal.until(lambda: terminal.process.poll() is not None)
    stock, diff = Emulator(COLUMNS, ROWS), Emulator(COLUMNS, ROWS)
    drawing, mirror = Drawing(), Mirror()
    drawing.grid = Grid(COLUMNS, ROWS)
    frames = sent = written = 0
    for data in map(json.loads, record.read_text().splitlines()):
        if "\x1b[?1049l" in data:
            break
        stock.feed(data.encode())
        passed = drawing.draw(data)
        if drawing.lost:
            mirror.forget()
            drawing.lost = False
        change = mirror.change(drawing.grid, drawing.cursor)
        diff.feed((passed + change).encode())
        if "?2026" not in data:
            assert diff.cells() == stock.cells()
        frames += 1
        sent += len(passed + change)
        written += len(data)
    assert frames > 20
    assert sent < written / 2


def test_answers_of_the_terminal_reach_the_driver_and_not_the_app() -> None:
    with app("diff") as terminal:
        terminal.until("frame 0")
        for _ in range(20):
            terminal.press("n")
            terminal.wait(0.02)
        terminal.until("frame 20")
        terminal.settle()
        keys = terminal.text.splitlines()[-1] + terminal.text.splitlines()[-2]
        assert "R" not in keys
        assert "escape" not in keys
        terminal.press("\x1b[I")  # the terminal has the focus: no key either
        terminal.press("é")
        terminal.settle()
        assert "frame 20" in terminal.text


def test_a_terminal_that_never_answers_is_served_all_the_same() -> None:
    with app("diff", answers=False) as terminal:
        for number in range(5):
            terminal.until(f"frame {number}", seconds=60)
            terminal.press("n")


def test_after_a_resize_the_whole_screen_is_right() -> None:
    with app("diff") as terminal:
        terminal.until("frame 0")
        terminal.settle()
        for columns, rows in ((100, 30), (60, 20), (COLUMNS, ROWS)):
            terminal.emulator = Emulator(columns, rows)
            terminal.resize(columns, rows)
            terminal.until("frame 0")
            terminal.settle()
            assert "q quit" in " ".join(terminal.text.split())
            assert all(cell.background != "default" for row in terminal.emulator.cells() for cell in row)


def test_there_and_back_within_one_frame_is_a_resize_too() -> None:
    with app("diff") as terminal:
        terminal.until("frame 0")
        terminal.settle()
        before = terminal.emulator.cells()
        terminal.emulator = Emulator(COLUMNS, ROWS)  # what a terminal makes of its cells is its own affair
        os.kill(terminal.process.pid, signal.SIGWINCH)
        terminal.until("frame 0")
        terminal.settle()
        assert terminal.emulator.cells() == before


def test_suspended_and_resumed_it_draws_the_whole_screen() -> None:
    with app("diff") as terminal:
        terminal.until("frame 0")
        terminal.settle()
        before = terminal.emulator.cells()
        os.kill(terminal.process.pid, signal.SIGTSTP)
        terminal.until(lambda: _state(terminal) == "T")
        terminal.settle()
        terminal.emulator = Emulator(COLUMNS, ROWS)
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.until("frame 0")
        terminal.settle()
        assert terminal.emulator.cells() == before
        terminal.press("n")
        terminal.until("frame 1")


def _state(terminal: PseudoTerminal) -> str:
    return Path(f"/proc/{terminal.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_on_leaving_nothing_is_left_over_for_the_shell() -> None:
    shell = ["sh", "-c", f"{' '.join(python('-m', 'tests.tui.changing_app', 'diff'))}; stty -icanon -echo; head -c1"]
    with PseudoTerminal(shell, columns=COLUMNS, rows=ROWS, link=Link(20_000, 0.1)) as terminal:
        terminal.until("frame 0")
        terminal.press("nnnq")
        terminal.wait(3)
        assert terminal.process.poll() is None, "an answer to a question of ours was typed into the shell"
        terminal.press("x")
        terminal.until(lambda: terminal.process.poll() is not None)


@pytest.mark.slow
def test_on_a_slow_link_frames_merge_and_nothing_piles_up() -> None:
    with app("diff", link=Link(10_000, 0.1)) as terminal:
        terminal.until("frame 0")
        terminal.settle(quiet=1)
        terminal.unsent_peak = 0
        for _ in range(60):
            terminal.press("n")
            terminal.wait(0.05)
        terminal.until("frame 60", seconds=30)
        assert terminal.unsent_peak < 6_000, "more than one frame was under way"


def test_copying_reaches_the_terminal() -> None:
    seen: list[bytes] = []
    with app("diff") as terminal:
        feed = terminal.emulator.feed

        def listen(data: bytes) -> bytes:
            seen.append(data)
            return feed(data)

        terminal.emulator.feed = listen  # type: ignore[method-assign]
        terminal.until("frame 0")
        terminal.press("y")
        terminal.until(lambda: b"\x1b]52;c;Y29waWVk\a" in b"".join(seen))


def test_without_unicode_not_one_byte_beyond_ascii_is_sent() -> None:
    seen: list[bytes] = []
    with app("ascii") as terminal:
        feed = terminal.emulator.feed

        def listen(data: bytes) -> bytes:
            seen.append(data)
            return feed(data)

        terminal.emulator.feed = listen  # type: ignore[method-assign]
        terminal.until("frame 0")
        terminal.press("n")
        terminal.until("frame 1")
        terminal.settle()
        assert b"".join(seen).isascii()
        assert re.search(r"gro[^a-z]?sse|gro\?e", terminal.text)


@pytest.fixture
def wire() -> Iterator[tuple[int, TerminalOutput]]:
    """An output and the other end of it."""
    other, end = os.openpty()
    output = TerminalOutput(end, Drawing())
    output.begin()
    yield other, output
    output.stop()
    os.close(other)
    os.close(end)


def received(file: int, seconds: float = 0.3) -> bytes:
    os.set_blocking(file, False)
    end, data = time.monotonic() + seconds, b""
    while time.monotonic() < end:
        try:
            data += os.read(file, 65536)
        except BlockingIOError:
            time.sleep(0.01)
    return data


def test_frames_wait_for_the_answer_and_merge(wire: tuple[int, TerminalOutput]) -> None:
    other, output = wire
    output.draw("\x1b[1;1Hfirst", (20, 2))
    assert b"first" in received(other)
    output.draw("\x1b[1;1Hsecond", (20, 2))
    output.draw("\x1b[1;1Hthird!", (20, 2))
    assert received(other) == b""
    output.draw("\x1b]52;c;eA==\a", (20, 2))
    assert received(other) == b"\x1b]52;c;eA==\a", "what is no frame does not wait"
    assert output.without_answers(b"\x1b[1;1R") == b""
    text = received(other)
    assert b"third!" in text
    assert b"second" not in text
    assert output.pace.link_ms is not None
    assert output.bytes_sent >= len(text)


def test_before_the_terminal_is_ready_no_frame_goes_out() -> None:
    other, end = os.openpty()
    output = TerminalOutput(end, Drawing())
    output.draw("\x1b[?1049h\x1b[1;1Hfirst", (20, 2))
    assert received(other) == b"\x1b[m\x1b[?1049h"
    output.begin()
    assert b"first" in received(other)
    output.stop()
    os.close(other)
    os.close(end)


def test_drawing_never_waits_for_a_terminal_that_reads_nothing(wire: tuple[int, TerminalOutput]) -> None:
    _, output = wire
    for number in range(200):
        output.draw(
            "".join(f"\x1b[{y + 1};1H\x1b[3{(y + number) % 8}m{'x' * 200}\x1b[0m" for y in range(60)), (200, 60)
        )
    assert output.bytes_sent < 200_000


def test_a_terminal_that_is_gone_ends_the_thread() -> None:
    other, end = os.openpty()
    output = TerminalOutput(end, Drawing())
    output.begin()
    os.close(other)
    output.draw("\x1b[1;1Hlost", (20, 2))
    output.stop()
    os.close(end)


def test_synchronized_output_is_used_where_textual_uses_it(wire: tuple[int, TerminalOutput]) -> None:
    other, output = wire
    output.draw("\x1b[?2026h", (20, 2))
    output.draw("\x1b[1;1Hx\x1b[?2026l", (20, 2))
    text = received(other)
    assert text.startswith(b"\x1b[?2026h")
    assert text.endswith(b"\x1b[?2026l\x1b[6n")


def test_the_driver_is_chosen_by_the_terminal() -> None:
    environ = {"TERM": "xterm", "LANG": "C.UTF-8"}
    assert driver_class(decide(environ, tty=True)) is DiffDriver
    assert driver_class(decide({**environ, "LANG": "C"}, tty=True)) is AsciiDriver
    assert driver_class(decide(environ, tty=True, wishes=Wishes(driver="stock"))) is StockDriver
    page = driver_class(decide({**environ, "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}, tty=False))
    assert issubclass(page, WebDriver)
