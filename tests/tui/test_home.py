from __future__ import annotations

import time
from pathlib import Path

import pytest
from textual.widgets import OptionList

from engine.jobs import control, jobs
from engine.jobs.start import begin
from engine.plan.selection_syntax import of_recipe
from engine.profile import recipe_files
from engine.store.folders import folders
from engine.survey.prepare import prepare, workplace
from tests.engine.jobs import synthetic
from tests.tui.deck import SIZES, deck, shows, text, until
from tui.screens import home


@pytest.mark.parametrize("size", SIZES)
async def test_home_says_what_can_be_started_and_what_the_machine_lacks(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "recipe demo ")
        await shows(pilot, "nothing yet: t runs a first job here")
        seen = text(app)
        assert "Guided first submission" in seen
        assert "IMAGENET_PATH" in seen, "what is missing comes with its remedy"


@pytest.mark.parametrize("size", SIZES)
async def test_the_help_explains_the_screen_its_keys_and_the_words(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "recipe demo")
        await pilot.press("question_mark")
        await shows(pilot, "Home shows the jobs of this machine")
        await pilot.press("end")
        await shows(pilot, "provisional")
        await pilot.press("escape")
        await shows(pilot, "this machine")


async def test_below_the_smallest_size_it_says_what_it_needs(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(72, 20)) as pilot:
        await shows(pilot, "needs 80x24, is 72x20")
        await pilot.resize_terminal(80, 24)
        await shows(pilot, "Guided first submission")


async def test_how_long_ago_a_job_was_changes_as_time_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "INTERVAL", 0.1)
    job = synthetic.write(folders(str(tmp_path)).jobs, [*synthetic.before(), *synthetic.ticks(3)])
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await shows(pilot, job.id)
        monkeypatch.setattr(time, "time", lambda: job.started + 60)
        await shows(pilot, "1:00 ago")
        options = app.screen.query_one("#jobs", OptionList)
        options.focus()
        monkeypatch.setattr(time, "time", lambda: job.started + 125)
        await shows(pilot, "2:05 ago")
        assert app.focused is options


@pytest.mark.parametrize("size", SIZES)
async def test_a_damaged_job_is_listed_with_the_reason_like_by_the_jobs_command(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    places = folders(str(tmp_path)).jobs
    for number in (1, 3):
        synthetic.write(places, synthetic.before(), number=number)
    (places / "r-0002").mkdir()
    (places / "r-0002" / "job.json").write_text("{")
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "damaged     r-0002")
        options = app.screen.query_one("#jobs", OptionList)
        listed = [options.get_option_at_index(number).id for number in range(options.option_count)]
        assert listed == ["r-0003", "r-0002", "r-0001"], "the newest first, whatever its state"
        options.focus()
        options.highlighted = 1
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.messages), "the reason")
        assert app.messages[-1].text.startswith("r-0002 is damaged: ")
        assert app.current_mode == "home"


async def test_the_palette_finds_actions_and_words(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await shows(pilot, "recipe demo")
        await pilot.press("colon")
        await pilot.press(*"early stop")
        await shows(pilot, "what is: early stopping")
        await pilot.press("enter")
        await pilot.press("enter")
        await shows(pilot, "A statistical test")


async def test_an_error_in_a_profile_is_said_and_kept(tmp_path: Path) -> None:
    own = tmp_path / "config" / "profiles" / "components"
    own.mkdir(parents=True)
    (own / "wrong.yaml").write_text("name: wrong\ntags: [x]\nstpe: a:b\n")
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: bool(app.messages), "a message")
        assert "stpe" in app.messages[0].text
        assert app.messages[0].severity == "error"
        await pilot.press("n")
        assert "still being read" in app.messages[-1].text


@pytest.mark.slow
async def test_a_running_job_stands_first_and_leaving_says_how_to_come_back(tmp_path: Path) -> None:
    place = workplace(str(tmp_path))
    job = begin(
        prepare(place, of_recipe(recipe_files.read(place.catalog.profile(recipe_files.FOLDER, "demo-offline"))))
    )
    try:
        app = deck(tmp_path)
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, job.id)
            await shows(pilot, "● running")
            await pilot.press("q")
        assert app.exit_messages == [f"{job.id} continues; come back with: inferdeck, or: inferdeck attach {job.id}"]
    finally:
        control.cancel(jobs.read(job.folder))
        list(jobs.follow(job))
