"""The second benchmark on the screen: chosen, run and shown in the results."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui import deck as decks
from tests.tui.deck import SIZES, deck, shows, text, until
from tests.tui.test_plan import put_cursor
from tui.app import InferdeckApp


async def choose(pilot: Pilot[None], key: str, downs: int, said: str) -> None:
    """Open a row of the plan and choose the alternative so many lines below the first."""
    assert isinstance(pilot.app, InferdeckApp)
    put_cursor(pilot.app, key)
    await pilot.press("e")
    await shows(pilot, said)
    await pilot.press(*["down"] * downs, "enter")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_retinanet_is_chosen_run_and_among_the_results(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decks, "PATIENCE", 200.0)
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        await choose(pilot, "group benchmark", 1, "object detection on OpenImages")
        await until(pilot, lambda: "_retinanet" in "".join(text(app).split()), "the benchmark in the command line")
        await choose(pilot, "group model", 2, "scenes-net")
        await shows(pilot, "Small detector")
        await pilot.press("r")
        await shows(pilot, "run it")
        await pilot.press("enter")
        await shows(pilot, "The results are in")
        await shows(pilot, "Offline")
        await pilot.press("4")
        await shows(pilot, "retinanet")
