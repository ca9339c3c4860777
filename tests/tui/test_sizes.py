"""Every screen at every size: no crash, no key acts on a hidden screen, and a screen that grows is complete again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import OptionList

from engine.store.files import locked
from engine.store.folders import folders
from tests.engine.explore import history
from tests.engine.jobs import synthetic
from tests.helpers import folders_in
from tests.tui.deck import deck, shows, text, until
from tui.app import InferdeckApp
from tui.screens.dialogs import Question, Reading

SIZES = ((1, 1), (12, 6), (40, 12), (60, 20), (79, 24), (300, 4))
SEEN = {
    "1": "this machine",
    "2": "LoadGen",
    "3": "3 Run",
    "4": "r-0002/Offline",
    "5": "What will you submit",
    "6": "Nothing has been explored",
}
"""A text of each complete screen."""


@contextmanager
def busy(home: Path) -> Iterator[InferdeckApp]:
    """Make a home with runs and a job that measures."""
    history.job(folders_in(home), rate=100.0)
    history.job(folders_in(home), "--max_batch=8", rate=200.0)
    job = synthetic.write(folders(str(home)).jobs, [*synthetic.before(), *synthetic.ticks(90)])
    with locked(job.folder / "run.lock", wait=False):
        yield deck(home)


async def visit(pilot: Pilot[None], key: str) -> None:
    """Go to a screen and wait until it is filled."""
    app = pilot.app
    assert isinstance(app, InferdeckApp)
    await until(pilot, lambda: app.opened, "the profiles")
    await pilot.press(key)
    await shows(pilot, SEEN[key])


async def test_every_screen_takes_every_size(tmp_path: Path) -> None:
    with busy(tmp_path) as app:
        async with app.run_test(size=(120, 36)) as pilot:
            for key, words in SEEN.items():
                await visit(pilot, key)
                for columns, rows in SIZES:
                    await pilot.resize_terminal(columns, rows)
                    assert columns < 40 or rows < 12 or "needs 80x24" in text(app)
                await pilot.resize_terminal(80, 24)
                await shows(pilot, words)
                assert "needs 80x24" not in text(app)


async def test_a_screen_that_is_first_shown_too_small_is_whole_when_there_is_room(tmp_path: Path) -> None:
    with busy(tmp_path) as app:
        async with app.run_test(size=(40, 12)) as pilot:
            await until(pilot, lambda: app.opened, "the profiles")
            for mode, words in zip(app.MODES, SEEN.values(), strict=True):
                await pilot.resize_terminal(40, 12)
                await app.switch_mode(mode)
                await until(pilot, lambda: "needs 80x24, is 40x12" in text(app), "the small page")
                await pilot.resize_terminal(80, 24)
                await shows(pilot, words)


async def test_no_key_acts_unseen(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(60, 20)) as pilot:
        await until(pilot, lambda: app.opened, "the profiles")
        await shows(pilot, "needs 80x24, is 60x20")
        await pilot.press("t", "2", "question_mark", "colon", "enter", "n")
        await pilot.pause(0.2)
        assert app.current_mode == "home"
        assert len(app.screen_stack) == 1
        assert not list(folders(str(tmp_path)).jobs.glob("r-*"))
        await pilot.press("q")
        assert app._exit


async def test_a_window_is_of_use_in_a_small_terminal(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.opened, "the profiles")
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, Question), "the question")
        for columns, rows in SIZES:
            await pilot.resize_terminal(columns, rows)
            await pilot.pause()
        await pilot.resize_terminal(20, 8)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, Question)
        await pilot.resize_terminal(60, 20)
        await shows(pilot, "demo-3d-unet")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(app.screen_stack) == 1, "the window closed")


async def test_keys_typed_ahead_close_one_window_once(tmp_path: Path) -> None:
    app = deck(tmp_path)
    answers: list[str | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.opened, "the profiles")
        app.push_screen(Reading("below", "text"))
        app.push_screen(Question("sure?", "", [("no", "no"), ("yes", "yes")]), answers.append)
        await pilot.pause()
        options = app.screen.query_one(OptionList)
        for _ in range(3):
            options.action_select()
        await pilot.pause()
        assert answers == ["no"]
        assert isinstance(app.screen, Reading)
