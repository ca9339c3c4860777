"""The jobs of one user on one machine: read, find and follow them by their folders.

No daemon: a job is its folder, and it is alive while its lock is held. Its process id is only used to send signals.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from engine.errors import InferdeckError, JobError, nearest
from engine.events import AnyEvent, Done, Launch, StepEnded, StepStarted, Waiting
from engine.jobs import places
from engine.jobs.event_log import EventReader, Kinds
from engine.jobs.fold import Fold, Watched
from engine.jobs.job_spec import FILE, JobSpec, read_spec
from engine.jobs.replay import replay
from engine.store.files import disk_errors, explained, is_locked, names_in
from engine.store.folders import Folders

JobState = Literal["running", "finished", "failed", "cancelled", "died", "new"]


@dataclass(frozen=True)
class Job:
    """State of a job, read from its folder."""

    id: str
    folder: Path
    state: JobState
    spec: JobSpec
    started: float
    """When it was first launched, seconds since the epoch."""
    ended: float | None
    attempts: int
    """Number of processes that have run it."""
    worked: float
    """Seconds that it was running, without the time between attempts."""
    steps_ended: int
    results: Path
    waits: str = ""
    """The job whose measurement it waits for; empty where it does not wait."""

    @property
    def events(self) -> Path:
        """Path of the event log."""
        return self.folder / places.EVENTS

    @property
    def what(self) -> str:
        """What it measures, in short: benchmark, backend, style and system."""
        values = self.spec.plan.nodes[self.spec.plan.root].values()
        words = [str(values.get(name, "")) for name in ("benchmark", "backend", "style", "sut")]
        return " · ".join(word for word in words if word) or self.spec.title


def read(folder: Path) -> Job:
    """Read a job's state from its folder. Raises JobError where it holds none, StoreError where it can't be read."""
    with disk_errors(folder):
        if not folder.exists():
            raise JobError(f"there is no job {folder.name}", "inferdeck jobs lists them")
    spec = read_spec(folder)
    life = _life(folder / places.EVENTS)
    state = _state(folder, life)
    return Job(
        id=folder.name,
        folder=folder,
        state=state,
        spec=spec,
        started=life.began or (folder / FILE).stat().st_mtime,
        ended=life.done.at if life.done is not None else None,
        attempts=life.attempts,
        worked=life.worked,
        steps_ended=life.made,
        results=spec.results_folder(folder),
        waits=life.waits_for if state == "running" else "",
    )


_LIFE: Kinds = (Launch, StepStarted, Waiting, StepEnded, Done)
"""Kinds of events that tell a job's progress; the others are nearly all of a long log."""


def _life(log: Path) -> Watched:
    """Return the state that a job's log describes."""
    try:
        seen = log.stat()
    except FileNotFoundError:
        return Fold({}).state()
    except OSError as error:
        raise explained(error, log) from None
    return _replayed(log, seen.st_size, seen.st_mtime_ns, seen.st_ino)


@lru_cache(maxsize=1024)
def _replayed(log: Path, _size: int, _changed: int, _inode: int) -> Watched:
    """Replay a log, cached until it grows: a screen asks every few seconds."""
    return replay(log, _LIFE).state()


def _state(folder: Path, life: Watched) -> JobState:
    if is_locked(folder / places.LOCK):
        return "running"
    if life.done is not None:
        return life.done.ending
    return "new" if life.last_at is None else "died"


@dataclass(frozen=True)
class DamagedJob:
    """A job whose folder can't be read."""

    id: str
    why: str


def survey(folders: Folders) -> tuple[list[Job], list[DamagedJob]]:
    """Return every readable and every damaged job, newest first.

    Raises StoreError where the folder of jobs itself can't be read.
    """
    found: list[Job] = []
    damaged: list[DamagedJob] = []
    for folder in job_folders(folders):
        try:
            found.append(read(folder))
        except InferdeckError as error:
            damaged.append(DamagedJob(folder.name, error.what))
    return found, damaged


def job_folders(folders: Folders) -> list[Path]:
    """Return the folder of every job, newest first. Raises StoreError where they can't be listed."""
    found = [name for name in names_in(folders.jobs) if name.startswith("r-")]
    found.sort(key=lambda name: (len(name), name), reverse=True)  # r-9999 is older than r-10000
    return [folder for name in found if not _is_being_made(folder := folders.jobs / name)]


def _is_being_made(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:
        return False


def all_jobs(folders: Folders) -> list[Job]:
    """Return every readable job, newest first."""
    return survey(folders)[0]


def named(folders: Folders, name: str | None) -> Job:
    """Return the job with that id (or number); without one the newest readable job.

    Raises JobError where there is none, JobError or StoreError where it can't be read.
    """
    if name is None:
        jobs, damaged = survey(folders)
        if not jobs:
            raise JobError(damaged[0].why if damaged else "there are no jobs yet", "inferdeck demo starts one")
        return jobs[0]
    wanted = f"r-{name.lstrip('0').zfill(4)}" if name.isdecimal() else name
    known = {folder.name: folder for folder in job_folders(folders)}
    if wanted not in known:
        raise JobError(f"there is no job '{name}'", nearest(wanted, known) if known else "none exist yet")
    return read(known[wanted])


def process_id(job: Job) -> int | None:
    """Return the process id of the job's last attempt; None where there is none."""
    launch = _life(job.events).launch
    return None if launch is None else launch.pid


def equal(folders: Folders, spec: JobSpec) -> Job | None:
    """Return the newest finished job with equal choices and inputs: models, data, code, machine."""
    wanted = spec.fingerprint()
    return next(
        (
            job
            for job in all_jobs(folders)
            if job.state == "finished" and job.spec.fingerprint() == wanted and _same_things(job.spec, spec)
        ),
        None,
    )


def _same_things(one: JobSpec, other: JobSpec) -> bool:
    return one.lock is not None and other.lock is not None and one.lock.nodes == other.lock.nodes


def follow(job: Job, *, attempt: int = 0, interval: float = 0.25) -> Iterator[list[AnyEvent]]:
    """Yield the job's events in batches until it ends. An empty list means nothing new.

    Attempts before `attempt`, counted from 1, are skipped. The last list ends with `done`, unless the job died: then
    the iteration just ends.
    """
    reader, started_attempts = EventReader(job.events), 0
    while True:
        alive = is_locked(job.folder / places.LOCK)
        events: list[AnyEvent] = []
        for events in reader.pieces():
            fresh, started_attempts = _from_attempt(attempt, events, started_attempts)
            yield fresh
        if not alive:
            return
        if not events or not isinstance(events[-1], Done):
            yield []
            time.sleep(interval)


def _from_attempt(attempt: int, events: list[AnyEvent], started_attempts: int) -> tuple[list[AnyEvent], int]:
    """Drop the events before an attempt; `started_attempts` are those so far, returned with the new ones."""
    if started_attempts >= attempt:
        return events, started_attempts
    for number, event in enumerate(events):
        started_attempts += isinstance(event, Launch)
        if started_attempts == attempt:
            return events[number:], started_attempts
    return [], started_attempts
