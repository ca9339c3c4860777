"""Question answering on the screen: chosen, run and seen among the results, by what every benchmark has."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.tui import deck as decks
from tests.tui.deck import SIZES, deck, shows, text, until
from tests.tui.test_plan import put_cursor
from tui.app import InferdeckApp
from tui.screens.choosing import TakeOne


async def take(pilot: Pilot[None], app: InferdeckApp, key: str, said: str) -> None:
    """Open a row of the plan and take the first alternative that says this."""
    put_cursor(app, key)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(app.screen, TakeOne), "the alternatives")
    offered = app.screen.query_one(OptionList)
    offered.highlighted = next(at for at, one in enumerate(offered.options) if said in str(one.prompt))
    await pilot.press("enter")


async def choose_bert(pilot: Pilot[None], app: InferdeckApp) -> None:
    """Choose bert-99 with the model that is shipped."""
    await pilot.press("2")
    await shows(pilot, "LoadGen")
    await take(pilot, app, "group benchmark", "bert-99 ")
    await until(pilot, lambda: "_bert-99" in "".join(text(app).split()), "the benchmark in the command line")
    await take(pilot, app, "group model", "span-net ")
    await shows(pilot, "Small question answering")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_plan_of_bert_is_that_of_questions(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await choose_bert(pilot, app)
        await until(pilot, lambda: "_span-net" in "".join(text(app).split()), "the model in the command line")
        await shows(pilot, "SQuAD questions")
        assert "picture" not in text(app)


@pytest.mark.slow
async def test_bert_is_chosen_run_and_among_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decks, "PATIENCE", 300.0)
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await choose_bert(pilot, app)
        await pilot.press("r")
        await shows(pilot, "run it")
        await pilot.press("enter")
        await shows(pilot, "The results are in")
        await shows(pilot, "Offline")
        await pilot.press("4")
        await shows(pilot, "bert-99")
