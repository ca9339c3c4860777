from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.cells import Grid
from tui.stream import Drawing


def drawing(*, ascii_only: bool = False) -> Drawing:
    made = Drawing(ascii_only=ascii_only)
    made.grid = Grid(10, 3)
    return made


def row(made: Drawing, y: int) -> str:
    return "".join("?" if cell is None else cell[0] for cell in made.grid.rows[y])


def test_drawing_stays_here() -> None:
    made = drawing()
    assert made.draw("\x1b[2;3H\x1b[1;31mab\x1b[0m\r\nc\x1b[H") == ""
    assert (row(made, 1), row(made, 2)) == ("??ab??????", "c?????????")
    assert made.cursor == (0, 0)
    assert not made.lost


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]52;c;aGFsbG8=\a",
        "\x1b]22;pointer\x1b\\",
        "\x1b[?25l",
        "\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h",
        "\x1b[?2026$p",
        "\x1b[>25u",
        "\x1b[<u",
        "\x1b[6n",
        "\x1b[2 q",
        "\a",
        "\x1bP+q544e\x1b\\",
    ],
)
def test_what_is_said_to_the_terminal_is_handed_on(text: str) -> None:
    made = drawing()
    assert made.draw(f"\x1b[1;1Hab{text}cd") == text
    assert row(made, 0) == "abcd??????"
    assert not made.lost


@pytest.mark.parametrize("text", ["\x1b[2J", "\x1b[K", "\x1bc", "\x1b[5A", "\x1b[1;3r"])
def test_after_what_changes_cells_otherwise_nothing_is_known(text: str) -> None:
    made = drawing()
    assert made.draw(text) == text
    assert made.lost


def test_leaving_the_screen_leaves_no_colour_and_keeps_the_drawing() -> None:
    made = drawing()
    made.draw("\x1b[1;1H\x1b[31mab")
    assert made.draw("\x1b[?1049l") == "\x1b[m\x1b[?1049l"
    assert row(made, 0) == "ab????????"
    assert made.lost


def test_synchronized_frames_are_remembered_and_not_handed_on() -> None:
    made = drawing()
    assert not made.synchronized
    assert made.draw("\x1b[?2026h\x1b[1;1Hx\x1b[?2026l") == ""
    assert made.synchronized


def test_control_characters_in_text_reach_no_terminal() -> None:
    made = drawing()
    assert made.draw("\x1b[1;1Ha\x00\x08\t\x0b\x7f\x9bb") == ""
    assert row(made, 0) == "ab????????"


def test_what_lies_outside_is_cut_off() -> None:
    made = drawing()
    made.draw("\x1b[1;9Habc\x1b[9;1Hx\x1b[1;40Hy")
    assert row(made, 0) == "????????ab"


def test_with_ascii_alone_every_cell_is_one_character() -> None:
    made = drawing(ascii_only=True)
    made.draw("\x1b[1;1H│漢⣿é x\x1b[2;1H╭──╮")
    assert (row(made, 0), row(made, 1)) == ("|??:e x???", "+--+??????")


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    drawing().draw(text)
    made = drawing(ascii_only=True)
    made.draw(text)
    assert all(cell is None or cell[0].isascii() for line in made.grid.rows for cell in line)
