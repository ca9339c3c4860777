from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.pty import Emulator
from tui.cells import PLAIN, Grid, Mirror, Style, cells_of, styled, transition
from tui.stream import Drawing

WIDTH, HEIGHT = 14, 4

Letter = tuple[str, int, str]
"""A character, its width, and the SGR parameters it is drawn with."""

CHARACTERS = [*((c, 1) for c in "  ab│⣿█é"), ("e\u0301", 1), ("漢", 2), ("한", 2), ("\uff21", 2), ("🚀", 2)]
STYLES = ["", "1", "31", "1;38;2;10;20;30", "48;5;24", "7", "4;97;44", "3;9;38;2;10;20;30;48;2;1;2;3", "5;107"]

letters = st.tuples(st.sampled_from(CHARACTERS), st.sampled_from(STYLES)).map(lambda both: (*both[0], both[1]))


def line(found: list[Letter]) -> list[Letter]:
    """Return letters that fill one row exactly."""
    kept: list[Letter] = []
    for letter in found:
        if sum(width for _, width, _ in kept) + letter[1] <= WIDTH:
            kept.append(letter)
    return kept + [(" ", 1, "")] * (WIDTH - sum(width for _, width, _ in kept))


lines = st.lists(letters, min_size=WIDTH, max_size=WIDTH).map(line)


@st.composite
def changed_lines(draw: st.DrawFn, before: list[list[Letter]]) -> list[list[Letter]]:
    """Change some letters of some rows: to others of the same width, or the row as a whole."""
    after = []
    for row in before:
        how = draw(st.sampled_from(["same", "same", "letters", "row"]))
        if how == "row":
            after.append(draw(lines))
        elif how == "letters":
            new = list(row)
            for place in draw(st.sets(st.integers(0, len(row) - 1), max_size=4)):
                other = draw(letters)
                if other[1] == row[place][1]:
                    new[place] = other
            after.append(new)
        else:
            after.append(row)
    return after


@st.composite
def films(draw: st.DrawFn) -> list[list[list[Letter]]]:
    """Draw screens that follow each other."""
    frames = [[draw(lines) for _ in range(HEIGHT)]]
    for _ in range(draw(st.integers(1, 4))):
        frames.append(draw(changed_lines(frames[-1])))
    return frames


def drawn(row: int, x: int, found: list[Letter]) -> str:
    """Write letters as Textual does: a move, then every run with its style and a reset."""
    text = f"\x1b[{row + 1};{x + 1}H"
    for character, _, style in found:
        text += f"\x1b[{style}m{character}\x1b[0m" if style else character
    return text


def whole(frame: list[list[Letter]]) -> str:
    return "".join(drawn(number, 0, row) for number, row in enumerate(frame))


def part(before: list[list[Letter]], after: list[list[Letter]]) -> str:
    """Write a row from its first to its last changed letter, if the rest stays where it is; else the whole row."""
    text = ""
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        if [width for _, width, _ in old] != [width for _, width, _ in new]:
            text += drawn(number, 0, new)
            continue
        places = [place for place in range(len(new)) if old[place] != new[place]]
        first, last = places[0], places[-1]
        text += drawn(number, sum(width for _, width, _ in new[:first]), new[first : last + 1])
    return text


def terminal() -> Emulator:
    """Return a terminal that does not wrap lines, as Textual tells it at the start."""
    made = Emulator(WIDTH, HEIGHT)
    made.feed(b"\x1b[?7l")
    return made


@dataclass
class Screen:
    """A terminal behind the drawing and the mirror."""

    drawing: Drawing = field(default_factory=Drawing)
    mirror: Mirror = field(default_factory=Mirror)
    emulator: Emulator = field(default_factory=terminal)

    def __post_init__(self) -> None:
        self.drawing.grid = Grid(WIDTH, HEIGHT)

    def show(self, data: str) -> int:
        self.drawing.draw(data)
        change = self.mirror.change(self.drawing.grid, self.drawing.cursor)
        self.emulator.feed(change.encode())
        return len(change)


@given(films(), st.sets(st.integers(0, 4)))
@settings(max_examples=150, deadline=None)
def test_every_frame_looks_as_if_it_were_written_whole(film: list[list[list[Letter]]], forgotten: set[int]) -> None:
    screen = Screen()
    before: list[list[Letter]] = []
    for number, frame in enumerate(film):
        if number in forgotten:
            screen.mirror.forget()
            screen.emulator = terminal()
        screen.show(part(before, frame) if before else whole(frame))
        stock = terminal()
        stock.feed(whole(frame).encode())
        assert screen.emulator.cells() == stock.cells()
        assert (screen.emulator.screen.cursor.x, screen.emulator.screen.cursor.y) == (
            min(screen.drawing.cursor[0], WIDTH - 1),
            screen.drawing.cursor[1],
        )
        before = frame


@given(films())
@settings(max_examples=100, deadline=None)
def test_frames_that_merge_look_like_the_last(film: list[list[list[Letter]]]) -> None:
    screen = Screen()
    screen.show(whole(film[0]))
    for before, after in itertools.pairwise(film):
        screen.drawing.draw(part(before, after))
    screen.show("")
    stock = terminal()
    stock.feed(whole(film[-1]).encode())
    assert screen.emulator.cells() == stock.cells()


