from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DataError
from tests.tui.deck import deck, shows, until
from tui.app import LOG
from tui.input import InputParser
from tui.screens.palette import Palette


async def test_what_a_worker_raises_is_shown(tmp_path: Path) -> None:
    app = deck(tmp_path)

    def fail() -> None:
        raise DataError("the disk is full", "free some space")

    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await shows(pilot, "recipe demo")
        app.screen.run_worker(fail, thread=True, exit_on_error=False)
        await shows(pilot, "free some space")
        assert app.messages[-1].severity == "error"


async def test_a_bug_leaves_one_line_and_a_traceback_in_a_log(tmp_path: Path) -> None:
    app = deck(tmp_path)

    def fail() -> None:
        raise ZeroDivisionError("a bug")

    async def visit() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "recipe demo")
            app.screen.run_worker(fail, thread=True, exit_on_error=False)
            await until(pilot, lambda: not app.is_running, "the end")

    with pytest.raises(ZeroDivisionError):
        await visit()
    log = tmp_path / "state" / LOG
    assert "ZeroDivisionError: a bug" in log.read_text()
    assert app.exit_messages == [f"a bug ended the screen; jobs continue. Details: {log}"]


async def test_any_text_can_be_copied(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(80, 24)):
        app.copy_to_clipboard("two\nlines of r\udce9sults\x1b[2J")
        assert app.clipboard == "two\nlines of r\\xe9sults[2J"


@pytest.mark.parametrize("keys", ["q2", "q3", "q5", "45q", "m5gq"])
async def test_who_leaves_while_a_screen_opens_just_leaves(tmp_path: Path, keys: str) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "recipe demo")
        driver = app._driver
        assert driver is not None
        for message in InputParser().feed(keys):
            driver.process_message(message)
        await until(pilot, lambda: app._exit, "the end")
        await pilot.pause()
    assert app.return_code == 0
    assert not app.exit_messages


async def test_a_page_in_the_list_of_actions_may_be_turned_before_it_is_drawn(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "recipe demo")
        driver = app._driver
        assert driver is not None
        for message in InputParser().feed(":x\x1b[6~\x1b[5~"):
            driver.process_message(message)
        await pilot.pause()
        await until(pilot, lambda: isinstance(app.screen, Palette), "the list of actions")
