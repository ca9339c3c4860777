"""Archive, restore and delete jobs: their folders, with the results that lie in them.

An archived job is out of every list and keeps its number; deleting can't be undone. Results that a job wrote into a
folder of the user's own are never touched, and neither is the store.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InferdeckError, JobError, StoreError, UsageError, nearest
from engine.jobs import places
from engine.jobs.job_spec import read_spec
from engine.store.files import disk_errors, is_locked, names_in
from engine.store.folders import Folders

IMPORTED = "imported"
"""Folder in the state folder with the results of other machines (engine.explore.imported)."""


_NAMED = 6
"""Runs that are named before something is removed."""


@dataclass(frozen=True)
class Removal:
    """What archiving or deleting a job affects."""

    name: str
    folder: Path
    bytes: int
    """Size of all files in its folder."""
    elsewhere: str = ""
    """The results folder of the user's own, which stays; empty where the results are in the job's folder."""


def archive_folder(folders: Folders) -> Path:
    """Return the folder of archived jobs."""
    return folders.state / "archive"


def removal(folders: Folders, word: str, *, archived: bool = False) -> Removal:
    """Return what removing a job affects. `word` is its id, its number, one of its runs, or an import's name.

    Raises UsageError where there is none, JobError where it runs.
    """
    known = {name: folders.jobs / name for name in names_in(folders.jobs) if name.startswith("r-")}
    known |= {name: folders.state / IMPORTED / name for name in names_in(folders.state / IMPORTED)}
    if archived:
        known = {name: archive_folder(folders) / name for name in names_in(archive_folder(folders))}
    head = word.partition("/")[0]
    name = f"r-{head.lstrip('0').zfill(4)}" if head.isdecimal() else head
    if name not in known:
        what = "archived job" if archived else "job"
        raise UsageError(f"there is no {what} '{word}'", nearest(name, known) if known else "there are none")
    folder = known[name]
    if (folder / places.LOCK).exists() and is_locked(folder / places.LOCK):
        raise JobError(f"{name} is running", f"inferdeck cancel {name} stops it")
    return Removal(name, folder, _size(folder), _elsewhere(folder))


def archive(folders: Folders, found: Removal) -> Path:
    """Move a job out of all lists; returns its folder."""
    return _moved(found.folder, archive_folder(folders) / found.name)


def restore(folders: Folders, found: Removal) -> Path:
    """Move an archived job back into the lists; returns its folder."""
    place = folders.jobs if found.name.startswith("r-") else folders.state / IMPORTED
    return _moved(found.folder, place / found.name)


def delete(found: Removal) -> None:
    """Delete a job's folder, moving it away by one rename first, so that no reader sees a part of it."""
    grave = found.folder.with_name(f".deleted-{found.name}")
    with disk_errors(found.folder):
        if grave.exists():
            shutil.rmtree(grave)
        found.folder.rename(grave)
        shutil.rmtree(grave)


def effect(found: Removal, runs: list[str], *, deletes: bool) -> str:
    """Return what happens to a job, its runs and its results, as sentences."""
    count = "run" if len(runs) == 1 else f"{len(runs)} runs"
    measured = f"its {count} ({', '.join(runs[:_NAMED])}{' and more' if len(runs) > _NAMED else ''})" if runs else ""
    what = f"{found.name}{f' with {measured}' if measured else ''}"
    said = f"deletes {what} for good" if deletes else f"takes {what} out of all lists; it can be restored"
    kept = f". The results in {found.elsewhere} stay" if found.elsewhere else ""
    return f"{said}{kept}"


def _moved(folder: Path, place: Path) -> Path:
    if place.exists():
        raise StoreError(f"{place} exists already", "move it away")
    with disk_errors(place):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.rename(place)
    return place


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total


def _elsewhere(folder: Path) -> str:
    try:
        return read_spec(folder).results
    except InferdeckError:
        return ""
