"""`inferdeck run --repeat=N`: the same job several times, one after another, and the spread of its figures."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.cli import arguments as words
from engine.cli.results import draw
from engine.cli.screen import Screen
from engine.explore import sweep
from engine.explore.columns import columns
from engine.explore.history import all_runs
from engine.explore.repeat_groups import grouped
from engine.explore.runs import fold
from engine.jobs import jobs
from engine.survey.prepare import Prepared, refuse

_LOOK = 0.25
"""Seconds between two checks of whether the next job has started."""
_PATIENCE = 60.0
"""Seconds after which a job that has not started is given up."""


def repeat(prepared: Prepared, asked: words.Words, times: int, follow: Callable[..., int]) -> int:
    """Start the jobs and follow them by `follow` (engine.cli.run); the status is the highest of theirs.

    Each job measures anew; prepared data and models are shared. Raises CannotRunError, JobError.
    """
    screen = Screen()
    quiet, as_json = "quiet" in asked.flags or "json" in asked.flags, "json" in asked.flags
    refuse(prepared)
    made = sweep.begin_all([prepared] * times)
    if not quiet:
        screen.line(f"started {made[0].id} to {made[-1].id}, one after another", "dim")
    if "detach" in asked.flags:
        return 0
    status = 0
    for job in made:
        started = _started(job)
        if started is None:
            screen.line(f"{job.id} was not started: see {made[0].folder / sweep.LOG}", "todo")
            return status or 1
        status = max(status, follow(screen, started, plain="plain" in asked.flags, quiet=quiet, as_json=as_json))
        if jobs.read(job.folder).state in ("cancelled", "running"):  # stopped, or left running: so is the rest
            return status
    if not as_json:
        _summary(screen, prepared, [job.id for job in made])
    return status


def _started(job: jobs.Job) -> jobs.Job | None:
    """Wait until the job has started; None where it does not."""
    limit = time.monotonic() + _PATIENCE
    while (found := jobs.read(job.folder)).state == "new":
        if time.monotonic() > limit:
            return None
        time.sleep(_LOOK)
    return found


def _summary(screen: Screen, prepared: Prepared, ids: list[str]) -> None:
    found = [run for run in fold(all_runs(prepared.workplace.folders)) if run.job in ids]
    screen.line()
    draw(screen, grouped(found), columns("run,result,n,spread,p99,accuracy,state"))
