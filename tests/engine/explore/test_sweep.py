"""A sweep: jobs one after another in a process of its own; a cancelled job ends it, a failed one does not."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from engine.errors import CannotRunError, UsageError
from engine.explore import sweep
from engine.jobs import control, jobs
from engine.jobs.event_log import EventReader
from engine.plan.selection_syntax import selection_of
from engine.survey.prepare import Prepared, prepare, workplace
from tests.engine.jobs import profile

PATIENCE = 60.0


def prepared(tmp_path: Path, *options: str) -> Prepared:
    """Prepare a job of the small test profile, each with results of its own."""
    own = profile.write(tmp_path / "profile")
    place = workplace(str(tmp_path / "home"), [own])
    words = ("run", "--tags=app", f"--diary={tmp_path / 'diary'}", "--numbers=1", "--pieces=2", *options)
    return prepare(place, selection_of(words)[0], again=True)


def ended(folders: list[Path]) -> list[str]:
    """Wait until none runs and the last has started, or nothing changes any more; returns their states."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        states = [jobs.read(folder).state for folder in folders]
        if not {"new", "running"} & set(states):
            return list(states)
        time.sleep(0.1)
    return [str(jobs.read(folder).state) for folder in folders]


def test_jobs_run_one_after_another_and_a_failed_one_holds_nobody_up(tmp_path: Path) -> None:
    made = sweep.begin_all([prepared(tmp_path), prepared(tmp_path, "--mode=fail"), prepared(tmp_path)])
    assert [job.id for job in made] == ["r-0001", "r-0002", "r-0003"]
    assert made[0].state != "new"
    assert ended([job.folder for job in made]) == ["finished", "failed", "finished"]
    spans = [[event.at for event in EventReader(job.events).read()] for job in made]
    assert all(before[-1] <= after[0] for before, after in pairwise(spans))


def test_a_job_that_was_stopped_ends_the_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path / "home"))
    made = sweep.begin_all([prepared(tmp_path, "--mode=hang"), prepared(tmp_path)])
    control.cancel(jobs.read(made[0].folder))
    assert ended([made[0].folder]) == ["cancelled"]
    assert sweep.run([job.folder for job in made]) == 1, "the first one ends the chain"
    assert jobs.read(made[1].folder).state == "new"
    assert sweep.run([made[1].folder]) == 1
    assert jobs.read(made[1].folder).state == "finished"


def test_nothing_is_made_where_one_can_not_run(tmp_path: Path) -> None:
    place = workplace(str(tmp_path / "home"))
    tags = "--tags=app,mlperf,inference,reference,python"
    lacking = prepare(place, selection_of(("run", tags, "--adr.imagenet.tags=_full"))[0])
    with pytest.raises(CannotRunError, match="imagenet-full"):
        sweep.begin_all([lacking])
    with pytest.raises(UsageError, match="nothing to run"):
        sweep.begin_all([])
    assert not place.folders.jobs.exists()
