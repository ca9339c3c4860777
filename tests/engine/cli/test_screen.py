"""Output of the command line, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest

from engine.cli.screen import Screen


class Tty(io.StringIO):
    """A stream that reports that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_status_line_never_hides_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Tty()
    screen = Screen(out)
    screen.status("measuring \x1b[?25l")
    screen.line("a line")
    assert "measuring" in out.getvalue()
    assert "\x1b[?25" not in out.getvalue()
    screen.status("")


@pytest.mark.parametrize("out", [io.StringIO(), Tty()])
def test_a_text_of_several_lines_is_drawn_as_lines(monkeypatch: pytest.MonkeyPatch, out: io.StringIO) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    Screen(out).line("can't be submitted:\n- it holds\x1b[2J a result")
    assert [line.rstrip() for line in out.getvalue().splitlines()] == ["can't be submitted:", "- it holds[2J a result"]


def test_columns_are_counted_in_cells() -> None:
    out = io.StringIO()
    Screen(out).table([[("雪", ""), ("1", ""), ("x", "")], [("ab", ""), ("22", ""), ("y", "")]], right=(1,))
    assert out.getvalue() == "雪   1  x\nab  22  y\n"
