"""From a prepared plan to its job."""

from __future__ import annotations

from engine.jobs import control, jobs
from engine.jobs.job_spec import JobSpec
from engine.survey.prepare import Prepared, refuse


def job_spec(prepared: Prepared) -> JobSpec:
    """Return what the job is told."""
    return JobSpec(
        plan=prepared.plan,
        command=prepared.command(),
        title=prepared.plan.nodes[prepared.plan.root].title,
        results=prepared.output,
        profiles=tuple(str(one) for one in prepared.workplace.catalog.folders[1:]),
        again=prepared.again,
        now=prepared.now,
        notice=prepared.notice,
        start_notice=prepared.start_notice,
        lock=prepared.lock(),
    )


def begin(prepared: Prepared) -> jobs.Job:
    """Start the job of a plan, or take up the one that stopped or that runs. Raises CannotRunError, JobError."""
    refuse(prepared)
    return control.begin(prepared.workplace.folders, job_spec(prepared))[0]
