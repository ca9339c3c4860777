"""Create a job from a prepared plan."""

from __future__ import annotations

from engine.jobs import control, jobs
from engine.jobs.job_spec import JobSpec
from engine.survey.prepare import Prepared, refuse


def job_spec(prepared: Prepared) -> JobSpec:
    """Return the job's specification."""
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
    """Start the job of a plan, or resume or join an equal one. Raises CannotRunError, JobError."""
    refuse(prepared)
    return control.begin(prepared.workplace.folders, job_spec(prepared))[0]