def test_what_is_drawn_again_costs_nothing() -> None:
    screen = Screen()
    text = "\x1b[2;3H\x1b[1;31mhallo\x1b[0m\x1b[1;1H"
    assert screen.show(text) > 0
    assert screen.show(text) == 0


def test_one_digit_costs_a_jump_and_the_digit() -> None:
    screen = Screen()
    screen.show("\x1b[2;3H\x1b[31m12345\x1b[0m\x1b[1;1H")
    assert screen.show("\x1b[2;3H\x1b[31m12346\x1b[0m\x1b[1;1H") == len("\x1b[2;7H6") + len("\x1b[1H")


def test_a_short_way_is_written_rather_than_jumped() -> None:
    screen = Screen()
    screen.show("\x1b[1;1Habcdefgh\x1b[1;9H")
    assert screen.show("\x1b[1;1HXbcYefgh\x1b[1;9H") == len("\x1b[1H" + "XbcY" + "\x1b[1;9H")


def test_colours_of_a_space_do_not_count_unless_they_show() -> None:
    screen = Screen()
    screen.show("\x1b[1;1H\x1b[31m \x1b[0m\x1b[1;1H")
    assert screen.show("\x1b[1;1H\x1b[1;32m \x1b[0m\x1b[1;1H") == 0
    assert screen.show("\x1b[1;1H\x1b[32;7m \x1b[0m\x1b[1;1H") > 0
    assert screen.show("\x1b[1;1H\x1b[33;7m \x1b[0m\x1b[1;1H") > 0
    assert screen.show("\x1b[1;1H\x1b[33;44m \x1b[0m\x1b[1;1H") > 0


def test_half_of_a_wide_character_leaves_a_space() -> None:
    grid = Grid(4, 1)
    grid.put(0, 0, cells_of("漢字", PLAIN))
    grid.put(1, 0, cells_of("x", PLAIN))
    assert [cell[0] for cell in grid.rows[0] if cell] == [" ", "x", "字", ""]
    grid.put(2, 0, cells_of("y", PLAIN))
    assert [cell[0] for cell in grid.rows[0] if cell] == [" ", "x", "y", " "]
    grid.put(3, 0, cells_of("漢", PLAIN))
    assert [cell[0] for cell in grid.rows[0] if cell] == [" ", "x", "y", " "]


def test_after_a_character_of_doubtful_width_the_place_is_said_again() -> None:
    screen = Screen()
    screen.drawing.draw("\x1b[1;1H👩\u200d🚀x")
    change = screen.mirror.change(screen.drawing.grid, (0, 0))
    assert "\x1b[1;3Hx" in change


def test_a_grid_keeps_what_fits() -> None:
    grid = Grid(4, 2)
    grid.put(0, 0, cells_of("ab漢", PLAIN))
    grid.resize(3, 1)
    assert [cell and cell[0] for cell in grid.rows[0]] == ["a", "b", " "]
    grid.resize(5, 2)
    assert [cell and cell[0] for cell in grid.rows[0]] == ["a", "b", " ", None, None]
    assert len(grid.rows) == 2


@pytest.mark.parametrize(
    ("parameters", "style"),
    [
        ("1;31", Style("31", "", frozenset({"1"}))),
        ("38;5;200;48;2;1;2;3;4:3", Style("38;5;200", "48;2;1;2;3", frozenset({"4:3"}))),
        ("97;107", Style("97", "107")),
        ("31;0;2", Style("", "", frozenset({"2"}))),
        ("", PLAIN),
    ],
)
def test_parameters_of_sgr(parameters: str, style: Style) -> None:
    assert styled(PLAIN, parameters) == style


def test_attributes_are_switched_off_one_by_one() -> None:
    everything = styled(PLAIN, "1;2;3;4:3;5;7;9;53;31;42")
    assert styled(everything, "22;24;55") == Style("31", "42", frozenset({"3", "5", "7", "9"}))
    assert styled(everything, "39;49;23;25;27;29") == Style("", "", frozenset({"1", "2", "4:3", "53"}))


@given(st.sampled_from(STYLES), st.sampled_from(STYLES))
def test_a_transition_leads_to_the_wanted_style(first: str, second: str) -> None:
    old, new = styled(PLAIN, first), styled(PLAIN, second)
    text = transition(old, new)
    assert styled(old, text[2:-1]) == new if text else old == new
    assert styled(old, transition(None, new)[2:-1]) == new


def test_a_link_is_closed_where_its_frame_ends() -> None:
    screen = Screen()
    screen.drawing.draw("\x1b[1;1H\x1b]8;id=1;https://example.org\x1b\\ab\x1b]8;;\x1b\\c")
    change = screen.mirror.change(screen.drawing.grid, (0, 0))
    assert change.count("\x1b]8;id=1;https://example.org\x1b\\ab\x1b]8;;\x1b\\c") == 1
    screen.drawing.draw("\x1b[1;3H\x1b]8;id=1;https://example.org\x1b\\d\x1b]8;;\x1b\\")
    assert screen.mirror.change(screen.drawing.grid, (0, 0)).endswith("d\x1b]8;;\x1b\\\x1b[1H")
