"""All runs of all jobs, cached so that they can be read at every start.

A finished job hardly ever changes, so its runs are read once (7 ms of processor time for eight runs) and cached in
`runs.json` in its folder, which is valid until one of the source files changes.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from engine import codec
from engine.errors import StoreError
from engine.explore.imported import all_imported, imported_runs
from engine.explore.origin import place
from engine.explore.pins import read_pins, with_changes
from engine.explore.run_reading import LARGEST, READ, job_runs
from engine.explore.runs import Run
from engine.jobs import jobs, places
from engine.jobs.removing import archive_folder
from engine.mlperf import TEST_FOLDER
from engine.store.files import digest, is_locked, names_in, read_plain, write_atomic
from engine.store.folders import Folders

FILE = "runs.json"


class _Kept(msgspec.Struct, frozen=True):
    """The runs of a job, and the state of its files when they were read."""

    sign: str
    runs: list[Run]


def all_runs(folders: Folders, without: Container[str] = ()) -> list[Run]:
    """Return every finished measurement of every job: newest job first, within it in plan order; then the imports.

    Changes against pinned runs are filled in. Jobs whose id is in `without` are left out. Raises StoreError where the
    folder of jobs can't be read.
    """
    found = (folder for folder in jobs.job_folders(folders) if folder.name not in without)
    here = [run for folder in found for run in _runs(folder)]
    return with_changes([*here, *all_imported(folders)], read_pins(folders))


def archived_runs(folders: Folders) -> list[Run]:
    """Return the measurements of all archived jobs."""
    place_ = archive_folder(folders)
    return [
        run
        for name in sorted(names_in(place_), reverse=True)
        for run in (_runs if name.startswith("r-") else imported_runs)(place_ / name)
    ]


def results_are_there(job: jobs.Job) -> bool:
    """Return whether the results folder of a job still holds all of its measurements."""
    if job.spec.results and not job.results.is_dir():
        return False
    return all(place(run) == Path(run.published) for run in _runs(job.folder) if run.published)


def _runs(job: Path) -> list[Run]:
    sign = _sign(job)
    kept = _kept(job / FILE)
    if kept is not None and kept.sign == sign:
        return kept.runs
    found = job_runs(job)
    with suppress(StoreError):  # a full disk, a read-only copy or another's folder: it is read again the next time
        if not is_locked(job / places.LOCK):
            write_atomic(job / FILE, codec.encode(_Kept(sign, found)))
    return found


def _kept(path: Path) -> _Kept | None:
    try:
        return codec.decode(read_plain(path, LARGEST), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None


def _sign(job: Path) -> str:
    """Return a digest of the state of every file that a job's runs are read from."""
    states = [_state(job / places.PLAN), *(_state(path) for path in _read_of(job / "steps"))]
    return digest("\n".join([_code(), *states]))[:32]


def _read_of(steps: Path) -> list[Path]:
    """Return the files of each step that are read; a compliance test has LoadGen's files in a subfolder."""
    try:
        folders = sorted(steps.iterdir())
    except OSError:
        return [steps]
    found = []
    for step in folders:
        outputs = (step / "output", step / "output" / TEST_FOLDER)
        found += [step / places.FINISHED, *(output / name for output in outputs for name in READ)]
    return found


def _state(path: Path) -> str:
    """Return the state of a file as text: ctime changes with content and permissions."""
    try:
        seen = path.stat()
    except OSError as error:
        return f"{path} {error.errno}"
    return f"{path} {seen.st_ino} {seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns}"


@cache
def _code() -> str:
    """Return the version of the code that reads runs: another one invalidates the cache."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
