"""No widget lets terminal control characters through."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.widgets import Static

from tests.tui.deck import deck, shows, text, until
from tui.harmless import Harmless

BLACK = Color(0, 0, 0)


def test_a_harmless_line_stays_the_same_object() -> None:
    line = [Segment("├─ 12 ms"), Segment(" ")]
    assert Harmless().apply(line, BLACK) is line


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_nothing_steers(steering: str) -> None:
    (found,) = Harmless().apply([Segment(steering)], BLACK)
    assert not set(found.text) & {*map(chr, range(32)), "\x7f", "\x9b", "\u202e", "\u2066"}
    found.text.encode()


async def test_every_widget_goes_through_it(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.opened, "the profiles")
        pane = app.screen.query_one("#start-pane")
        pane.border_title = Content("title\x1b]0;owned\x07")
        app.screen.query_one("#machine", Static).update(Content("raw\x1b[2J\u202eend\udce9"))
        await shows(pilot, "raw[2Jend")
        assert "title]0;owned" in text(app)
        assert "\x1b" not in text(app)
