"""Recommendation on the screen: chosen, run and seen among the results, by what every benchmark has."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.store.folders import folders
from profiles import FOLDER
from tests.tui import deck as decks
from tests.tui.choosing import take
from tests.tui.deck import SIZES, deck, shows, text, until
from tui.app import InferdeckApp

SMALL = {"standin-dlrm": ("default: 1000000", "default: 500"), "criteo-drawn": ("default: 2048", "default: 24")}
"""Components with other defaults in the user's own profiles: name → old and new."""


def with_small_tables(home: Path) -> InferdeckApp:
    """Return an app whose stand-in has small tables, and few samples."""
    folder = folders(str(home)).profiles / "components"
    folder.mkdir(parents=True)
    for name, (old, new) in SMALL.items():
        shipped = (FOLDER / "components" / f"{name}.yaml").read_text()
        assert old in shipped
        (folder / f"{name}.yaml").write_text(shipped.replace(old, new))
    return deck(home)


async def choose_dlrm(pilot: Pilot[None], app: InferdeckApp) -> None:
    await pilot.press("2")
    await shows(pilot, "LoadGen")
    await take(pilot, app, "group benchmark", "dlrm-99 ")
    await until(pilot, lambda: "_dlrm-99" in "".join(text(app).split()), "the benchmark in the command line")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_plan_of_dlrm_is_that_of_clicks(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await choose_dlrm(pilot, app)
        await shows(pilot, "DLRM, Criteo Terabyte")
        assert "picture" not in text(app)


@pytest.mark.slow
async def test_dlrm_is_chosen_run_and_among_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decks, "PATIENCE", 300.0)
    app = with_small_tables(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await choose_dlrm(pilot, app)
        await take(pilot, app, "group model", "clicks-net ")
        await until(pilot, lambda: "_clicks-net" in "".join(text(app).split()), "the model in the command line")
        await pilot.press("r")
        await shows(pilot, "run it")
        await pilot.press("enter")
        await shows(pilot, "The results are in")
        await shows(pilot, "Offline")
        await pilot.press("4")
        await shows(pilot, "dlrm-99")
