"""Benchmarks on the screen: chosen with their shipped model, run, and seen among the results."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from textual.pilot import Pilot

from tests.tui import deck as decks
from tests.tui.choosing import take
from tests.tui.deck import SIZES, deck, shows, text, until
from tui.app import InferdeckApp


class Chosen(NamedTuple):
    """A benchmark, its shipped model, and what the plan then shows."""

    benchmark: str
    model: str
    model_title: str
    data_title: str


CHOSEN = (
    Chosen("bert-99", "span-net", "Small question answering", "SQuAD questions"),
    Chosen("rnnt", "letters-net", "Small transducer", "LibriSpeech"),
    Chosen("3d-unet-99", "kidneys-net", "Small 3D U-Net", "scans with kidneys"),
)
each = pytest.mark.parametrize("chosen", CHOSEN, ids=lambda one: one.benchmark)


async def choose(pilot: Pilot[None], app: InferdeckApp, chosen: Chosen) -> None:
    """Choose a benchmark with the model that is shipped."""
    await pilot.press("2")
    await shows(pilot, "LoadGen")
    await take(pilot, app, "group benchmark", f"{chosen.benchmark} ")
    await until(
        pilot, lambda: f"_{chosen.benchmark}" in "".join(text(app).split()), "the benchmark in the command line"
    )
    await take(pilot, app, "group model", f"{chosen.model} ")
    await shows(pilot, chosen.model_title)


@each
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_its_plan_is_of_its_model_and_data(tmp_path: Path, size: tuple[int, int], chosen: Chosen) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await choose(pilot, app, chosen)
        await until(pilot, lambda: f"_{chosen.model}" in "".join(text(app).split()), "the model in the command line")
        await shows(pilot, chosen.data_title)
        assert "picture" not in text(app)


@pytest.mark.slow
@each
async def test_it_is_chosen_run_and_among_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: Chosen
) -> None:
    monkeypatch.setattr(decks, "PATIENCE", 300.0)
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await choose(pilot, app, chosen)
        await pilot.press("r")
        await shows(pilot, "run it")
        await pilot.press("enter")
        await shows(pilot, "The results are in")
        await shows(pilot, "Offline")
        await pilot.press("4")
        await shows(pilot, chosen.benchmark)
