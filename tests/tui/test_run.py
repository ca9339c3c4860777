"""The Run screen: a job in every state, at both sizes, watched, left, stopped, frozen, and attached again."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from engine import events
from engine.jobs import control, jobs, places
from engine.jobs.child import file_name
from engine.jobs.event_log import EventReader
from engine.store.files import locked
from engine.store.folders import folders
from engine.watch.diagnosis import step_log
from tests.engine.jobs import profile as small
from tests.engine.jobs import synthetic as made
from tests.tui.deck import SIZES, deck, grid, is_same_grid, same_grid, shows, text, until
from tui.app import InferdeckApp
from tui.screens.dialogs import Question
from tui.screens.file_view import FileView
from tui.screens.run import RunScreen

sized = pytest.mark.parametrize("size", SIZES, ids=("80x24", "120x36"))
SECONDS = 90


def seconds_ago(seen: Sequence[events.AnyEvent], ago: float = 0.0) -> list[events.AnyEvent]:
    """Return the events moved so that the last one was written so long ago."""
    return made.shifted(seen, time.time() - ago - seen[-1].at)


def measuring(seconds: int = SECONDS) -> list[events.AnyEvent]:
    """A log of a run that is in the middle of its measurement."""
    return [*made.before(), *made.ticks(seconds)]


def written(home: Path, seen: Sequence[events.AnyEvent], ago: float = 0.0) -> jobs.Job:
    """Write a job below a home."""
    return made.write(folders(str(home)).jobs, seconds_ago(seen, ago))


@contextmanager
def alive(job: jobs.Job) -> Iterator[jobs.Job]:
    """Hold the lock of the job, as its process does."""
    with locked(job.folder / "run.lock", wait=False) as mine:
        assert mine is not None
        yield job


async def go(pilot: Pilot[None], words: str) -> RunScreen:
    """Go to the Run screen and wait until it shows these words."""
    app = app_of(pilot)
    await until(pilot, lambda: app.opened, "the profiles")
    await pilot.press("3")
    await shows(pilot, words)
    assert isinstance(app.screen, RunScreen)
    return app.screen


async def says(pilot: Pilot[None], words: str) -> None:
    """Wait until a message has these words."""
    await until(pilot, lambda: any(words in one.text for one in app_of(pilot).messages), f"the message '{words}'")


def app_of(pilot: Pilot[None]) -> InferdeckApp:
    assert isinstance(pilot.app, InferdeckApp)
    return pilot.app


def still(lines: list[str]) -> list[str]:
    """Return a screen without what depends on time and machine, all widths kept."""
    found = []
    for line in lines:
        timeless = re.sub(r"(runs +|of 3 steps · )\d:\d\d", r"\1m:ss", re.sub(r"\d\d:\d\d:\d\d", "hh:mm:ss", line))
        found.append(re.sub(r"(cpu|mem|clock|load|this display|temp) .*?(?=│|$)", _blank, timeless))
    return found


def _blank(one: re.Match[str]) -> str:
    return f"{one[1]:{len(one[0])}}"


class TestWaiting:
    async def test_says_for_whom_and_measures_now_when_told_to(self, tmp_path: Path) -> None:
        holder = "r-0012 of ann, measuring since 14:03"
        waiting = events.Waiting(at=made.BEGIN + 2, step=made.MEASURE, holder=holder)
        with alive(written(tmp_path, [*made.before()[:5], waiting])) as job:
            async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
                await go(pilot, f"waits for {holder}")
                await pilot.press("m")
                await until(pilot, (job.folder / places.NOW).exists, "the word to measure now")

    async def test_who_does_not_wait_has_nothing_to_call_off(self, tmp_path: Path) -> None:
        with alive(written(tmp_path, measuring())) as job:
            async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
                await go(pilot, "on course")
                await pilot.press("m")
                await says(pilot, "is not waiting")
                assert not (job.folder / places.NOW).exists()


class TestLive:
    @sized
    async def test_shows_all_of_a_measurement(self, tmp_path: Path, size: tuple[int, int]) -> None:
        with alive(written(tmp_path, measuring())):
            async with deck(tmp_path).run_test(size=size) as pilot:
                await go(pilot, "on course")
                seen = text(app_of(pilot))
                assert "Server performance" in seen
                assert re.search(r"time +1:30/10:00", seen)
                assert re.search(r"queries +35 711/270 336", seen)
                assert "on course: VALID (provisional, LoadGen decides)" in seen
                assert re.search(r"p99 +11\.\d+ +11\.\d+ +15 +ok", seen)
                assert "target 400.0" in seen
                assert "1 of 3 steps" in seen
                assert "2 sessions × 1 thread, batch 8" in seen
                assert "[" not in grid(app_of(pilot))[1]

    @sized
    async def test_its_picture(self, tmp_path: Path, size: tuple[int, int]) -> None:
        # Written a little ahead of the clock, so that a slow machine does not call it quiet.
        with alive(written(tmp_path, measuring(), ago=-60)):
            async with deck(tmp_path).run_test(size=size) as pilot:
                await go(pilot, "on course")
                await shows(pilot, "this display")  # what it costs is known from the second drawing on
                await pilot.press("p")
                await shows(pilot, "view frozen")
                for _ in range(20):  # a slow machine may be frozen before all of it is drawn
                    if is_same_grid(f"run-live-{size[0]}", still(grid(app_of(pilot)))):
                        break
                    await pilot.press("p")
                    await pilot.pause(0.5)
                    await pilot.press("p")
                    await shows(pilot, "view frozen")
                same_grid(f"run-live-{size[0]}", still(grid(app_of(pilot))))

    async def test_follows_what_the_log_says(self, tmp_path: Path) -> None:
        begin = time.time() - SECONDS - 3
        seen = made.shifted([*made.before(), *made.ticks(SECONDS + 10)], begin - made.BEGIN)
        job = made.write(folders(str(tmp_path)).jobs, seen[:-40])
        with alive(job):
            async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
                await go(pilot, "1:30/10:00")
                made.append(job, seen[-40:-20])
                await shows(pilot, "1:35/10:00")
                made.append(job, seen[-20:])
                await shows(pilot, "1:40/10:00")
                made.append(job, made.ending(time.time()))
                await shows(pilot, "401.25")
                await shows(pilot, "finished")

    async def test_tab_goes_through_the_panes_of_a_small_screen(self, tmp_path: Path) -> None:
        with alive(written(tmp_path, measuring())):
            async with deck(tmp_path).run_test(size=(80, 24)) as pilot:
                await go(pilot, "throughput queries/s")
                for words in ("latency ms, last 60 s", "waits", "measuring started", "throughput queries/s"):
                    await pilot.press("tab")
                    await shows(pilot, words)

    async def test_zoom_changes_the_time_of_the_charts(self, tmp_path: Path) -> None:
        with alive(written(tmp_path, measuring())):
            async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
                await go(pilot, "60 s ago")
                await pilot.press("-")
                await shows(pilot, "2 min ago")
                for _ in range(3):
                    await pilot.press("-")
                await shows(pilot, "30 min ago")
                await pilot.press("-")
                await says(pilot, "longest time")
                await pilot.press("+")
                await shows(pilot, "10 min ago")

    async def test_offline_has_no_latencies_over_time(self, tmp_path: Path) -> None:
        rules = made.measuring(scenario="Offline", bound_ns=None, min_queries=24_576, target_unit="samples/s")
        seen = [event for event in measuring() if not isinstance(event, events.Measuring)]
        with alive(written(tmp_path, [*seen[:5], rules, *seen[5:]])):
            async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
                await go(pilot, "throughput samples/s")
                assert "latency ms" not in text(app_of(pilot))
                await shows(pilot, "INVALID (provisional)")
                assert "raise target_qps" in text(app_of(pilot))

    @sized
    async def test_quiet_is_said(self, tmp_path: Path, size: tuple[int, int]) -> None:
        with alive(written(tmp_path, measuring(), ago=8)):
            async with deck(tmp_path).run_test(size=size) as pilot:
                await go(pilot, "quiet 0:")

    @sized
    async def test_preparing_shows_the_steps(self, tmp_path: Path, size: tuple[int, int]) -> None:
        with alive(written(tmp_path, made.before()[:3])):
            async with deck(tmp_path).run_test(size=size) as pilot:
                await go(pilot, "50 B of 100 B")
                seen = text(app_of(pilot))
                assert "nothing stored yet" in seen
                assert re.search(r"waits +Top-1 accuracy · Server", seen)
                assert "throughput" not in seen


class TestFreeze:
    async def test_holds_the_view_and_not_the_job(self, tmp_path: Path) -> None:
        job = written(tmp_path, measuring())
        more = made.shifted(made.ticks(SECONDS + 20)[SECONDS * 4 :], time.time() - made.BEGIN - SECONDS - 3)
        with alive(job):
            async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
                await go(pilot, "1:30/10:00")
                await pilot.press("p")
                await shows(pilot, "view frozen at")
                made.append(job, more)
                before = grid(app_of(pilot))
                await pilot.pause(1.5)
                assert grid(app_of(pilot)) == before
                await pilot.press("p")
                await shows(pilot, "1:50/10:00")
                assert "frozen" not in text(app_of(pilot))


class TestStop:
    @sized
    async def test_asks_and_says_what_is_lost(self, tmp_path: Path, size: tuple[int, int]) -> None:
        with alive(written(tmp_path, measuring())):
            async with deck(tmp_path).run_test(size=size) as pilot:
                await go(pilot, "on course")
                await pilot.press("x")
                await until(pilot, lambda: isinstance(pilot.app.screen, Question), "the question")
                seen = re.sub(r"[│ ]+", " ", text(app_of(pilot)).replace("\n", " "))
                assert "Server performance, 1:30" in seen
                assert "Kept: finished steps: 1, results: 0" in seen
                await pilot.press("escape")
                await shows(pilot, "on course")

    async def test_the_safe_answer_comes_first_and_stops_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stopped: list[str] = []
        monkeypatch.setattr(control, "cancel", lambda job: stopped.append(job.id))
        with alive(written(tmp_path, measuring())):
            async with deck(tmp_path).run_test(size=(80, 24)) as pilot:
                await go(pilot, "on course")
                await pilot.press("x", "enter")
                await shows(pilot, "on course")
                assert stopped == []
                await pilot.press("x", "down", "enter")
                await until(pilot, lambda: stopped == ["r-0001"], "the job to be stopped")


class TestLeave:
    async def test_goes_home_and_says_how_to_come_back(self, tmp_path: Path) -> None:
        with alive(written(tmp_path, measuring())):
            async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
                await go(pilot, "on course")
                await pilot.press("d")
                await says(pilot, "inferdeck attach r-0001")
                assert app_of(pilot).current_mode == "home"
                await go(pilot, "on course")

    async def test_a_killed_screen_is_attached_again(self, tmp_path: Path) -> None:
        job = written(tmp_path, measuring())
        with alive(job):
            first = deck(tmp_path)
            async with first.run_test(size=(120, 36)) as pilot:
                await go(pilot, "1:30/10:00")
            more = made.ticks(SECONDS + 30)[SECONDS * 4 :]
            made.append(job, made.shifted(more, time.time() - more[-1].at))
            async with deck(tmp_path).run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: "r-0001" in text(app_of(pilot)), "the job on Home")
                await until(pilot, lambda: isinstance(pilot.app.focused, OptionList), "its line to be chosen")
                await pilot.press("enter")
                await shows(pilot, "2:00/10:00")
                assert isinstance(pilot.app.screen, RunScreen)


class TestOver:
    @sized
    async def test_finished_shows_the_results_and_where_they_are(self, tmp_path: Path, size: tuple[int, int]) -> None:
        job = written(tmp_path, [*measuring(), *made.ending(made.BEGIN + 96)])
        async with deck(tmp_path).run_test(size=size) as pilot:
            await go(pilot, "401.25 Queries/s VALID")
            seen = text(app_of(pilot))
            assert "3 of 3 steps · 1:37" in seen
            assert "The results are in" in seen
            assert str(job.results) in re.sub(r"[│\s]", "", seen)
            await pilot.press("enter")
            await until(pilot, lambda: app_of(pilot).current_mode == "results", "the Results screen")

    @sized
    async def test_failed_says_what_and_what_to_do(self, tmp_path: Path, size: tuple[int, int]) -> None:
        job = written(tmp_path, [*measuring(), *made.failure(made.BEGIN + 96)])
        log = step_log(job, made.MEASURE)
        log.parent.mkdir()
        log.write_text("loading\n\x1b[31mCannot allocate memory\x07 [red]\n")
        async with deck(tmp_path).run_test(size=size) as pilot:
            await go(pilot, "Measure · Server performance failed")
            seen = text(app_of(pilot))
            assert "the harness ended with status 1" in seen
            assert "use fewer sessions" in seen
            assert "[31mCannot allocate memory [red]" in seen

    @sized
    async def test_died_shows_the_last_lines_and_the_likely_cause(self, tmp_path: Path, size: tuple[int, int]) -> None:
        job = written(tmp_path, measuring(), ago=60)
        log = step_log(job, made.MEASURE)
        log.parent.mkdir()
        log.write_text("".join(f"line {number}\n" for number in range(40)))
        async with deck(tmp_path).run_test(size=size) as pilot:
            await go(pilot, "DIED")
            seen = text(app_of(pilot))
            assert "r-0001 died: its process was killed" in seen
            assert "the memory ran out" in seen
            assert "line 39" in seen
            assert "line 20\n" not in seen

    @sized
    @pytest.mark.parametrize("state", ["finished", "failed", "died"])
    async def test_their_pictures(
        self, tmp_path: Path, size: tuple[int, int], state: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))  # paths on the screen are then the same everywhere
        ends = {"finished": made.ending(made.BEGIN + 96), "failed": made.failure(made.BEGIN + 96), "died": []}
        home = tmp_path / "home"
        written(home, [*measuring(), *ends[state]], ago=60)
        async with deck(home).run_test(size=size) as pilot:
            await go(pilot, state.upper() if state != "finished" else state)
            await until(pilot, lambda: "Tab next" in text(app_of(pilot)), "the keys")
            await pilot.pause(0.3)
            same_grid(f"run-{state}-{size[0]}", still(grid(app_of(pilot))))

    async def test_r_goes_on_with_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        job = written(tmp_path, measuring(), ago=60)
        begun: list[Path] = []

        def launch(folder: Path, _: object) -> None:
            begun.append(folder)
            made.append(job, [made.launch(time.time(), resumed=True)])

        monkeypatch.setattr(control, "launch", launch)
        async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
            await go(pilot, "DIED")
            await pilot.press("r")
            await until(pilot, lambda: begun == [job.folder], "the job to be started")
            await until(pilot, lambda: "DIED" not in text(app_of(pilot)), "the job to live")
            await shows(pilot, "the job was resumed")

    async def test_what_is_over_is_not_drawn_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        written(tmp_path, [*measuring(), *made.ending(made.BEGIN + 96)])
        async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
            screen = await go(pilot, "401.25")
            await pilot.pause(0.5)
            drawn: list[object] = []
            monkeypatch.setattr(screen.cockpit, "draw_numbers", drawn.append)
            await pilot.pause(1.5)
            assert drawn == []


class TestEmpty:
    @sized
    async def test_teaches(self, tmp_path: Path, size: tuple[int, int]) -> None:
        async with deck(tmp_path).run_test(size=size) as pilot:
            await go(pilot, "No job has run here yet")
            seen = text(app_of(pilot))
            assert "choose model, backend and scenarios" in seen
            await pilot.press("x")
            await says(pilot, "there is no job yet")


class TestSteps:
    async def test_enter_shows_the_log_of_the_step_under_the_cursor(self, tmp_path: Path) -> None:
        job = written(tmp_path, measuring())
        log = step_log(job, made.MODEL)
        log.parent.mkdir()
        log.write_text("fetched [bold]it\n")
        with alive(job):
            async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
                screen = await go(pilot, "on course")
                screen.cockpit.steps.focus()
                await pilot.press("up", "enter")
                await shows(pilot, "fetched [bold]it")
                assert isinstance(pilot.app.screen, FileView)

    async def test_files_are_followed_searched_and_changed(self, tmp_path: Path) -> None:
        job = written(tmp_path, measuring())
        log = step_log(job, made.MEASURE)
        log.parent.mkdir()
        log.write_text("".join(f"line {number}\n" for number in range(200)))
        summary = job.folder / "steps" / file_name(made.MEASURE) / "output" / "mlperf_log_summary.txt"
        summary.parent.mkdir(parents=True)
        summary.write_text("Result is : \x1b[2JVALID\n")
        with alive(job):
            async with deck(tmp_path).run_test(size=(80, 24)) as pilot:
                await go(pilot, "on course")
                await pilot.press("l")
                await shows(pilot, "line 199")
                with log.open("a") as more:
                    more.write("one more\n")
                await shows(pilot, "one more")
                await pilot.press("slash", *"line 15", "enter")
                await until(pilot, lambda: "line 15 " in text(app_of(pilot)) + " ", "the hit")
                await pilot.press("n")
                await shows(pilot, "line 150")
                await pilot.press("f")
                await shows(pilot, "Result is : [2JVALID")
                assert "mlperf_log_summary.txt (2 of 2)" in text(app_of(pilot))
                await pilot.press("y")
                assert app_of(pilot).clipboard == str(summary)
                await pilot.press("escape")
                await until(pilot, lambda: isinstance(app_of(pilot).screen, RunScreen), "the job")

    async def test_l_shows_the_log_of_the_running_step(self, tmp_path: Path) -> None:
        job = written(tmp_path, measuring())
        log = step_log(job, made.MEASURE)
        log.parent.mkdir()
        log.write_text("LoadGen speaks\n")
        with alive(job):
            async with deck(tmp_path).run_test(size=(80, 24)) as pilot:
                await go(pilot, "on course")
                await pilot.press("l")
                await shows(pilot, "LoadGen speaks")

    async def test_enter_on_the_events_shows_all(self, tmp_path: Path) -> None:
        warned = [events.Warned(at=made.BEGIN + 3, step=made.MEASURE, text=f"warning {n}") for n in range(20)]
        with alive(written(tmp_path, [*made.before(), *warned, *made.ticks(5)])):
            async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
                screen = await go(pilot, "warning 19")
                assert "warning 3" not in text(app_of(pilot))
                screen.cockpit.events.focus()
                await pilot.pause()
                await pilot.press("enter")
                await shows(pilot, "warning 10")


class TestRealJob:
    @pytest.fixture
    def profile(self, tmp_path: Path) -> Path:
        return small.write(tmp_path / "profile")

    def start(self, profile: Path, home: Path, **options: str) -> jobs.Job:
        given = {"diary": str(home / "diary.log"), **options}
        home.mkdir(exist_ok=True)
        spec, _ = small.spec_of(profile, home / "results", **given)
        return small.start(folders(str(home)), spec)

    @sized
    async def test_is_watched_to_its_end(self, tmp_path: Path, profile: Path, size: tuple[int, int]) -> None:
        home = tmp_path / "home"
        self.start(profile, home, pieces="2500")
        async with deck(home).run_test(size=size) as pilot:
            await go(pilot, "of 2 500 pieces")
            await shows(pilot, "finished")
            await shows(pilot, "steps ·")

    async def test_stopped_continued_killed_and_found_dead(self, tmp_path: Path, profile: Path) -> None:
        home = tmp_path / "home"
        job = self.start(profile, home, mode="hang")
        try:
            async with deck(home).run_test(size=(80, 24)) as pilot:
                await go(pilot, "r-0001")
                await until(pilot, lambda: "runs " in text(app_of(pilot)), "a step")
                await pilot.press("x", "down", "enter")
                await shows(pilot, "It was stopped.")
                await pilot.press("r")
                await until(pilot, lambda: "It was stopped." not in text(app_of(pilot)), "the job to go on")
                assert jobs.read(job.folder).state == "running"
                os.kill(_pid(job), signal.SIGKILL)
                await shows(pilot, "r-0001 died: its process was killed")
        finally:
            if jobs.read(job.folder).state == "running":
                control.cancel(jobs.read(job.folder))


def _pid(job: jobs.Job) -> int:
    said = EventReader(job.events).read(ticks=False)
    return [event.pid for event in said if isinstance(event, events.Launch)][-1]


async def test_y_copies_the_figures_as_text(tmp_path: Path) -> None:
    job = written(tmp_path, measuring())
    with alive(job):
        async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
            await go(pilot, "on course")
            await pilot.press("y")
            await says(pilot, "copied")
            copied = pilot.app.clipboard
            assert re.search(r"p99 +11\.\d+ +11\.\d+ +15 +ok", copied)
            assert "on course: VALID (provisional" in copied
            assert str(job.folder) in copied


async def test_why_a_key_does_nothing_is_said(tmp_path: Path) -> None:
    written(tmp_path, [*measuring(), *made.ending(made.BEGIN + 96)])
    async with deck(tmp_path).run_test(size=(120, 36)) as pilot:
        await go(pilot, "401.25")
        for key, words in (("x", "is not running"), ("r", "runs it again"), ("-", "no charts now")):
            await pilot.press(key)
            await says(pilot, words)


@sized
async def test_no_color_and_ascii(tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with alive(written(tmp_path, measuring())):
        app = deck(tmp_path)
        async with app.run_test(size=size) as pilot:
            await go(pilot, "on course")
            await pilot.press("tab", "tab", "x")
            await until(pilot, lambda: isinstance(app.screen, Question), "the question")
