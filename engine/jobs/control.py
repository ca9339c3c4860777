"""Start, resume and cancel jobs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Literal

import msgspec

from engine import codec
from engine.errors import JobError
from engine.events import Launch
from engine.jobs import places
from engine.jobs.event_log import EventReader
from engine.jobs.job_spec import JobSpec
from engine.jobs.jobs import Job, all_jobs, process_id, read
from engine.jobs.removing import archive_folder
from engine.store.files import disk_errors, is_locked, locked, write_atomic
from engine.store.folders import Folders

_GRACE = 10
"""How many times to wait 1/20 s for a killed process to disappear."""

NEARLY_FULL = 1_000_000
"""Bytes; with less free space a job can't even write its log."""

Start = Literal["new", "resumed", "joined"]
"""Whether a command created, resumed or joined a job; `joined` means that it was already running."""


def create(folders: Folders, spec: JobSpec) -> Path:
    """Create the folder of a new job under the next free number and write its plan."""
    with disk_errors(folders.jobs):
        # Commands, paths and logs are the user's own business, whatever the umask is.
        folders.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        folders.jobs.mkdir(exist_ok=True)
        used = (*folders.jobs.glob("r-*"), *archive_folder(folders).glob("r-*"))
        taken = [int(path.name[2:]) for path in used if path.name[2:].isdecimal()]
        number = max(taken, default=0) + 1
        while True:
            folder = folders.jobs / f"r-{number:04d}"
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                number += 1
            else:
                break
    write_atomic(folder / places.PLAN, codec.encode(spec))
    return folder


def launch(folder: Path, folders: Folders, *, wait: float = 20.0) -> None:
    """Start the job's process in its own session and wait until its log says that it runs.

    Raises JobError if it ends earlier.
    """
    events = folder / places.EVENTS
    reader = EventReader(events, events.stat().st_size if events.exists() else 0)
    environment = {**os.environ}
    if folders.state.parent == folders.store.parent:
        environment["INFERDECK_HOME"] = str(folders.state.parent)
    with disk_errors(folder), (folder / places.LOG).open("ab") as log:
        log_start = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.jobs.main", str(folder)],
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
    raise _not_started(folder, log_start, process.poll(), wait)


def _not_started(folder: Path, log_start: int, status: int | None, waited: float) -> JobError:
    """Return why a job did not start, according to its process, its log and the disk."""
    log = folder / places.LOG
    with log.open("rb") as file:
        file.seek(log_start)
        lines = file.read(1 << 20).decode("utf-8", "replace").strip().splitlines()
    remedy = f"see {log}"
    if lines:
        why = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    elif shutil.disk_usage(folder).free < NEARLY_FULL:
        why, remedy = f"the disk is full at {folder}", "free some space, then the same command resumes it"
    elif status is None:
        why = f"its process has reported nothing for {waited:g} s"
    elif status < 0:
        why, remedy = f"its process was ended by {signal.Signals(-status).name}", "give the same command again"
    else:
        why = f"its process ended with status {status} and reported nothing"
    return JobError(f"the job {folder.name} did not start: {why}", remedy)


def begin(folders: Folders, spec: JobSpec) -> tuple[Job, Start]:
    """Start a job, or resume or join an equal one; returns the job, and which of these happened.

    An equal job that runs is joined, one that stopped is resumed. Equal commands at the same time start one job. Raises
    JobError where it does not start.
    """
    with locked(folders.jobs / "start.lock"):
        same = next((job for job in all_jobs(folders) if job.spec.fingerprint() == spec.fingerprint()), None)
        if same is not None and same.state == "running":
            same = _after_workers_ended(same)
        if same is not None and same.state == "running":
            if spec.now:
                measure_now(same)
            return same, "joined"
        how: Start = "new"
        if same is None or same.state == "finished" or spec.again:
            folder = create(folders, spec)
        else:
            folder, how = _resumed(same, spec), "resumed"
        launch(folder, folders)
    return read(folder), how


def _resumed(job: Job, spec: JobSpec) -> Path:
    """Update the spec of a stopped job before it is resumed: only `now` may change."""
    if job.spec.now != spec.now:
        write_atomic(job.folder / places.PLAN, codec.encode(msgspec.structs.replace(job.spec, now=spec.now)))
    return job.folder


def measure_now(job: Job) -> None:
    """Let a job that waits for another job's measurement start; its figures are marked as disturbed."""
    with disk_errors(job.folder):
        (job.folder / places.NOW).touch()


def _after_workers_ended(job: Job) -> Job:
    """Return the job's state after the workers of a killed one have ended, which takes a moment."""
    pid = process_id(job)
    for _ in range(_GRACE):
        if not is_locked(job.folder / places.LOCK):
            return read(job.folder)
        time.sleep(0.05)
    while not _is_alive(pid):
        if not is_locked(job.folder / places.LOCK):
            return read(job.folder)
        time.sleep(0.05)
    return job


def _is_alive(pid: int | None) -> bool:
    """Return whether a process exists and is not a zombie."""
    if pid is None:
        return True
    import psutil  # noqa: PLC0415  (start-up: only this rare case needs it)

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def cancel(job: Job) -> None:
    """Ask a running job to stop; its finished steps are kept. Raises JobError if it does not run."""
    pid = process_id(job)
    if job.state != "running" or pid is None:
        raise JobError(f"the job {job.id} is not running: {job.state}", "inferdeck jobs lists them")
    os.kill(pid, signal.SIGTERM)
