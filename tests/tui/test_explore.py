"""The Explore screens at both sizes: list, trials, front, why, effects, notes, filter, columns, actions, start."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.design_space import explorations as engine_explorations
from engine.store.files import locked
from engine.survey.prepare import Workplace
from tests.helpers import folders_in
from tests.tui import explorations
from tests.tui.deck import SIZES, deck, grid, same_grid, shows, text, until
from tui.app import InferdeckApp
from tui.screens.exploration import ExplorationScreen
from tui.screens.explore import ExploreScreen
from tui.settings import load
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
        await shows(pilot, "◆ trial 12")
        same_grid(f"explore-one-{size[0]}", grid(app))
        await pilot.press("w")
        await shows(pilot, "out of memory")
        await pilot.press("down", "w")
        await shows(pilot, "against the default")
        await pilot.press("e")
        await shows(pilot, "other choices")
        await pilot.press("n", "z")
        await shows(pilot, "[bold]openvino[/] has")
        assert "\x1b" not in text(app)
        await pilot.press("escape", "escape")
        await shows(pilot, "1 exploration")


@each_size
async def test_trials_are_filtered_sorted_and_their_columns_kept(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("slash", *"state:failed")
        await shows(pilot, "trials: 1 of 12")
        await pilot.press("escape")
        await shows(pilot, "trials: 12 ")
        await pilot.press("slash", *"sesions=2")
        await shows(pilot, "there is no column 'sesions'")
        await pilot.press("escape", "o", *["down"] * 5, "enter")
        await shows(pilot, "sorted by Offline")
        table = app.screen.query_one(TrialTable)
        await until(pilot, lambda: best_first(table), "the best trial first")
        await pilot.press("t")
        await shows(pilot, "[x] standing")
        await pilot.press("space", "enter")
        await until(pilot, lambda: "standing" not in "".join(grid(app)[3:5]), "the column is gone")
        assert "standing" not in load(home / "config").trial_columns


def best_first(table: TrialTable) -> bool:
    """Whether the trial with the highest throughput is the first."""
    rows = table.listed.rows if table.listed is not None else ()
    figures = [row.trial.figures.get("Offline", 0.0) for row in rows]
    return bool(figures) and figures == sorted(figures, reverse=True)


async def test_it_follows_the_log_and_asks_before_it_stops(tmp_path: Path) -> None:
    folders_in(tmp_path)
    folder = explorations.write(tmp_path, over=False)
    app = deck(tmp_path)
    with locked(folder / "run.lock", wait=False):
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "exploring   box-a")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ExplorationScreen), "the exploration")
            await shows(pilot, "trials: 12 ")
            assert "running" in text(app)
            explorations.add(folder, 13, (("backend", "openvino"), ("sessions", "2")))
            await shows(pilot, "trials: 13 ")
            await pilot.press("r")
            await until(pilot, lambda: bool(app.messages), "a reason")
            assert "is running" in app.messages[-1].text
            await pilot.press("s", "down", "enter")
            await until(pilot, (folder / "stop").exists, "the request to stop")
            await pilot.press("4")
            await pilot.press("q")
        assert any("explore watch box-a" in line for line in app.exit_messages)


async def test_report_command_and_chart(home: Path) -> None:
    app = deck(home)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await pilot.press("g", "down", "down", "enter")
        await shows(pilot, "Offline by trial")
        await pilot.press("y")
        await until(pilot, lambda: "--number=12" in app.clipboard, "the command")
        await pilot.press("x", "enter")
        await until(pilot, lambda: any("box-a-" in one.text for one in app.messages), "the report")
        written = list((home / "state" / "exports").glob("box-a-*.html"))
        assert len(written) == 1
        assert "<svg" in written[0].read_text(encoding="utf-8")


@each_size
async def test_values_are_marked_on_the_plan(tmp_path: Path, size: tuple[int, int], begun: list[object]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.opened, "the workplace")
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        await pilot.press("v")
        await shows(pilot, "what is varied")
        assert "objectives" in text(app)
        await pilot.press(*["down"] * 3, "enter")
        await shows(pilot, "vary sessions")
        await pilot.press("space", "down", "space", "enter")
        await shows(pilot, "[x] sessions")
        await pilot.press("tab", "enter")
        await shows(pilot, "axis       sessions=1,2")
        await shows(pilot, "start it")
        await pilot.press("enter")
        await until(pilot, lambda: bool(begun), "the exploration")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what would be started; nothing is."""
    asked: list[object] = []

    def begin(place: Workplace, request: object) -> tuple[Path, str]:
        folder = explorations.write(place.folders.state.parent)
        asked.append(request)
        return folder, "new"

    monkeypatch.setattr(engine_explorations, "begin", begin)
    return asked
