"""Watching a job: the same state however the events are batched, and the job's status."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import events
from engine.jobs.fold import Fold, Watched
from engine.store.files import locked
from engine.watch import watch
from engine.watch.watch import Watch, job_status
from tests.engine.jobs import synthetic as made

WHOLE = [*made.before(), *made.ticks(40), *made.ending(made.BEGIN + 44)]


def folded(seen: Sequence[events.AnyEvent]) -> Watched:
    fold = Fold(made.TITLES)
    fold.take(seen)
    return fold.state()


@given(st.lists(st.integers(0, len(WHOLE)), max_size=8))
def test_any_portions_give_the_same_state(cuts: list[int]) -> None:
    fold, whole = Fold(made.TITLES), Fold(made.TITLES)
    whole.take(WHOLE)
    edges = [0, *sorted(cuts), len(WHOLE)]
    for begin, end in pairwise(edges):
        fold.take(WHOLE[begin:end])
        fold.state()
        fold.window.points(5, 60)
    assert fold.state() == whole.state()
    for seconds in (1, 2, 5, 30):
        assert fold.window.points(seconds, 60) == whole.window.points(seconds, 60)


def test_the_steps_stand_in_the_order_of_the_plan() -> None:
    state = folded([*made.before(), *made.ticks(2)])
    assert [(step.title, step.state) for step in state.steps] == [
        ("Model", "built"),
        ("Measure · Server performance", "runs"),
        ("Top-1 accuracy · Server", "waits"),
    ]
    assert state.steps[1].phase == "measure"
    assert state.steps[0].seconds == 2.0
    assert [step.id for step in state.running] == [made.MEASURE]
    assert state.ended == 1


def test_the_measurement_tells_now_and_the_whole_run() -> None:
    slow = [*made.before(), *made.ticks(20, rate=100, latency_ms=4)]
    later = made.ticks(30, rate=400, latency_ms=9)[80:]
    base = slow[-1]
    assert isinstance(base, events.Tick)
    fold = Fold(made.TITLES)
    fold.take(slow)
    before = fold.state().measurement
    assert before is not None
    assert before.now.rate == pytest.approx(100, rel=0.05)
    assert before.whole.rate == pytest.approx(100, rel=0.05)
    fold.take(later)
    after = fold.state().measurement
    assert after is not None
    median, whole_median = after.now.latency(0.5), after.whole.latency(0.5)
    assert median is not None
    assert whole_median is not None
    assert median / 1e6 == pytest.approx(9, rel=0.05)
    assert 4 <= whole_median / 1e6 < 9
    assert after.elapsed == 30
    assert not after.over


def test_a_result_ends_the_measurement_and_is_kept() -> None:
    state = folded(WHOLE)
    assert state.measurement is not None
    assert state.measurement.over
    assert state.measurement.result is not None
    assert state.measurement.result.value == 401.25
    assert [(one.scenario, one.mode) for one in state.results] == [("Server", "performance")]
    assert any("401.25 Queries/s VALID" in note.text for note in state.notes)


def test_going_on_sets_the_steps_back_and_keeps_the_results() -> None:
    state = folded([*WHOLE, made.launch(made.BEGIN + 90, resumed=True)])
    assert {step.state for step in state.steps} == {"waits"}
    assert len(state.results) == 1
    assert state.done is None


def test_ticks_of_another_step_are_not_mixed_in() -> None:
    state = folded([*made.before(), *made.ticks(2), *made.ticks(9, step="other")])
    assert state.measurement is not None
    assert state.measurement.elapsed == 2


def test_outside_text_holds_no_control_characters() -> None:
    evil = "\x1b[31mred\x07"
    state = folded(
        [
            events.StepStarted(at=1, step="x", title=evil, why=evil),
            events.Phase(at=1, step="x", name=evil),
            events.Warned(at=1, step="x", text=evil),
            events.StepEnded(at=2, step="x", outcome="failed", seconds=1, text=evil, remedy=evil),
        ]
    )
    said = "".join([*(note.text for note in state.notes), *(f"{step}" for step in state.steps)])
    assert "\x1b" not in said
    assert "\x07" not in said


class TestLateReader:
    @pytest.mark.parametrize("seconds", [60, 700])
    def test_sees_the_same_as_one_who_was_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
    ) -> None:
        seen = [*made.before(), *made.ticks(seconds, rate=40)]
        job = made.write(tmp_path, seen)
        there = Watch(job)
        assert not there.behind
        monkeypatch.setattr(watch, "LONG_LOG", 1000)
        monkeypatch.setattr(watch, "TAIL", 20_000)
        monkeypatch.setattr(watch, "PIECE", 30_000)
        late = Watch(job)
        first, known = late.poll(), there.poll()
        assert first.steps == known.steps
        assert first.notes == known.notes
        assert first.measurement is not None
        assert known.measurement is not None
        assert first.measurement.elapsed == known.measurement.elapsed
        assert first.measurement.completed == known.measurement.completed
        assert first.measurement.now == known.measurement.now
        assert not first.measurement.whole.latencies, "what is not known yet is not shown"
        newest, all_newest = late.points(1, 5), there.points(1, 5)
        assert newest[1:] == all_newest[1:]
        more = made.ending(made.BEGIN + seconds + 3)
        made.append(job, more[:1])
        late.poll()
        while late.behind:
            late.catch_up()
        assert late.poll() == there.poll()
        made.append(job, more[1:])
        assert late.poll() == there.poll()
        assert late.points(10, 60) == there.points(10, 60)

    def test_nothing_new_is_the_same_object(self, tmp_path: Path) -> None:
        late = Watch(made.write(tmp_path, WHOLE))
        assert late.poll() is late.poll()


class TestStanding:
    AT = made.BEGIN + 13.0

    def test_live_and_quiet(self) -> None:
        state = folded([*made.before(), *made.ticks(10)])
        assert job_status(state, self.AT + 4, alive=True) == "live"
        assert job_status(state, self.AT + 6, alive=True) == "quiet"

    def test_a_step_that_does_not_tick_is_not_quiet(self) -> None:
        assert job_status(folded(made.before()), self.AT + 60, alive=True) == "live"

    def test_over(self) -> None:
        assert job_status(folded(WHOLE), self.AT, alive=False) == "finished"
        failed = folded([*made.before(), *made.failure(self.AT)])
        assert job_status(failed, self.AT, alive=False) == "failed"
        assert failed.failed[0].remedy == "use fewer sessions"

    def test_died_and_not_begun(self) -> None:
        assert job_status(folded(made.before()), self.AT, alive=False) == "died"
        assert job_status(folded([]), self.AT, alive=False) == "new"

    def test_the_lock_tells_whether_it_lives(self, tmp_path: Path) -> None:
        late = Watch(made.write(tmp_path, made.before()))
        late.poll()
        with locked(late.job.folder / "run.lock", wait=False):
            assert late.job_status(self.AT + 60) == "live"
        assert late.job_status(self.AT + 60) == "died"


HOLDER = "r-0012 of ann, measuring since 14:03"
WAITING = [*made.before()[:5], events.Waiting(at=made.BEGIN + 2.5, step=made.MEASURE, holder=HOLDER)]


def test_a_step_that_waits_says_for_whom_and_counts_from_when_it_goes_on() -> None:
    state = folded(WAITING)
    assert state.waits
    assert state.running[0].phase == f"waits for {HOLDER}"
    assert any(HOLDER in note.text for note in state.notes)
    on = folded(
        [*WAITING, events.StepStarted(at=made.BEGIN + 90, step=made.MEASURE, title=made.TITLES[made.MEASURE], why="")]
    )
    assert not on.waits
    assert (on.running[0].phase, on.running[0].since) == ("", made.BEGIN + 90)


def test_what_disturbed_a_measurement_stays_with_its_result() -> None:
    warned = [
        events.Warned(at=made.BEGIN + 43, step=made.MEASURE, text="busy\x1b[0m", disturbs=True),
        events.Warned(at=made.BEGIN + 43, step=made.MEASURE, text="another job", disturbs=True),
        events.Warned(at=made.BEGIN + 43, step=made.MEASURE, text="too few samples"),
    ]
    seen = [*made.before(), *made.ticks(40), *warned, *made.ending(made.BEGIN + 44)]
    few = [event for event in seen if isinstance(event, events.StepStarted | events.Warned)]
    assert folded(seen).disturbed == folded(few).disturbed == {made.MEASURE: "busy[0m; another job"}
    again = [*seen, made.launch(made.BEGIN + 60, resumed=True), *made.before()[4:5]]
    assert folded(again).disturbed == {}


def test_attempts_are_told_apart() -> None:
    seen: list[events.AnyEvent] = [*made.before(), *made.ticks(4)]
    until = seen[-1].at
    again = [made.launch(made.BEGIN + 1000, resumed=True), *made.before(made.BEGIN + 1001)[1:3]]
    state = folded([*seen, *again])
    assert state.attempts == 2
    assert state.began == made.BEGIN
    assert state.worked == pytest.approx(until - made.BEGIN + 2), "nobody worked between the attempts"
    assert state.last_step == made.MODEL
    assert [step.state for step in state.steps] == ["runs", "waits", "waits"]
    assert state.made == 1, "what was built once is there, although it is looked at again"
    failed = events.StepEnded(at=made.BEGIN + 1003, step=made.MODEL, outcome="failed", seconds=1.0, text="a\x1b[0m")
    after = folded([*seen, *again, failed])
    assert after.made == 0
    assert after.steps[0].end == failed, "as it was written"
    assert after.steps[0].text == "a[0m"


def test_all_results_are_kept_in_their_order() -> None:
    fold = Fold(made.TITLES)
    fold.take(WHOLE)
    fold.take(WHOLE)
    assert [one.verdict for one in fold.measured] == ["VALID", "VALID"]
    assert len(fold.state().results) == 1


def test_who_is_waited_for_is_told_until_the_step_goes_on() -> None:
    seen = [*made.before(), events.Waiting(at=made.BEGIN + 5, step=made.MEASURE, holder="r-0012 of ann\x1b")]
    assert folded(seen).waits_for == "r-0012 of ann"
    other = events.StepEnded(at=made.BEGIN + 6, step=made.SCORE, outcome="cached", seconds=0.0)
    assert folded([*seen, other]).waits_for == "r-0012 of ann"
    assert folded([*seen, made.before()[4]]).waits_for == ""
