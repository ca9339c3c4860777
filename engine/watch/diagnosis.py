"""Diagnose a dead job: likely cause and last log lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.events import StepStarted
from engine.jobs import places
from engine.jobs.child import file_name, last_lines
from engine.jobs.control import NEARLY_FULL
from engine.jobs.jobs import Job
from engine.jobs.replay import replay
from engine.system import disk_free


@dataclass(frozen=True)
class LogTail:
    """The last lines of a log, without control characters."""

    path: Path
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Diagnosis:
    """Diagnosis of a job whose process is gone without a final event."""

    what: str
    cause: str
    """The likely cause and remedy, in a sentence."""
    certain: bool
    """Whether the cause was observed rather than guessed."""
    logs: tuple[LogTail, ...]
    """The job's own log, and that of the step started last."""


def diagnose(job: Job) -> Diagnosis:
    """Examine what a dead job left."""
    full = disk_free(job.folder) < NEARLY_FULL
    cause = (
        f"the disk is full at {job.folder}: free some space, then the same command resumes it"
        if full
        else "often the memory ran out, or the machine was restarted; the same command resumes it"
    )
    paths = [job.folder / places.LOG]
    if last := replay(job.events, (StepStarted,)).state().last_step:
        paths.append(step_log(job, last))
    logs = tuple(LogTail(path, tuple(last_lines(path))) for path in paths)
    return Diagnosis("its process was killed and left no error message", cause, full, logs)


def step_log(job: Job, step: str) -> Path:
    """Return the log file of a step."""
    return job.folder / "logs" / f"{file_name(step)}.log"
