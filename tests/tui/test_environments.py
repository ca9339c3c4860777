"""The real screen in common terminals: without colours, with 16, without Unicode, in tmux, or none."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tui.pty import ROOT, PseudoTerminal, environment, python

BASIC = {"black", "red", "green", "brown", "blue", "magenta", "cyan", "white", "default", ""}


def screen(home: Path, env: dict[str, str], *words: str) -> PseudoTerminal:
    return PseudoTerminal(python("-m", "tui", f"--home={home}", *words), columns=80, rows=24, env=env)


def colours(terminal: PseudoTerminal) -> set[str]:
    cells = [cell for row in terminal.emulator.cells() for cell in row]
    return {cell.foreground for cell in cells} | {cell.background for cell in cells}


def test_without_colours_there_are_greys(tmp_path: Path) -> None:
    with screen(tmp_path, {"NO_COLOR": "1"}) as terminal:
        terminal.until("quit")
        terminal.settle()
        seen = {one for one in colours(terminal) if len(one) == 6}
        assert seen
        assert all(one[:2] == one[2:4] == one[4:] for one in seen)


def test_16_colours_are_enough(tmp_path: Path) -> None:
    with screen(tmp_path, {"TERM": "screen", "COLORTERM": ""}) as terminal:
        terminal.until("quit")
        terminal.settle()
        assert {one.removeprefix("bright") for one in colours(terminal)} <= BASIC


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"TERM": "vt220", "COLORTERM": ""}])
def test_without_unicode_the_screen_is_ascii(tmp_path: Path, env: dict[str, str]) -> None:
    with screen(tmp_path, env) as terminal:
        terminal.until("quit")
        terminal.settle()
        assert terminal.text.isascii()


def test_a_wish_for_ascii_is_heard(tmp_path: Path) -> None:
    with screen(tmp_path, {}, "--ascii") as terminal:
        terminal.until("quit")
        terminal.settle()
        assert terminal.text.isascii()


def test_textuals_own_driver_is_a_way_out(tmp_path: Path) -> None:
    with screen(tmp_path, {}, "--driver=stock") as terminal:
        terminal.until("quit")
        terminal.press("q")
        terminal.until(lambda: terminal.process.poll() == 0)


def test_on_a_dumb_terminal_there_are_lines(tmp_path: Path) -> None:
    with screen(tmp_path, {"TERM": "dumb"}) as terminal:
        terminal.until(lambda: terminal.process.poll() == 0)
        assert "inferdeck" in terminal.text
        assert terminal.text.isascii()


def test_in_a_pipe_there_are_lines_without_escapes(tmp_path: Path) -> None:
    command = python("-m", "tui", f"--home={tmp_path}")
    done = subprocess.run(
        command, check=True, capture_output=True, cwd=ROOT, env=environment({}), stdin=subprocess.DEVNULL
    )
    assert b"\x1b" not in done.stdout


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_tmux(tmp_path: Path) -> None:
    inside = shlex.join(python("-m", "tui", f"--home={tmp_path / 'home'}"))
    command = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null", "new-session", inside]
    with PseudoTerminal(command, columns=100, rows=31) as terminal:
        terminal.until("this machine")
        terminal.press("2")
        terminal.until("what will happen")
        terminal.settle()
        terminal.press("q")
        terminal.until(lambda: terminal.process.poll() == 0)
