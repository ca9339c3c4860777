"""The jobs of one person on one machine: start, find, follow, cancel.

No daemon and no process ids: a job is its folder, and it lives while its lock is held.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from engine import codec
from engine.errors import JobError, nearest
from engine.events import AnyEvent, Done, Launch, StepEnded, Waiting
from engine.job.log import EventReader
from engine.job.spec import JobSpec
from engine.store.files import disk_errors, is_locked, locked, write_atomic
from engine.store.folders import Folders
from engine.text import clean

_GRACE = 10
"""Twentieths of a second that a killed process gets to disappear."""

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
        folders.jobs.mkdir(parents=True, exist_ok=True)
        taken = [int(path.name[2:]) for path in folders.jobs.glob("r-*") if path.name[2:].isdigit()]
        number = max(taken, default=0) + 1
        while True:
            folder = folders.jobs / f"r-{number:04d}"
            try:
                folder.mkdir()
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
    reader = EventReader(folder / "events.jsonl")
    reader.read()
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
    said = (folder / "job.log").read_bytes()[said_before:].decode("utf-8", "replace").strip().splitlines()
    bug = bool(said) and said[0].startswith("Traceback")
    word = "no word from it" if not said else said[-1] if bug else said[0]
    raise JobError(f"the job {folder.name} did not start: {word}", f"see {folder / 'job.log'}")


def read(folder: Path) -> Job:
    """Read a job's state from its folder. Raises JobError where it holds no job."""
    try:
        spec = codec.decode((folder / "plan.json").read_bytes(), type=JobSpec)
    except FileNotFoundError:
        raise JobError(f"there is no job {folder.name}", "inferdeck jobs lists them") from None
    except msgspec.DecodeError as error:
        raise JobError(f"{folder / 'plan.json'} is not a plan of this version: {error}", "start the job anew") from None
    events = EventReader(folder / "events.jsonl").read(ticks=False)
    launches = [event for event in events if isinstance(event, Launch)]
    last = events[-1] if events else None
    state = _state(folder, last)
    return Job(
        id=folder.name,
        folder=folder,
        state=state,
        spec=spec,
        started=launches[0].at if launches else (folder / "plan.json").stat().st_mtime,
        ended=last.at if isinstance(last, Done) else None,
        steps_ended=_done(events),
        results=spec.results_folder(folder),
        waits=clean(last.holder) if state == "running" and isinstance(last, Waiting) else "",
    )


def _done(events: list[AnyEvent]) -> int:
    """Count the steps that ended well; what was stopped or failed may have been made by a later attempt."""
    last = {event.step: event.outcome for event in events if isinstance(event, StepEnded)}
    return sum(outcome not in ("failed", "cancelled", "skipped") for outcome in last.values())


def _state(folder: Path, last: AnyEvent | None) -> JobState:
    if is_locked(folder / "run.lock"):
        return "running"
    if isinstance(last, Done):
        return last.ending
    return "died" if last is not None else "new"


def all_jobs(folders: Folders) -> list[Job]:
    """Return every readable job, the newest first."""
    found = []
    for folder in sorted(folders.jobs.glob("r-*"), reverse=True):
        try:
            found.append(read(folder))
        except JobError:
            continue
    return found


def named(folders: Folders, name: str | None) -> Job:
    """Return the job of that id (or number), or the newest without one."""
    jobs = all_jobs(folders)
    if name is None:
        if not jobs:
            raise JobError("there are no jobs yet", "inferdeck demo starts one")
        return jobs[0]
    wanted = f"r-{int(name):04d}" if name.isdigit() else name
    for job in jobs:
        if job.id == wanted:
            return job
    raise JobError(f"there is no job '{name}'", nearest(wanted, (job.id for job in jobs)) if jobs else "none exist yet")


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
    launches = [event for event in EventReader(job.events).read(ticks=False) if isinstance(event, Launch)]
    return launches[-1].pid if launches else None


def _is_alive(pid: int | None) -> bool:
    """Say whether a process is there; one that nobody has waited for yet (a zombie) is not."""
    if pid is None:
        return True
    import psutil  # noqa: PLC0415  (start-up: only this rare case needs it)

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def equal(folders: Folders, fingerprint: str, state: JobState) -> Job | None:
    """Return the newest job in that state that does the same."""
    return next(
        (job for job in all_jobs(folders) if job.state == state and job.spec.fingerprint() == fingerprint), None
    )


def follow(job: Job, *, interval: float = 0.25) -> Iterator[list[AnyEvent]]:
    """Yield what the job says, from the beginning, until it is over. An empty list means nothing new.

    The last list ends with `done`, unless the job died: then the iteration just ends.
    """
    reader = EventReader(job.events)
    while True:
        alive = is_locked(job.folder / "run.lock")
        events = reader.read()
        yield events
        if not alive:
            return
        if not events or not isinstance(events[-1], Done):
            time.sleep(interval)


def cancel(job: Job) -> None:
    """Ask a running job to stop; what it has finished is kept. Raises JobError if it does not run."""
    pid = _pid(job)
    if job.state != "running" or pid is None:
        raise JobError(f"the job {job.id} is not running: {job.state}", "inferdeck jobs lists them")
    os.kill(pid, signal.SIGTERM)
