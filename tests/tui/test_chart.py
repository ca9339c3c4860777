"""Charts in characters: they fit, they never fail, and they show the data at every level of glyphs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.deck import same_grid
from tui.terminal import Glyphs
from tui.widgets.chart import Line, Plot, number_label, rows

GLYPHS: tuple[Glyphs, ...] = ("braille", "block", "ascii")
VALUES = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=64))


def text(plot: Plot, width: int, height: int, glyphs: Glyphs = "braille") -> list[str]:
    return ["".join(part for part, _ in line) for line in rows(plot, width, height, glyphs)]


@given(
    lines=st.lists(st.lists(VALUES, max_size=90), max_size=3),
    count=st.integers(0, 90),
    limit=st.one_of(st.none(), st.floats(0, 1e12)),
    zero=st.booleans(),
    width=st.integers(0, 130),
    height=st.integers(0, 40),
    glyphs=st.sampled_from(GLYPHS),
)
def test_any_values_fit_into_any_size(
    lines: list[list[float | None]],
    count: int,
    limit: float | None,
    zero: bool,
    width: int,
    height: int,
    glyphs: Glyphs,
) -> None:
    plot = Plot(tuple(Line(tuple(one), "mark") for one in lines), count, "60 s ago", limit, from_zero=zero)
    drawn = text(plot, width, height, glyphs)
    assert len(drawn) == height
    assert all(cell_len(line) <= width for line in drawn)
    if glyphs == "ascii":
        assert "".join(drawn).isascii()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_label_has_six_characters_at_most(value: float) -> None:
    assert len(number_label(value)) <= 6


@pytest.mark.parametrize(
    ("value", "label"),
    [(0, "0"), (7.5, "7.5"), (400, "400"), (9999, "9999"), (15_000, "15k"), (2.5e6, "2.5M"), (0.058, "0.058")],
)
def test_labels_are_short(value: float, label: str) -> None:
    assert number_label(value) == label


def test_what_was_not_measured_is_a_gap() -> None:
    flat = Line((5.0,) * 10 + (None,) * 10 + (5.0,) * 10, "mark")
    line = next(one for one in text(Plot((flat,), 30), 38, 5) if "⣀" in one or "⠉" in one or "⠤" in one or "⠒" in one)
    inside = line[8:]
    assert inside[:9].strip()
    assert not inside[12:18].strip()
    assert inside[-9:].strip()


def test_a_shorter_line_stands_at_the_right_end() -> None:
    drawn = text(Plot((Line((5.0, 5.0, 5.0), "mark"),), 30), 38, 5)
    assert not any(line[8:30].strip() for line in drawn)
    assert any(line[35:].strip() for line in drawn)


def test_an_axis_that_does_not_begin_at_zero_says_so() -> None:
    near = Plot((Line((400.0, 410.0, 405.0), "mark"),), 3, "60 s ago", from_zero=False)
    drawn = text(near, 60, 8)
    assert "axis from 400, not 0" in drawn[-1]
    assert "≈" in drawn[-2]
    whole = text(Plot(near.lines, 3, "60 s ago"), 60, 8)
    assert "axis from" not in whole[-1]
    assert whole[-2].split()[0] == "0"


def test_the_limit_is_a_line_with_its_number() -> None:
    drawn = rows(Plot((Line((8.0, 9.0), "mark"),), 60, limit=15), 60, 12)
    limit = next(line for line in drawn if any("╌" in part for part, _ in line))
    assert limit[0] == ("    15 │", "bad")


def test_a_limit_far_away_is_told_in_words() -> None:
    drawn = text(Plot((Line((1.0, 1.2), "mark"),), 60, "60 s ago", 15), 60, 12)
    assert not any("╌" in line for line in drawn)
    assert "limit 15 is above" in drawn[-1]


def test_what_is_drawn_later_lies_on_top() -> None:
    same = (5.0, 5.0)
    drawn = rows(Plot((Line(same, "first"), Line(same, "second")), 2), 40, 6)
    assert {style for line in drawn for _, style in line} & {"first", "second"} == {"second"}


def test_blanks_belong_to_the_run_before_them() -> None:
    steps = Line(tuple(5.0 if number % 9 < 2 else None for number in range(60)), "mark")
    for line in rows(Plot((steps,), 60), 68, 6)[:-1]:
        assert len(line) <= 3, "a run for each change of colour, none for a blank"


@pytest.mark.parametrize("glyphs", GLYPHS)
def test_pictures(glyphs: Glyphs) -> None:
    wave = tuple(8 + 3 * math.sin(number / 5) for number in range(60))
    upper = tuple(value * 1.3 for value in wave[20:])
    plot = Plot((Line(wave, "secondary"), Line(upper, "accent")), 60, "60 s ago", 15.0)
    same_grid(f"chart-{glyphs}", text(plot, 70, 14, glyphs))
