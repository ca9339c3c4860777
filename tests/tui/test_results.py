"""The Results screen at both sizes: list, filter, sort, compare, bars, export, again, vary, and its empty state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from engine.explore import sweep
from engine.explore.history import all_runs
from engine.explore.runs import Run
from engine.jobs import jobs
from engine.survey.prepare import Prepared
from tests.engine.explore import history, pictured
from tests.helpers import folders_in
from tests.tui.deck import SIZES, deck, grid, shows, terminal, text, until
from tui.app import InferdeckApp
from tui.screens.column_chooser import ColumnChooser
from tui.screens.results import ResultsScreen
from tui.screens.varying import Values
from tui.settings import load
from tui.widgets.run_below import RunBelow
from tui.widgets.run_list import RunList, common, day, what
from tui.widgets.run_views import bars, drawn_bar

pytestmark = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with four jobs: two with equal choices, a larger batch with accuracy, an INVALID Server run."""
    folders = folders_in(tmp_path)
    history.job(folders, rate=100.0)
    history.job(folders, rate=102.0)
    history.job(folders, "--max_batch=8", "--modes=performance,accuracy", rate=200.0)
    said = {"result_validity": "INVALID", "result_invalid_reason": "[bold]Reduce\x1b[2J target QPS"}
    history.job(folders, "--scenarios=Server", "--target_qps=50", rate=50.0, log=said)
    return tmp_path


