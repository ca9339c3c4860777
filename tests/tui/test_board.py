"""Rows of runs: every cell has a style with a background, what is too long is cut, and only what changed is drawn."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from tui.theme import DARK
from tui.widgets.board import Board, row


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield Board(id="board")

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name


async def test_every_cell_has_a_background_and_the_width_is_kept() -> None:
    app = Shown()
    async with app.run_test(size=(20, 3)) as pilot:
        board = app.query_one(Board)
        board.show(
            [row(("good ", "bold good"), ("[b]not markup[/b] and far too long", "")), row(("日本語" * 9, "bad"))]
        )
        await pilot.pause()
        for number in range(3):
            strip = board.render_line(number)
            assert strip.cell_length == 20
            assert all(segment.style is not None and segment.style.bgcolor is not None for segment in strip)
        assert board.render_line(0).text == "good [b]not markup[/"


async def test_only_lines_that_changed_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Shown()
    async with app.run_test(size=(20, 4)) as pilot:
        board = app.query_one(Board)
        board.show([row(("one", "")), row(("two", "")), row(("three", ""))])
        await pilot.pause()
        drawn: list[Region] = []

        def refresh(*regions: Region, **_: bool) -> Board:
            drawn.extend(regions)
            return board

        monkeypatch.setattr(board, "refresh", refresh)
        board.show([row(("one", "")), row(("2", "")), row(("three", ""))])
        assert [(region.y, region.height) for region in drawn] == [(1, 1)]
        board.show([row(("one", "")), row(("2", ""))])
        assert [region.y for region in drawn] == [1, 2]
        board.show([row(("one", "")), row(("2", ""))])
        assert len(drawn) == 2


def test_empty_runs_are_left_out() -> None:
    assert row(("", "good"), ("x", "")) == (("x", ""),)
