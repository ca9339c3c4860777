"""The probe of `inferdeck plan --probe`: a job that measures this machine's speed for the runs of a plan."""

from __future__ import annotations

from engine.cli import arguments as words
from engine.cli.prepare import prepare_words
from engine.cli.run import follow
from engine.cli.screen import Screen
from engine.errors import JobError
from engine.jobs import preparation
from engine.survey.feasibility import probe_nodes
from engine.survey.prepare import Prepared


def probed(prepared: Prepared, asked: words.Words) -> Prepared:
    """Measure this machine's speed for the runs of a plan unless that was done before; returns the plan with it.

    Raises CannotRunError where the plan can't run, JobError where the job does not start or does not finish.
    """
    if not probe_nodes(prepared):
        return prepared
    job = preparation.begin_probe(prepared)
    quiet = "quiet" in asked.flags or "json" in asked.flags
    status = follow(Screen(), job, attempt=job.attempts, plain="plain" in asked.flags, quiet=quiet, report=False)
    if status:
        raise JobError(f"{job.id} did not measure this machine's speed", f"inferdeck attach {job.id} shows why")
    return prepare_words(asked)
