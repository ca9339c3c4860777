"""The jobs of one person on one machine: start, find, follow, cancel.

No daemon and no process ids: a job is its folder, and it lives while its lock is held.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal

import msgspec

from engine import codec
from engine.errors import InferdeckError, JobError, nearest
from engine.events import AnyEvent, Done, Launch, StepEnded, StepStarted, Waiting
from engine.job.log import EventReader
from engine.job.spec import FILE, JobSpec
from engine.job.spec import read as read_spec
from engine.store.files import disk_errors, explained, is_locked, locked, write_atomic
from engine.store.folders import Folders
from engine.text import clean

_GRACE = 10
"""Twentieths of a second that a killed process gets to disappear."""

NEARLY_FULL = 1_000_000
"""Bytes; with less than this free a job can't even write its log."""
NOW = "now"
"""A file in the folder of a job that waits for another one's measurement: a person has it measure at once."""

JobState = Literal["running", "finished", "failed", "cancelled", "died", "new"]
Start = Literal["new", "resumed", "joined"]
"""How a command began: `joined` is a job that was running already."""


@dataclass(frozen=True)
class Job:
    """What can be said of a job from its folder."""

    id: str
    folder: Path
    state: JobState
    spec: JobSpec
    started: float
    """Seconds since the epoch, of the first launch."""
    ended: float | None
    attempts: int
    """How often a process took it up."""
    worked: float
    """Seconds that it was at work, without the times between an attempt and the next."""
    steps_ended: int
    results: Path
    waits: str = ""
    """Which job's measurement it waits for; empty where it does not wait."""

    @property
    def events(self) -> Path:
        """The event log."""
        return self.folder / "events.jsonl"

    @property
    def what(self) -> str:
        """What it measures, in a few words: benchmark, backend, style and system."""
        values = self.spec.plan.nodes[self.spec.plan.root].values()
        words = [str(values.get(name, "")) for name in ("benchmark", "backend", "style", "sut")]
        return " · ".join(word for word in words if word) or self.spec.title


def create(folders: Folders, spec: JobSpec) -> Path:
    """Make the folder of a new job under the next free number and write its plan."""
    with disk_errors(folders.jobs):
        # Commands, paths and logs are the person's own business, whatever the umask is.
        folders.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        folders.jobs.mkdir(exist_ok=True)
        taken = [int(path.name[2:]) for path in folders.jobs.glob("r-*") if path.name[2:].isdecimal()]
        number = max(taken, default=0) + 1
        while True:
            folder = folders.jobs / f"r-{number:04d}"
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                number += 1
            else:
                break
    write_atomic(folder / "plan.json", codec.encode(spec))
    return folder


def launch(folder: Path, folders: Folders, *, wait: float = 20.0) -> None:
    """Start the job's process in a session of its own and wait until its log says that it runs.

    Raises JobError if it ends before it has said so.
    """
    events = folder / "events.jsonl"
    reader = EventReader(events, events.stat().st_size if events.exists() else 0)
    environment = {**os.environ}
    if folders.state.parent == folders.store.parent:
        environment["INFERDECK_HOME"] = str(folders.state.parent)
    with disk_errors(folder), (folder / "job.log").open("ab") as log:
        said_before = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.job.main", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment,
        )
    # A viewer that stays must not keep the ended job as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        if any(isinstance(event, Launch) for event in reader.read()):
            return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise _not_started(folder, said_before, process.poll(), wait)


def _not_started(folder: Path, said_before: int, status: int | None, waited: float) -> JobError:
    """Return why a job did not start, as far as its process, its log and the disk tell."""
    log = folder / "job.log"
    with log.open("rb") as file:
        file.seek(said_before)
        said = file.read(1 << 20).decode("utf-8", "replace").strip().splitlines()
    remedy = f"see {log}"
    if said:
        why = said[-1] if said[0].startswith("Traceback") else said[0]
    elif shutil.disk_usage(folder).free < NEARLY_FULL:
        why, remedy = f"the disk is full at {folder}", "free some space, then the same command goes on"
    elif status is None:
        why = f"its process has said nothing for {waited:g} s"
    elif status < 0:
        why, remedy = f"its process was ended by {signal.Signals(-status).name}", "give the same command again"
    else:
        why = f"its process ended with status {status} and said nothing"
    return JobError(f"the job {folder.name} did not start: {why}", remedy)


