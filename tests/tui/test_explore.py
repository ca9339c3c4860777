"""The Explore screens at both sizes: list, trials, front, why, effects, notes, filter, columns, actions, start."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.helpers import folders_in
from tests.tui import explorations
from tests.tui.deck import SIZES, deck, grid, same_grid, shows, text, until
from tui.app import InferdeckApp
from tui.screens.exploration import ExplorationScreen
from tui.screens.explore import ExploreScreen
from tui.widgets.trial_table import TrialTable

each_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one finished exploration."""
    folders_in(tmp_path)
    explorations.write(tmp_path)
    return tmp_path


async def listed(pilot: Pilot[None]) -> ExploreScreen:
    """Go to the list and wait for it."""
    app = pilot.app
    assert isinstance(app, InferdeckApp)
    await until(pilot, lambda: app.opened, "the workplace")
    await pilot.press("6")
    await until(pilot, lambda: isinstance(app.screen, ExploreScreen) and app.screen.loaded, "the explorations")
    assert isinstance(app.screen, ExploreScreen)
    return app.screen


async def opened(pilot: Pilot[None]) -> ExplorationScreen:
    """Open the exploration and wait for its points to be compared."""
    await listed(pilot)
    await pilot.press("enter")
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, ExplorationScreen) and is_compared(app.screen), "the trials")
    assert isinstance(app.screen, ExplorationScreen)
    return app.screen


def is_compared(screen: ExplorationScreen) -> bool:
    """Whether the table shows the standing of the points."""
    row = screen.query_one(TrialTable).row if screen.query(TrialTable) else None
    return row is not None and row.stands is not None


@each_size
async def test_without_explorations_it_says_how_to_start_one(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await listed(pilot)
        await shows(pilot, "Nothing has been explored here yet")
        assert "inferdeck explore --tags=" in text(app)
        await pilot.press("s")
        await until(pilot, lambda: bool(app.messages), "a reason")
        assert "v on the Plan screen" in app.messages[-1].text


@each_size
async def test_the_list_and_one_exploration(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await listed(pilot)
        await shows(pilot, "5/5")
        same_grid(f"explore-list-{size[0]}", grid(app))
        await opened(pilot)
        await shows(pilot, "◆ trial 13")
        same_grid(f"explore-one-{size[0]}", grid(app))
        await pilot.press("escape")
        await shows(pilot, "1 exploration")
