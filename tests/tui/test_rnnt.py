"""Speech recognition on the screen: chosen, run and seen among the results, by what every benchmark has."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui import deck as decks
from tests.tui.deck import SIZES, deck, shows, text, until
from tests.tui.test_bert import take
from tui.app import InferdeckApp


async def choose_rnnt(pilot: Pilot[None], app: InferdeckApp) -> None:
    """Choose rnnt with the model that is shipped."""
    await pilot.press("2")
    await shows(pilot, "LoadGen")
    await take(pilot, app, "group benchmark", "rnnt ")
    await until(pilot, lambda: "_rnnt" in "".join(text(app).split()), "the benchmark in the command line")
    await take(pilot, app, "group model", "letters-net ")
    await shows(pilot, "Small transducer")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_plan_of_rnnt_is_that_of_speech(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await choose_rnnt(pilot, app)
        await until(pilot, lambda: "_letters-net" in "".join(text(app).split()), "the model in the command line")
        await shows(pilot, "LibriSpeech")
        assert "picture" not in text(app)


@pytest.mark.slow
async def test_rnnt_is_chosen_run_and_among_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decks, "PATIENCE", 300.0)
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await choose_rnnt(pilot, app)
        await pilot.press("r")
        await shows(pilot, "run it")
        await pilot.press("enter")
        await shows(pilot, "The results are in")
        await shows(pilot, "Offline")
        await pilot.press("4")
        await shows(pilot, "rnnt")
