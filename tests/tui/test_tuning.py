"""The table of a tuning on the Run screen: its picture at both sizes, what is chosen and dropped, without colours."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from engine import events
from engine.explore.tuning import TuningReport, of_job
from engine.store.folders import Folders, folders
from tests.engine.explore import history, tuned_jobs
from tests.tui.deck import SIZES, deck, shows, text, until
from tui.app import InferdeckApp
from tui.screens.run import RunScreen
from tui.screens.tuning import TuningWindow
from tui.widgets.tuning import drawn

sized = pytest.mark.parametrize("size", SIZES, ids=("80x24", "120x36"))


@pytest.fixture
def places(tmp_path: Path) -> Folders:
    return folders(str(tmp_path))


def report(places: Folders) -> TuningReport:
    """Read a job that tuned."""
    found = of_job(tuned_jobs.job(places).spec, places)
    assert found is not None
    return found


async def go(pilot: Pilot[None], words: str = "finished") -> InferdeckApp:
    """Go to the Run screen and wait until it shows the job."""
    app = pilot.app
    assert isinstance(app, InferdeckApp)
    await until(pilot, lambda: app.opened, "the profiles")
    await pilot.press("3")
    await shows(pilot, words)
    assert isinstance(app.screen, RunScreen)
    return app


def lines_of(app: InferdeckApp) -> list[str]:
    """Return the lines of the window's table as they are on the screen, without frames."""
    return [part.strip() for line in text(app).splitlines() for part in line.split("│") if part.strip()]


@sized
async def test_t_shows_every_way_and_what_was_chosen(tmp_path: Path, places: Folders, size: tuple[int, int]) -> None:
    tuned_jobs.job(places)
    file = tuned_jobs.write_system(places)
    async with deck(tmp_path).run_test(size=size) as pilot:
        app = await go(pilot)
        assert "t tuning" in text(app)
        await pilot.press("t")
        await shows(pilot, "chosen for")
        assert isinstance(app.screen, TuningWindow)
        lines = lines_of(app)
        ways = [line for line in lines if line.startswith(("1 × 2 ", "2 × 1 "))]
        assert [line.split()[-1] for line in ways[:3]] == ["Single", "early", "Multi"]
        assert ways[4].split()[3:5] == ["8", "yes"]
        assert ways[4].endswith("Server Offline")
        bars = [line.count("█") for line in ways]
        assert bars[4] == max(bars) >= 10
        assert bars[0] == pytest.approx(bars[4] / 5, abs=1)
        assert all(len(line) <= size[0] - 8 for line in ways)
        await pilot.press("end")
        await shows(pilot, "saved in")
        seen = " ".join(lines_of(app))
        assert "queue delay 0.75 ms, pinned 420.5 queries/s within 15 ms" in " ".join(seen.split())
        assert "onnxruntime 1.32.0" in seen
        assert str(file) in seen.replace(" ", "")
        await pilot.press("y")
        assert "Server Offline" in app.clipboard
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the Run screen")


async def test_it_is_drawn_anew_for_another_size(tmp_path: Path, places: Folders) -> None:
    tuned_jobs.job(places)
    async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
        app = await go(pilot)
        await pilot.press("t")
        await shows(pilot, "chosen for")
        wide = str(app.screen.query_one("#ways", Static).content).count("█")
        await pilot.resize_terminal(80, 24)
        await until(
            pilot, lambda: str(app.screen.query_one("#ways", Static).content).count("█") < wide, "the shorter bars"
        )


async def test_a_quick_look_says_what_it_is(tmp_path: Path, places: Folders) -> None:
    tuned_jobs.job(places, history.TAGS, outcome="built")
    async with deck(tmp_path).run_test(size=(80, 24)) as pilot:
        await go(pilot)
        await pilot.press("t")
        await shows(pilot, "quick measurement; inferdeck tune takes minutes")


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
async def test_without_a_table_the_reason_is_said(tmp_path: Path, places: Folders, outcome: events.Outcome) -> None:
    tuned_jobs.job(places, outcome=outcome)
    async with deck(tmp_path).run_test(size=(80, 24)) as pilot:
        app = await go(pilot)
        await pilot.press("t")
        await until(pilot, lambda: any("has not finished" in one.text for one in app.messages), "why there is no table")


async def test_a_table_that_was_removed_is_said_to_be_gone(tmp_path: Path, places: Folders) -> None:
    tuned_jobs.job(places, tuned=None)
    async with deck(tmp_path).run_test(size=(80, 24)) as pilot:
        app = await go(pilot)
        await pilot.press("t")
        await until(pilot, lambda: any("not have that table" in one.text for one in app.messages), "that it is gone")


def test_where_room_is_short_the_scenarios_are_cut_and_the_bars_stay(places: Folders) -> None:
    found = report(places)
    narrow, wide = drawn(found, 64, "braille").plain, drawn(found, 100, "braille").plain
    assert "Ser Off" in narrow
    assert "Server Offline" in wide
    for shown, width in ((narrow, 64), (wide, 100)):
        ways = [line for line in shown.splitlines() if line.startswith(("1 × 2 ", "2 × 1 "))]
        assert len(ways) == len(tuned_jobs.TABLE)
        assert max(map(len, ways)) <= width
        assert all(set("█▏▎▍▌▋▊▉") & set(line) for line in ways)
    assert "no run configuration" not in narrow
    assert "does not have it" in narrow


def test_ascii_has_no_blocks(places: Folders) -> None:
    shown = drawn(report(places), 70, "ascii").plain
    assert "#" * 10 in shown
    assert not set("█▏▎▍▌▋▊▉") & set(shown)


def test_what_was_dropped_is_dim_and_what_was_chosen_is_bold(places: Folders) -> None:
    shown = drawn(report(places), 100, "braille")
    dropped = next(line for line in shown.split("\n") if line.plain.rstrip().endswith("dropped early"))
    chosen = next(line for line in shown.split("\n") if line.plain.rstrip().endswith("Server Offline"))
    assert {str(span.style) for span in dropped.spans} == {"$dim"}
    assert "bold" in {str(span.style) for span in chosen.spans}


@sized
async def test_no_color(
    tmp_path: Path, places: Folders, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    tuned_jobs.job(places)
    async with deck(tmp_path).run_test(size=size) as pilot:
        await go(pilot)
        await pilot.press("t")
        await shows(pilot, "dropped early")
