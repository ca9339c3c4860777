"""Trials as jobs: the selection of a trial, what its runs give, and what equal runs gave before."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from engine import events
from engine.design_space import trial_jobs
from engine.design_space.axis_words import axes_of
from engine.design_space.objectives import limits_of, objectives_of
from engine.design_space.space import Space, space
from engine.design_space.trial_jobs import TrialJobs, measurements
from engine.design_space.trials import Point
from engine.explore.runs import Run
from engine.jobs import control, jobs
from engine.jobs.event_log import EventWriter
from engine.jobs.start import job_spec
from engine.plan.selection_syntax import selection_of
from engine.store.folders import folders
from engine.survey.prepare import Workplace, prepare, resolved, workplace
from tests.engine.design_space.fake_bench import spec
from tests.engine.explore import history
from tests.engine.jobs import profile

POINT: Point = (("sessions", "2"), ("max_batch", "8"))
ACCURACY = limits_of(["accuracy>=99%"])


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(folders(str(tmp_path / "home")), history.our_catalog())


def bench(place: Workplace, *axes: str, **changes: Any) -> TrialJobs:
    base = selection_of((history.TAGS,))[0]
    asked = axes_of(axes or ("sessions=1,2", "max_batch=2,8"))
    spread = space(place.catalog, base, asked, lambda chosen: resolved(place, chosen).plan)
    return TrialJobs(place, spec(words=base.words(), axes=spread.axes, **changes), spread)


def test_a_trial_is_its_point_with_a_duration(place: Workplace) -> None:
    made = bench(place)
    assert made.selection(POINT, 2.5).options == {
        "sessions": "2",
        "max_batch": "8",
        "modes": "performance",
        "min_duration_ms": "2500",
    }
    assert made.selection(POINT, None, 1234.5).options["offline_target_qps"] == "1234.5"
    scored = made.selection(POINT, 2.5, accuracy=True).options
    assert (scored["modes"], scored["scenarios"], "min_duration_ms" in scored) == ("accuracy", "Offline", False)
    assert made.prepared(POINT, 2.5).command()[0] == "run"


def test_a_refused_point_has_the_resolvers_reason(place: Workplace) -> None:
    made = bench(place, "precision=fp32,fp16")
    assert made.refused((("precision", "fp32"),)) == ""
    assert "no faster on a CPU" in made.refused((("precision", "fp16"),))


def test_the_accuracy_depends_on_the_model_and_not_on_the_workers(place: Workplace) -> None:
    assert bench(place).accuracy_key(POINT) == "", "nobody asks for it"
    made = bench(place, "precision=fp32,int8", "sessions=1,2", limits=ACCURACY)
    keys = {
        (precision, sessions): made.accuracy_key((("precision", precision), ("sessions", sessions)))
        for precision in ("fp32", "int8")
        for sessions in ("1", "2")
    }
    assert keys["fp32", "1"] == keys["fp32", "2"] != keys["int8", "1"]
    assert all(keys.values())


@pytest.mark.parametrize(
    ("log", "state", "reason"),
    [
        ({}, "valid", ""),
        (
            {"result_validity": "INVALID", "result_min_duration_met": False, "result_perf_constraints_met": True},
            "valid if longer",
            "Offline INVALID: the run was too short",
        ),
        (
            {"result_validity": "INVALID", "result_perf_constraints_met": False},
            "breaks",
            "Offline INVALID: the performance constraints are not met",
        ),
    ],
)
def test_a_job_gives_figures_and_loadgens_verdict(
    place: Workplace, log: dict[str, Any], state: str, reason: str
) -> None:
    report = {"peak_memory": 2_000_000_000, "disturbed": "others were busy"}
    folder = history.job(place.folders, "--scenarios=Offline", rate=500.0, log=log, report=report)
    found = bench(place).outcome(folder.name, 60.0)
    assert (found.state, found.reason) == (state, reason)
    assert found.figures == {"Offline": 500.0, "peak_memory": 2000.0}
    assert found.settings["sessions"] == 2
    assert found.note == "others were busy"
    assert found.command[0] == "run"


def test_an_accuracy_run_gives_its_score(place: Workplace) -> None:
    folder = history.job(place.folders, "--scenarios=Offline", "--modes=accuracy", accuracy=75.5)
    found = bench(place, limits=ACCURACY).outcome(folder.name, 60.0, accuracy=True)
    assert (found.state, found.figures) == ("valid", {"accuracy": 75.5})


def test_equal_runs_are_taken_and_no_others(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bench(place, objectives=objectives_of(["Offline"]))
    prepared = made.prepared(POINT, None)
    entry = prepared.seen.seen[measurements(prepared)[0].id].entry
    run = Run(
        id="r-0001/Offline",
        job="r-0001",
        step="",
        scenario="Offline",
        mode="performance",
        recipe=entry,
        valid=True,
        figures={"samples_per_second": 10.0},
    )

    def known(*runs: Run) -> TrialJobs:
        monkeypatch.setattr(trial_jobs, "all_runs", lambda *_: list(runs))
        return bench(place, objectives=objectives_of(["Offline"]))

    found = known(run).before(POINT, None)
    assert found is not None
    assert (found.figures, found.job) == ({"Offline": 10.0}, "r-0001")
    assert known(run).before((("sessions", "1"), ("max_batch", "8")), None) is None
    assert known(run).before(POINT, 5.0) is None, "another duration"
    assert known(changed(run, disturbed="others were busy")).before(POINT, None) is None
    assert known(changed(run, valid=False)).before(POINT, None) is None
    assert known().before(POINT, None) is None


def changed(run: Run, **changes: Any) -> Run:
    from msgspec.structs import replace

    return replace(run, **changes)


def test_a_job_that_was_never_started_is_found_again(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_jobs, "refuse", lambda _: None)
    made = bench(place)
    assert made.unstarted(POINT, None, None) == ""
    job = made.create(POINT, None, None)
    assert made.unstarted(POINT, None, None) == job
    assert made.unstarted((("sessions", "1"), ("max_batch", "8")), None, None) == ""


def small(tmp_path: Path, mode: str) -> tuple[TrialJobs, str]:
    """Return a bench and the job of a small profile that hangs, fails or crashes."""
    own = profile.write(tmp_path / "profile")
    place = workplace(str(tmp_path / "home"), [own])
    words = ("run", "--tags=app", f"--diary={tmp_path / 'diary'}", "--numbers=1", "--pieces=2", f"--mode={mode}")
    job = control.create(place.folders, job_spec(prepare(place, selection_of(words)[0])))
    plan = resolved(place, selection_of(words)[0]).plan
    return TrialJobs(place, spec(), Space(place.catalog, selection_of(words)[0], plan, (), {})), job.name


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    made, job = small(tmp_path, "hang")
    found = made.outcome(job, 0.5)
    assert (found.state, found.reason, found.job) == ("failed", "it took longer than 0.5 s", job)
    assert jobs.read(made.place.folders.jobs / job).state == "cancelled"


def test_a_job_that_the_user_cancels_stops_the_exploration(tmp_path: Path) -> None:
    made, job = small(tmp_path, "hang")
    folder = made.place.folders.jobs / job
    control.launch(folder, made.place.folders)
    control.cancel(jobs.read(folder))
    found = made.outcome(job, 60.0)
    assert (found.state, found.reason) == ("cancelled", "r-0001 was cancelled")


def test_a_failed_job_has_the_reason_of_its_step(tmp_path: Path) -> None:
    made, job = small(tmp_path, "fail")
    found = made.outcome(job, 60.0)
    assert found.state == "failed"
    assert "the measurement failed" in found.reason


def test_a_job_that_is_killed_again_and_again_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, job = small(tmp_path, "hang")
    wait = TrialJobs._wait

    def kill(bench: TrialJobs, running: jobs.Job, limit: float) -> bool:
        pid = jobs.process_id(running)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return wait(bench, running, limit)

    monkeypatch.setattr(TrialJobs, "_wait", kill)
    found = made.outcome(job, 60.0)
    assert (found.state, found.reason) == ("failed", "its process was killed: perhaps the memory ran out")
    assert jobs.read(made.place.folders.jobs / job).attempts == trial_jobs.ATTEMPTS


def test_neither_building_nor_waiting_is_measuring(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    writer = EventWriter(log)
    told: list[events.AnyEvent] = [
        events.Launch(at=100.0, job="r-0001", pid=1, command=(), version="", steps=2),
        events.StepStarted(at=101.0, step="model", title="", why=""),
        events.Launch(at=200.0, job="r-0001", pid=2, command=(), version="", steps=2, resumed=True),
        events.StepStarted(at=201.0, step="model", title="", why=""),
        events.StepEnded(at=211.0, step="model", outcome="built", seconds=10.0),
        events.StepStarted(at=211.0, step="run", title="", why=""),
        events.Waiting(at=212.0, step="run", holder="r-0007"),
        events.StepStarted(at=232.0, step="run", title="", why=""),
        events.StepEnded(at=235.0, step="run", outcome="built", seconds=3.0),
        events.Done(at=236.0, ending="finished", seconds=36.0),
    ]
    for event in told[:-2]:
        writer.write(event)
    assert trial_jobs._times(log, lambda step: step == "model", now=234.0).measuring == pytest.approx(1 + 1 + 1 + 2)
    for event in told[-2:]:
        writer.write(event)
    writer.close()
    took = trial_jobs._times(log, lambda step: step == "model")
    assert took.whole == pytest.approx(1 + 1 + 10 + 1 + 3 + 1)
    assert took.measuring == pytest.approx(1 + 1 + 1 + 3 + 1)
