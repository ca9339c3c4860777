"""The guided submission on the screen: from Home to a checked folder, resumed by another app, fixed and explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from engine.guide import actions
from engine.submission import user_systems
from tests.engine.guide.driver import SYSTEM, GuideDriver
from tests.engine.submission.base_tree import SYSTEMS, write_system
from tests.tui.deck import SIZES, deck, grid, same_grid, shows, text, until
from tui.app import InferdeckApp
from tui.screens.checked_tree import CheckedTree
from tui.screens.submit import SubmitScreen
from tui.widgets.findings import FindingsTree
from tui.widgets.form import FormList


def guide(app: InferdeckApp) -> SubmitScreen:
    """Return the guide's screen."""
    found = next(one for one in app.screen_stack if isinstance(one, SubmitScreen))
    assert isinstance(found, SubmitScreen)
    return found


def state(app: InferdeckApp, name: str) -> str:
    """Return the state of a step as the screen knows it."""
    return next((step.state for step in guide(app).steps if step.name == name), "")


async def opened(pilot: Pilot[None]) -> InferdeckApp:
    """Open the guide from Home."""
    app = pilot.app
    assert isinstance(app, InferdeckApp)
    await until(pilot, lambda: app.opened, "the profiles")
    await pilot.press("g")
    await until(pilot, lambda: isinstance(app.screen, SubmitScreen) and bool(guide(app).steps), "the steps")
    return app


async def stand_on(pilot: Pilot[None], number: int) -> None:
    """Put the cursor on a step."""
    app = pilot.app
    assert isinstance(app, InferdeckApp)
    guide(app).query_one("#steps", OptionList).highlighted = number - 1
    await until(pilot, lambda: guide(app).step.number == number, f"the cursor on step {number}")


def anywhere(app: InferdeckApp, home: Path) -> list[str]:
    """Return the screen without the lines that name this test's own folder."""
    return [line for line in grid(app) if str(home)[:20] not in line]


@pytest.fixture
def finished(tmp_path: Path) -> GuideDriver:
    """A guide whose runs are done and whose tree is built."""
    driver = GuideDriver(tmp_path)
    driver.choose()
    driver.describe(**dict.fromkeys(_MACHINE, "x"), number_of_nodes="1", system_name="")
    driver.measure()
    driver.build()
    return driver


_MACHINE = (
    "host_processor_frequency",
    "host_processor_caches",
    "host_memory_capacity",
    "host_storage_capacity",
    "framework",
    "operating_system",
    "other_software_stack",
)


@pytest.mark.slow
async def test_from_home_to_a_checked_submission_of_the_demo_with_another_app_in_the_middle(tmp_path: Path) -> None:
    first = deck(tmp_path)
    async with first.run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await shows(pilot, "Step 1 of 9")
        await pilot.press("enter")
        await shows(pilot, "whose rules apply")
        await pilot.press("enter")
        await shows(pilot, "every step for real")
        await pilot.press("enter")
        await shows(pilot, "continue with step 2")
        await pilot.press("enter")
        await shows(pilot, "Step 2 of 9")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, FormList), "the form")
        await until(pilot, lambda: guide(app).overview is not None and guide(app).there.written, "the file")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, Input), "the line to write in")
        await pilot.press(*"a/b")
        await shows(pilot, "can't be the name of a folder")
        await pilot.press("enter")
        await shows(pilot, "can't be the name of a folder")
        await pilot.press("backspace", "backspace", "backspace", *"Acme", "enter")
        await shows(pilot, "continue with step 3")
        await pilot.press("enter")
        await until(pilot, lambda: state(app, "get") == "now", "step 3")
        await pilot.press("enter")
        await until(pilot, lambda: state(app, "get") == "done", "model and data")
        assert state(app, "try") == "now"
    second = deck(tmp_path)
    async with second.run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await shows(pilot, "Step 4 of 9")
        await pilot.press("k")
        await shows(pilot, "Step 5 of 9")
        await shows(pilot, "expected: this is a practice run")
        await pilot.press("enter", "end", "enter")
        await shows(pilot, "Step 6 of 9")
        await shows(pilot, "SingleStream")
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "run", "the Run screen")
        await pilot.press("5")
        await until(pilot, lambda: state(app, "runs") in ("running", "done"), "the runs")
        await until(pilot, lambda: state(app, "runs") == "done", "the end of the runs")
        await until(pilot, lambda: guide(app).overview is not None and guide(app).there.report is not None, "the check")
        report = guide(app).there.report
        assert report is not None
        assert len(report.results) == 3
        assert report.round == "v6.1", "the newest"
        unfit = {one.rule for one in report.findings if one.severity == "error"} - {"performance.validity"}
        assert unfit == {"performance.min_duration", "accuracy.data_set"}, "this round refuses short runs"
        await stand_on(pilot, 7)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, FindingsTree), "the findings")
        await shows(pilot, "expected: runs of the style test are short")


