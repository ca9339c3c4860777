"""Jobs of the offline demonstration, for the tests that cut connections."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import JobError
from engine.jobs.control import cancel
from engine.jobs.jobs import Job, all_jobs, read
from engine.store.folders import folders

_WAIT = 60.0


def jobs(home: Path) -> list[Job]:
    """Return the jobs of a home, the newest first."""
    return all_jobs(folders(str(home)))


def wait_for(holds: Callable[[], bool], what: str) -> None:
    """Wait for a condition."""
    end = time.monotonic() + _WAIT
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def goes_on(job: Job) -> bool:
    """Return whether a job without its terminal still works: its log grows, or it ends."""
    before = _size(job)
    wait_for(lambda: _size(job) > before or read(job.folder).state != "running", "nothing happens")
    return read(job.folder).state in ("running", "finished")


@contextmanager
def none_left(home: Path) -> Iterator[None]:
    """Stop the jobs that a test leaves."""
    try:
        yield
    finally:
        wait_for(lambda: all(_has_ended(job) for job in jobs(home)), "a job does not stop")


def _size(job: Job) -> int:
    return job.events.stat().st_size if job.events.exists() else 0


def _has_ended(job: Job) -> bool:
    with contextlib.suppress(JobError):  # it has ended, or has not even said that it began
        cancel(job)
    return job.state != "running"
