"""Why a job died, as far as can be told: the likely cause, and what it and its last step said last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.events import StepStarted
from engine.jobs import places
from engine.jobs.child import file_name, last_lines
from engine.jobs.control import NEARLY_FULL
from engine.jobs.jobs import Job
from engine.jobs.replay import replay
from engine.survey.survey import disk_free


@dataclass(frozen=True)
class LastWords:
    """The last lines of a log, without control characters."""

    path: Path
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Diagnosis:
    """What is known of a job that is gone without a last word."""

    what: str
    cause: str
    """The likely cause and what to do, in a sentence."""
    certain: bool
    """Whether the cause was seen rather than guessed."""
    logs: tuple[LastWords, ...]
    """The job's own log and that of the step that was started last."""


def diagnose(job: Job) -> Diagnosis:
    """Look at what a dead job has left."""
    full = disk_free(job.folder) < NEARLY_FULL
    cause = (
        f"the disk is full at {job.folder}: free some space, then the same command goes on"
        if full
        else "often the memory ran out, or the machine was restarted; the same command goes on where it stopped"
    )
    paths = [job.folder / places.LOG]
    if last := replay(job.events, (StepStarted,)).state().last_step:
        paths.append(step_log(job, last))
    logs = tuple(LastWords(path, tuple(last_lines(path))) for path in paths)
    return Diagnosis("its process is gone and said no last word", cause, full, logs)


def step_log(job: Job, step: str) -> Path:
    """Return where the output of a step goes."""
    return job.folder / "logs" / f"{file_name(step)}.log"