@pytest.mark.parametrize("size", SIZES)
async def test_a_first_look_at_the_guide(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await shows(pilot, "Step 1 of 9")
        same_grid(f"submit-begin-{size[0]}", anywhere(app, tmp_path))
        await pilot.press("enter")
        await shows(pilot, "whose rules apply")
        await pilot.press("enter")
        await shows(pilot, "real model on 20 photographs")
        await pilot.press("escape", "b", "w")
        await shows(pilot, "A practice does everything for real")


@pytest.mark.parametrize("size", SIZES)
async def test_every_benchmark_is_offered_with_its_backends_and_a_wrong_folder_is_refused_while_it_is_typed(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    driver = GuideDriver(tmp_path)
    driver.choose()
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await stand_on(pilot, 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, FormList), "the form")

        async def edit(name: str, words: str) -> None:
            guide(app).query_one(FormList).put_on(name)
            await pilot.press("enter")
            await shows(pilot, words)

        async def choose(value: str) -> None:
            listed = app.focused
            assert isinstance(listed, OptionList)
            listed.highlighted = listed.get_option_index(value)
            await pilot.press("enter")

        await edit("benchmark", "speech recognition on LibriSpeech")
        await choose("rnnt")
        await until(pilot, lambda: guide(app).there.guide.benchmark == "rnnt", "the benchmark")
        await edit("backend", "not available: has no graph of rnnt")
        await choose("openvino")
        await until(pilot, lambda: guide(app).there.guide.backend == "openvino", "the framework")
        await edit("precision", "not available: app-mlperf-inference")
        await choose("bf16")
        await until(pilot, lambda: guide(app).there.guide.precision == "bf16", "the precision")
        await edit("offer", "a result to submit")
        await choose("real")
        await until(pilot, lambda: guide(app).there.guide.offer == "real", "the kind")
        await edit("data", "dev-clean and its manifest are fetched")
        await pilot.press(*"/nowhere")
        await shows(pilot, "no such folder: /nowhere")
        await pilot.press("enter")
        assert isinstance(app.focused, Input), "a wrong folder is not accepted"
        await pilot.press("escape")
        await edit("results", "where logs, tree and zip go")
        line = app.focused
        assert isinstance(line, Input)
        line.value = str(tmp_path / "mine")
        await pilot.press("enter")
        await until(pilot, lambda: guide(app).there.guide.results == str(tmp_path / "mine"), "the folder")
        assert "mine" in guide(app).steps[7].output
        await pilot.press("escape")
        await stand_on(pilot, 8)
        await pilot.press("w")
        await shows(pilot, "Output: ")


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_finished_elsewhere_is_shown_with_its_findings(
    finished: GuideDriver, size: tuple[int, int]
) -> None:
    app = deck(finished.home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await stand_on(pilot, 7)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, FindingsTree), "the findings")
        await shows(pilot, "3 of 3 results pass")
        await shows(pilot, "system.field_empty")
        await shows(pilot, "e edit system_name")
        same_grid(f"submit-check-{size[0]}", anywhere(app, finished.home))
        await pilot.press("enter")
        await shows(pilot, "no required field is empty")
        await pilot.press("escape")
        tree = guide(app).query_one(FindingsTree)
        while tree.annotated is None or tree.annotated.finding.rule != "system.field_empty":
            await pilot.press("down")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.focused, FormList), "the form")
        await until(pilot, lambda: guide(app).query_one(FormList).field is not None, "a field")
        field = guide(app).query_one(FormList).field
        assert field is not None
        assert field.name == "system_name", "the form opens on the field that the finding names"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, Input), "the line to write in")
        await pilot.press(*"My box", "enter")
        await until(pilot, lambda: guide(app).there.stale != "", "the tree to be old")
        read = user_systems.read(finished.reader.place.folders.profiles, SYSTEM)
        assert read is not None
        assert read.description["system_name"] == "My box"
        await pilot.press("escape")
        actions.have_read(finished.overview())
        await stand_on(pilot, 7)
        guide(app).look()
        await until(pilot, lambda: state(app, "check") != "done", "the check to be open again")


