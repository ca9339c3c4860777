"""Kill real jobs at random moments: in the end, store and results equal those of an undisturbed job."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from engine.events import Launch
from engine.jobs import jobs
from engine.jobs.event_log import EventReader
from engine.jobs.job_spec import JobSpec
from engine.store.folders import Folders
from tests.engine.jobs import profile
from tests.helpers import folders_in, stored

KILLS = 50


def kill_at(folders: Folders, spec: JobSpec, after: float) -> bool:
    """Start or resume the job and kill its process after a while; returns whether it was still running."""
    job = profile.start(folders, spec)
    time.sleep(after)
    launches = [event for event in EventReader(job.events).read() if isinstance(event, Launch)]
    alive = jobs.read(job.folder).state == "running"
    if alive:
        os.kill(launches[-1].pid, signal.SIGKILL)
    return alive


@pytest.mark.slow
def test_a_job_killed_at_random_moments_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    own = profile.write(tmp_path / "profile")
    quiet, killed = folders_in(tmp_path / "quiet"), folders_in(tmp_path / "killed")
    options = {"pieces": "400", "numbers": ",".join(map(str, range(40)))}
    expected, _ = profile.spec_of(own, tmp_path / "quiet" / "results", diary=str(tmp_path / "quiet-diary"), **options)
    job = profile.start(quiet, expected)
    list(jobs.follow(job, interval=0.05))
    spec, _ = profile.spec_of(own, tmp_path / "killed" / "results", diary=str(tmp_path / "diary"), **options)
    moments = random.Random(20220908)
    kills = 0
    while True:
        kills += kill_at(killed, spec, moments.uniform(0, 0.35))
        if kills >= KILLS:
            break
        assert not any(job.state == "finished" for job in jobs.all_jobs(killed)), "it ended before it was killed enough"
    while not any(one.state == "finished" for one in jobs.all_jobs(killed)):
        list(jobs.follow(profile.start(killed, spec), interval=0.05))
    assert stored(killed) == stored(quiet)
    results = {
        name: data for name, data in profile.tree(tmp_path / "killed" / "results").items() if ".replaced" not in name
    }
    assert results == profile.tree(tmp_path / "quiet" / "results")
    assert len(jobs.all_jobs(killed)) == 1, "every attempt went on with the same job"
    assert not list((killed.store / "work").iterdir()), "no half-made artifact is left"