def read(folder: Path) -> Job:
    """Read a job's state from its folder. Raises JobError where it holds none, StoreError where it can't be read."""
    with disk_errors(folder):
        if not folder.exists():
            raise JobError(f"there is no job {folder.name}", "inferdeck jobs lists them")
    spec = read_spec(folder)
    story = _story(folder / "events.jsonl")
    state = _state(folder, story.last)
    return Job(
        id=folder.name,
        folder=folder,
        state=state,
        spec=spec,
        started=story.started or (folder / FILE).stat().st_mtime,
        ended=story.last.at if isinstance(story.last, Done) else None,
        attempts=story.attempts,
        worked=story.worked,
        steps_ended=story.steps_ended,
        results=spec.results_folder(folder),
        waits=clean(story.last.holder) if state == "running" and isinstance(story.last, Waiting) else "",
    )


@dataclass(frozen=True)
class _Story:
    """What a job's log says, in short."""

    started: float | None
    last: AnyEvent | None
    attempts: int
    worked: float
    steps_ended: int
    """Steps that ended well, each counted once; what was stopped or failed may have been made by a later attempt."""
    pid: int | None


def _story(log: Path) -> _Story:
    try:
        seen = log.stat()
    except FileNotFoundError:
        return _Story(None, None, 0, 0.0, 0, None)
    except OSError as error:
        raise explained(error, log) from None
    return _read_story(log, seen.st_size, seen.st_mtime_ns, seen.st_ino)


@lru_cache(maxsize=1024)
def _read_story(log: Path, _size: int, _changed: int, _inode: int) -> _Story:
    """Read a log through, which is done again only when it has grown: a screen asks every few seconds."""
    outcomes: dict[str, bool] = {}
    launch: Launch | None = None
    started: float | None = None
    last: AnyEvent | None = None
    attempts, worked = 0, 0.0
    for event in chain.from_iterable(EventReader(log).pieces((Launch, StepStarted, Waiting, StepEnded, Done))):
        if isinstance(event, Launch):
            started = event.at if started is None else started
            launch = event
            attempts += 1
        elif last is not None and launch is not None:
            worked += max(event.at - last.at, 0.0)
        if isinstance(event, StepEnded):
            outcomes[event.step] = event.outcome not in ("failed", "cancelled", "skipped")
        last = event
    return _Story(started, last, attempts, worked, sum(outcomes.values()), launch.pid if launch else None)


def _state(folder: Path, last: AnyEvent | None) -> JobState:
    if is_locked(folder / "run.lock"):
        return "running"
    if isinstance(last, Done):
        return last.ending
    return "died" if last is not None else "new"


@dataclass(frozen=True)
class Damaged:
    """A job whose folder can't be read."""

    id: str
    why: str


def survey(folders: Folders) -> tuple[list[Job], list[Damaged]]:
    """Return every job that can be read and every one that can't, the newest first.

    Raises StoreError where the folder of the jobs itself can't be read.
    """
    found: list[Job] = []
    damaged: list[Damaged] = []
    for folder in job_folders(folders):
        try:
            found.append(read(folder))
        except InferdeckError as error:
            damaged.append(Damaged(folder.name, error.what))
    return found, damaged


def job_folders(folders: Folders) -> list[Path]:
    """Return the folder of every job, the newest first. Raises StoreError where they can't be listed."""
    with disk_errors(folders.jobs):
        try:
            found = [path for path in folders.jobs.iterdir() if path.name.startswith("r-")]
        except FileNotFoundError:
            return []
    found.sort(key=lambda path: (len(path.name), path.name), reverse=True)  # r-9999 is older than r-10000
    return [folder for folder in found if not _is_being_made(folder)]