@pytest.mark.parametrize("size", SIZES)
async def test_the_zip_is_shown_and_its_path_copied(finished: GuideDriver, size: tuple[int, int]) -> None:
    app = deck(finished.home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await stand_on(pilot, 8)
        await shows(pilot, "submission.zip")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard.endswith("submission.zip"), "the copied path")
        assert "submission.zip" in app.messages[-1].text


@pytest.mark.parametrize("size", SIZES)
async def test_a_submission_folder_of_anybody_is_checked(finished: GuideDriver, size: tuple[int, int]) -> None:
    tree = finished.overview().tree
    (tree / "open" / "Acme" / "systems" / f"{SYSTEM}.json").write_text("{")
    app = deck(finished.home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.focused, Input), "the line to write in")
        await pilot.press(*"/nowhere")
        await shows(pilot, "there is no such folder")
        field = app.focused
        assert isinstance(field, Input)
        field.value = str(tree)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CheckedTree), "the folder's screen")
        await shows(pilot, "system.json")
        await shows(pilot, "fail")
        assert "e edit" not in text(app), "another's description is not edited here"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SubmitScreen), "the guide")


async def test_a_folder_is_truncated_whatever_is_in_its_files(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write_system(tree, SYSTEMS["open"])
    for log in tree.rglob("accuracy/mlperf_log_accuracy.json"):
        log.write_bytes(b"{" * 20_000)
    accuracy = next(tree.rglob("accuracy/accuracy.txt"))
    accuracy.write_bytes(b"r\xe9sum\xe9\n" + accuracy.read_bytes().partition(b"hash=")[0])
    app = deck(tmp_path / "home")
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await app.push_screen(CheckedTree(tree))
        await shows(pilot, "accuracy.text")
        await pilot.press("t")
        await shows(pilot, "4,096 bytes. ")
        await shows(pilot, "Whole copies go to")
        await pilot.press("down", "enter")
        await until(pilot, lambda: b"hash=" in accuracy.read_bytes(), "the hash")
        assert accuracy.read_bytes().startswith(b"r\xe9sum\xe9\n")
        accuracy.unlink()
        accuracy.symlink_to("/etc/hostname")
        await pilot.press("t")
        await shows(pilot, "cancel")
        await pilot.press("down", "enter")
        await until(pilot, lambda: "is a link" in app.messages[-1].text, "the reason")


async def test_in_a_narrow_terminal_space_looks_at_what_there_is_of_a_step(finished: GuideDriver) -> None:
    app = deck(finished.home)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await stand_on(pilot, 6)
        assert "MultiStream" not in text(app)
        await pilot.press("space")
        await shows(pilot, "MultiStream")
        await pilot.press("b")
        await shows(pilot, "Step 6 of 9")


async def test_an_action_that_cannot_be_done_says_why(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await stand_on(pilot, 6)
        await pilot.press("enter")
        assert app.messages[-1].text == "step 1 comes first"
        for key, words in (("k", "can't be skipped"), ("e", "no field to edit"), ("r", "nothing to run here")):
            await pilot.press(key)
            assert words in app.messages[-1].text
        await pilot.press("question_mark")
        await shows(pilot, "Nothing is sent")


async def test_several_submissions_stand_beside_each_other(finished: GuideDriver) -> None:
    app = deck(finished.home)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await shows(pilot, "first: practice")
        await pilot.press("n")
        await shows(pilot, "resume first")
        await pilot.press("down", "enter")
        await shows(pilot, "submission-2 submission")
        assert state(app, "offer") == "now"


async def test_text_from_files_is_never_markup(finished: GuideDriver) -> None:
    finished.describe(cooling="[bold]x[/] \x1b[31m")
    app = deck(finished.home)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await stand_on(pilot, 2)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, FormList), "the form")
        guide(app).query_one(FormList).put_on("cooling")
        await shows(pilot, "[bold]x[/] [31m")
