"""All runs of all jobs, fast enough to be read at every start: what a job's runs said is kept beside them.

A finished job never changes, so its runs are read once (7 ms of processor time for eight runs) and then taken from
`runs.json` in its folder for as long as nothing in the folder has another time.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from engine import codec
from engine.errors import StoreError
from engine.explore.reading import job_runs
from engine.explore.runs import Run
from engine.store.files import digest, is_locked, write_atomic
from engine.store.folders import Folders

FILE = "runs.json"


class _Kept(msgspec.Struct, frozen=True):
    """The runs of a job, and what its folder looked like when they were read."""

    sign: str
    runs: list[Run]


def all_runs(folders: Folders) -> list[Run]:
    """Return every finished measurement of every job: the newest job first, in it the order of its plan."""
    return [run for job in sorted(folders.jobs.glob("r-*"), reverse=True) for run in _runs(job)]


def _runs(job: Path) -> list[Run]:
    sign = _sign(job)
    kept = _kept(job / FILE)
    if kept is not None and kept.sign == sign:
        return kept.runs
    found = job_runs(job)
    if not is_locked(job / "run.lock"):
        try:
            write_atomic(job / FILE, codec.encode(_Kept(sign, found)))
        except StoreError:
            return found  # a full disk or another's folder: it is read again the next time
    return found


def _kept(path: Path) -> _Kept | None:
    try:
        return codec.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _sign(job: Path) -> str:
    """Return a digest of the times of what a job's runs are read from."""
    places = [job / "plan.json", job / "events.jsonl", *_inside(job / "steps")]
    times = [f"{place.name} {_changed(place)}" for place in places]
    return digest("\n".join([_code(), str(job), *times]))[:32]


def _inside(steps: Path) -> list[Path]:
    """The folders in which files of a step come and go; a compliance test has LoadGen's files one further down."""
    found = sorted(path for path in steps.glob("*") if path.is_dir())
    return [place for step in found for place in (step, step / "output", step / "output" / "performance")]


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@cache
def _code() -> str:
    """What reads the runs: another version of it reads them anew."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