def _is_being_made(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:
        return False


def all_jobs(folders: Folders) -> list[Job]:
    """Return every readable job, the newest first."""
    return survey(folders)[0]


def named(folders: Folders, name: str | None) -> Job:
    """Return the job of that id (or number), or the newest that can be read without one.

    Raises JobError where there is none, JobError or StoreError with the reason where it can't be read.
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


def begin(folders: Folders, spec: JobSpec) -> tuple[Job, Start]:
    """Start a job, or go on with the one that does the same and stopped before its end; returns it and what was done.

    One that does the same and runs is left alone. Equal commands at the same time start one job. Raises JobError where
    it does not start.
    """
    with locked(folders.jobs / "start.lock"):
        same = next((job for job in all_jobs(folders) if job.spec.fingerprint() == spec.fingerprint()), None)
        if same is not None and same.state == "running":
            same = _after_its_death(same)
        if same is not None and same.state == "running":
            if spec.now:
                measure_now(same)
            return same, "joined"
        how: Start = "new"
        if same is None or same.state == "finished" or spec.again:
            folder = create(folders, spec)
        else:
            folder, how = _again(same, spec), "resumed"
        launch(folder, folders)
    return read(folder), how


def _again(job: Job, spec: JobSpec) -> Path:
    """Tell a job that stopped how to go on: it stays the job that it was, but for `--now`."""
    if job.spec.now != spec.now:
        write_atomic(job.folder / "plan.json", codec.encode(msgspec.structs.replace(job.spec, now=spec.now)))
    return job.folder


def measure_now(job: Job) -> None:
    """Let a job that waits for another one's measurement begin; its figures are marked as disturbed."""
    with disk_errors(job.folder):
        (job.folder / NOW).touch()


def _after_its_death(job: Job) -> Job:
    """Return the job as it is once the workers of a killed one have ended, which takes them a moment."""
    pid = _pid(job)
    for _ in range(_GRACE):
        if not is_locked(job.folder / "run.lock"):
            return read(job.folder)
        time.sleep(0.05)
    while not _is_alive(pid):
        if not is_locked(job.folder / "run.lock"):
            return read(job.folder)
        time.sleep(0.05)
    return job


def _pid(job: Job) -> int | None:
    return _story(job.events).pid


def _is_alive(pid: int | None) -> bool:
    """Say whether a process is there; one that nobody has waited for yet (a zombie) is not."""
    if pid is None:
        return True
    import psutil  # noqa: PLC0415  (start-up: only this rare case needs it)

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def equal(folders: Folders, spec: JobSpec) -> Job | None:
    """Return the newest finished job that did the same with the same things: models, data, code, machine."""
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
    """Yield what the job says in portions until it is over. An empty list means nothing new.

    What was before that `attempt`, counted from 1, is left out. The last list ends with `done`, unless the job died:
    then the iteration just ends.
    """
    reader, begun = EventReader(job.events), 0
    while True:
        alive = is_locked(job.folder / "run.lock")
        events: list[AnyEvent] = []
        for events in reader.pieces():
            fresh, begun = _from_attempt(attempt, events, begun)
            yield fresh
        if not alive:
            return
        if not events or not isinstance(events[-1], Done):
            yield []
            time.sleep(interval)


def _from_attempt(attempt: int, events: list[AnyEvent], begun: int) -> tuple[list[AnyEvent], int]:
    """Leave out what was before an attempt, of which `begun` have begun so far; returns how many have by now."""
    if begun >= attempt:
        return events, begun
    for number, event in enumerate(events):
        begun += isinstance(event, Launch)
        if begun == attempt:
            return events[number:], begun
    return [], begun


def cancel(job: Job) -> None:
    """Ask a running job to stop; what it has finished is kept. Raises JobError if it does not run."""
    pid = _pid(job)
    if job.state != "running" or pid is None:
        raise JobError(f"the job {job.id} is not running: {job.state}", "inferdeck jobs lists them")
    os.kill(pid, signal.SIGTERM)