@pytest.fixture
def begun(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Return the commands of the jobs that a sweep would start; none is started."""
    commands: list[tuple[str, ...]] = []

    def begin(prepared: list[Prepared]) -> tuple[jobs.Job, ...]:
        commands.extend(one.command() for one in prepared)
        return tuple(jobs.all_jobs(folders_in(home)))[: len(prepared)]

    monkeypatch.setattr(sweep, "begin_all", begin)
    return commands


async def opened(pilot: Pilot[None]) -> ResultsScreen:
    """Go to the screen and wait for its runs."""
    app = pilot.app
    assert isinstance(app, InferdeckApp)
    await until(pilot, lambda: app.opened, "the workplace")
    await pilot.press("4")
    await until(pilot, lambda: isinstance(app.screen, ResultsScreen) and app.screen.loaded, "the runs")
    assert isinstance(app.screen, ResultsScreen)
    return app.screen


def rows(app: InferdeckApp) -> Iterator[str]:
    """Yield the lines of the list."""
    return (line for line in grid(app) if line.startswith("│") and "/" in line[:30] and line[4:].startswith("r-"))


def flowing(app: InferdeckApp) -> str:
    """Return the screen as one line without frames, for texts that wrap."""
    return " ".join(text(app).replace("│", " ").split())


async def test_nothing_measured_yet_teaches(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await shows(pilot, "Nothing has been measured here yet")
        assert "1 then t" in text(app)
        await pilot.press("c")
        await until(pilot, lambda: bool(app.messages), "a reason")
        assert "1 then t runs a first job" in app.messages[-1].text


async def test_the_list_shows_verdicts_and_what_each_run_has_of_its_own(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await shows(pilot, "INVALID")
        listed = list(rows(app))
        assert [line[4:].split()[0] for line in listed] == [
            "r-0004/Server",
            "r-0003/Offline",
            "r-0002/Offline",
            "r-0001/Offline",
        ]
        assert "target_qps=50" in listed[0]
        assert "max_batch=8" in listed[1]
        assert "patterns-net" not in listed[1]
        assert "patterns-net · onnxruntime 1.32.0 · test" in text(app)
        assert "200.0" in listed[1]
        assert "[bold]Reduce" in text(app), "a log's text is shown as it is"
        assert "\x1b" not in text(app)
        assert screen.header().title == "4 runs"
        await pilot.press("down")
        await shows(pilot, "run  r-0003/Offline")
        assert "accuracy=76.000%" in text(app)


async def test_the_cursor_and_the_marks_stay_when_new_runs_come(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await pilot.press("down", "space")
        history.job(folders_in(home), rate=300.0)
        screen.shown()
        await shows(pilot, "r-0005/Offline")
        runs = screen.query_one(RunList)
        assert runs.marks == ["r-0003/Offline"]
        assert runs.run is not None
        assert runs.run.id == "r-0002/Offline"


async def test_words_filter_and_escape_shows_all(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash")
        assert screen.query_one(Input).has_focus
        await pilot.press(*"offline -max_batch")
        await until(pilot, lambda: [run.id for run in screen.listed()] == ["r-0002/Offline", "r-0001/Offline"], "two")
        assert "runs: 2 of 4" in text(app)
        await pilot.press(*" gpu")
        await shows(pilot, "no run contains all of these words")
        await pilot.press("escape")
        await until(pilot, lambda: len(list(rows(app))) == 4, "all of them")
        assert screen.query_one(RunList).has_focus


async def test_sorting_by_a_column(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await pilot.press("o")
        await shows(pilot, "sort by")
        await pilot.press("down", "enter")
        await shows(pilot, "sorted by samples/s")
        assert [run.job for run in screen.listed()] == ["r-0003", "r-0002", "r-0001", "r-0004"]


async def test_two_runs_side_by_side(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await pilot.press("c")
        await until(pilot, lambda: bool(app.messages), "a reason")
        assert "two or more, 0 marked" in app.messages[-1].text
        await pilot.press("end", "space", "up", "up", "space", "c")
        await shows(pilot, "differences")
        assert "compare  r-0001/Offline → r-0003/Offline" in text(app)
        assert screen.query_one(RunBelow).compared is not None
        shown = text(app)
        assert "max_batch" in shown
        assert "+100 %" in shown
        assert "too few to tell" in shown, "two runs of equal choices"
        assert "runs it for r-0001" in shown
        assert screen.header().title == "2 marked of 4 runs"
        await pilot.press("y")
        assert "max_batch" in app.clipboard
        await pilot.press("escape")
        await shows(pilot, "run  r-0002/Offline")


async def test_a_missing_measurement_goes_to_the_plan(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("a")
        assert "compare two marked runs first" in app.messages[-1].text
        await pilot.press("end", "space", "up", "up", "space", "c")
        await shows(pilot, "differences")
        await pilot.press("a")
        await shows(pilot, "same as: inferdeck run")
        from tui.screens.plan import PlanScreen

        assert isinstance(app.screen, PlanScreen)
        options = app.screen.draft.selection.options
        assert (options["modes"], options["scenarios"]) == ("accuracy", "Offline")


async def test_three_runs_stand_side_by_side(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("end", "space", "up", "space", "up", "up", "space", "c")
        await shows(pilot, "differences")
        assert "compare  r-0001/Offline → r-0002/Offline → r-0003/Offline" in text(app)
        assert "+100 %" in text(app)


async def test_a_chart_of_the_listed_runs(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("g")
        await shows(pilot, "against p99 latency")
        await pilot.press("end", "enter")
        await shows(pilot, "chart  throughput samples/s over dates")
        assert "●" in text(app)
        await pilot.press("escape")
        await shows(pilot, "run  r-0004/Server")


async def test_columns_are_chosen_and_kept(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await pilot.press("t")
        await shows(pilot, "Space marks")
        chooser = app.screen
        assert isinstance(chooser, ColumnChooser)
        chooser.chosen.clear()
        options = chooser.query_one(OptionList)
        options.highlighted = options.get_option_index("batch_mean")
        await pilot.press("space")
        await shows(pilot, "[x] batch samples")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen, "the list")
        assert screen.query_one(RunList).chosen == ("run", "batch_mean", "state")
        assert "batch samples" in text(app)
        assert load(app.place.folders.config).columns == ("run", "batch_mean", "state")


async def test_a_filter_by_columns_and_one_that_is_not_complete(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash", *"samples/s>150")
        await until(pilot, lambda: [run.id for run in screen.listed()] == ["r-0003/Offline"], "one")
        await pilot.press(*" p98<")
        await pilot.press("1")
        await shows(pilot, "there is no column 'p98'")


async def test_bars_of_one_metric_then_the_next(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("b")
        await shows(pilot, "bars begin at 0")
        lines = {line[2:].split()[0]: line.count("█") for line in grid(app) if "█" in line}
        assert lines["r-0004/Server"] > 0
        await pilot.press("down", "space", "space", "b")
        await shows(pilot, "bars  p50" if size[0] < 0 else "bars  ")
        marked = [line for line in grid(app) if "█" in line]
        assert all("r-0004" not in line for line in marked)


@pytest.mark.parametrize(("downs", "suffix"), [(0, ".txt"), (1, ".csv"), (2, ".json"), (3, ".md")])
async def test_an_export_says_where_it_is(home: Path, size: tuple[int, int], downs: int, suffix: str) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("x")
        await shows(pilot, "Write 4 runs as")
        await pilot.press(*["down"] * downs, "enter")
        await until(pilot, lambda: bool(app.messages), "the path")
        path = Path(app.messages[-1].text.splitlines()[-1])
        assert path.suffix == suffix
        assert app.clipboard == str(path)
        written = path.read_text()
        assert "r-0003/Offline" in written.replace("\\", "")
        if suffix == ".json":
            assert len(json.loads(written)) == 4


async def test_the_same_again_goes_to_the_plan(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("down", "r")
        await shows(pilot, "measure Offline 3 times")
        await pilot.press("enter")
        await shows(pilot, "same as: inferdeck run")
        from tui.screens.plan import PlanScreen

        assert isinstance(app.screen, PlanScreen)
        assert app.screen.draft.selection.options["max_batch"] == "8"


async def test_a_scenario_is_repeated(home: Path, size: tuple[int, int], begun: list[tuple[str, ...]]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("down", "r")
        await shows(pilot, "measure Offline 3 times")
        await pilot.press("down", "enter")
        await shows(pilot, "3 jobs, one after another")
        await pilot.press("enter")
        await until(pilot, lambda: len(begun) == 3, "the jobs")
        assert len(set(begun)) == 1
        assert "--scenarios=Offline" in begun[0]


async def test_a_sweep_is_asked_for_step_by_step(
    home: Path, size: tuple[int, int], begun: list[tuple[str, ...]]
) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("down", "v")
        await shows(pilot, "vary one choice")
        options = app.screen.query_one(OptionList)
        titles = [str(options.get_option_at_index(number).id) for number in range(options.option_count)]
        await pilot.press(*["down"] * titles.index("option max_batch"), "enter")
        await until(pilot, lambda: isinstance(app.screen, Values), "the values")
        assert "as measured" in text(app)
        await pilot.press("home", "space", "tab", *"12, 24", "enter")
        await shows(pilot, "3 jobs, one after another")
        assert "in all" in text(app)
        await pilot.press("enter")
        await until(pilot, lambda: len(begun) == 3, "the jobs")
        batches = [next(word for word in words if word.startswith("--max_batch")) for words in begun]
        assert batches == ["--max_batch=2", "--max_batch=12", "--max_batch=24"]
        assert all("--scenarios=Offline" in words for words in begun)
        await until(pilot, lambda: bool(app.messages), "that they have started")
        assert "Started r-" in app.messages[-1].text


async def test_a_value_that_can_not_be_had_says_why(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("v")
        await shows(pilot, "vary one choice")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Values), "the values of the backend")
        assert "not available: there is no PyTorch backend" in flowing(app)
        await pilot.press("escape")
        assert isinstance(app.screen, ResultsScreen)


async def test_a_damaged_run_is_listed_and_can_not_be_varied(home: Path, size: tuple[int, int]) -> None:
    job = history.job(folders_in(home))
    (job / "plan.json").write_text("{")
    for path in job.rglob("provenance.json"):
        path.write_text("{}")
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await shows(pilot, "damaged")
        assert "the job's plan.json can't be read" in flowing(app)
        await pilot.press("v")
        await until(pilot, lambda: bool(app.messages), "a reason")
        assert "are not known" in app.messages[-1].text


async def test_everything_of_a_run_and_the_help(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("down", "enter")
        await shows(pilot, "y copy")
        await pilot.press("y")
        assert "to run it again" in app.clipboard
        assert "made from" in app.clipboard
        await pilot.press("escape", "question_mark")
        await shows(pilot, "Results lists every finished run")


@pytest.mark.parametrize("no_color", [False, True])
async def test_samples_are_drawn_with_truth_and_answer(
    home: Path, size: tuple[int, int], no_color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    folders = folders_in(home)
    [accuracy] = [run for run in all_runs(folders) if run.id == "r-0003/Offline/accuracy"]
    pictured.segmented(Path(accuracy.folder))
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await shows(pilot, "INVALID")
        await pilot.press("p")
        await until(pilot, lambda: bool(app.messages), "a reason")
        assert "r-0004/Server has no accuracy run" in app.messages[-1].text
        await pilot.press("down")
        await shows(pilot, "run  r-0003/Offline")
        await pilot.press("p")
        await shows(pilot, "pictures of r-0003/Offline")
        await shows(pilot, "truth, slice 3")
        lines = [line for line in grid(app) if "▀" in line or "█" in line]
        assert len(lines) > 3
        assert ("█" in "".join(lines)) == no_color
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen), "the list")


async def test_nothing_is_redrawn_while_nothing_changes(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await shows(pilot, "INVALID")
        drawn: list[int] = []
        screen._draw = lambda: drawn.append(1)  # type: ignore[method-assign]
        for _ in range(3):
            screen.shown()
            await until(pilot, lambda: not list(app.workers), "the worker")
        assert drawn == []


def test_what_all_share_is_said_once(size: tuple[int, int]) -> None:
    runs = [
        Run(id=str(batch), job="r", step="s", model="net", style="test", choices={"max_batch": str(batch)})
        for batch in (1, 2)
    ]
    assert common(runs) == ("net", "test")
    assert what(runs[0], common(runs)) == "max_batch=1"
    assert common(runs[:1]) == ()
    assert size


def test_bars_in_every_kind_of_glyph(size: tuple[int, int]) -> None:
    assert drawn_bar(1.0, 10, "block") == "█" * 10
    assert drawn_bar(0.55, 10, "braille") == "█████▌"
    assert drawn_bar(0.5, 10, "ascii") == "#####"
    assert drawn_bar(0.0, 10, "ascii") == "#"
    from engine.explore.metrics import BY_KEY

    runs = [Run(id="a", job="r", step="s"), Run(id="b", job="r", step="s", figures={"accuracy": 0.0})]
    assert "b" in bars(runs, BY_KEY["accuracy"], size[0], terminal().glyphs).plain
    assert "none of these" in bars(runs, BY_KEY["latency_p99"], size[0], "ascii").plain


def test_times_are_written_as_one_thinks_of_them(size: tuple[int, int]) -> None:
    now = history.START
    assert day(now, now).startswith("today")
    assert day(now - 86_400, now).startswith("yest.")
    assert day(now - 10 * 86_400, now) == "2023-11-04"
    assert day(0.0, now) == "-"
    assert size


async def test_a_run_is_pinned_and_compared_with_and_its_job_archived(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        runs = screen.query_one(RunList)
        runs.highlighted = runs.get_option_index("r-0001/Offline")
        await pilot.press("m")
        await until(pilot, lambda: any(run.pinned for run in screen.known), "the pin")
        await shows(pilot, "vs pin")
        runs.highlighted = runs.get_option_index("r-0003/Offline")
        await pilot.press("c")
        await until(pilot, lambda: screen.query_one(RunBelow).compared is not None, "the comparison")
        compared = screen.query_one(RunBelow).compared
        assert compared is not None
        assert [run.id for run in compared.runs] == ["r-0001/Offline", "r-0003/Offline"]
        await pilot.press("escape", "d")
        await shows(pilot, "remove r-0003")
        await pilot.press("down", "enter")
        await until(pilot, lambda: "r-0003" not in {run.job for run in screen.known}, "the list without it")
        assert (home / "state" / "archive" / "r-0003").is_dir()


async def test_tabs_footer_and_headings_are_clicked_and_vi_keys_move(home: Path, size: tuple[int, int]) -> None:
    app = deck(home)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        runs = screen.query_one(RunList)
        first = runs.highlighted
        await pilot.press("j")
        assert runs.highlighted == (first or 0) + 1
        await pilot.press("G")
        assert runs.highlighted == len(runs.runs) - 1
        await pilot.press("k")
        assert runs.highlighted == len(runs.runs) - 2
        heading = grid(app)[2].index("result")
        await pilot.click("#columns", offset=(heading - 2, 0))
        await until(pilot, lambda: screen.sort == "result", "the order")
        line = next(number for number, text_ in enumerate(grid(app)) if "? help" in text_)
        await pilot.click(offset=(grid(app)[line].index("Space mark"), line))
        assert len(runs.marks) == 1
        await pilot.click(offset=(grid(app)[0].index("2 Plan"), 0))
        await until(pilot, lambda: app.current_mode == "plan", "the Plan screen")
