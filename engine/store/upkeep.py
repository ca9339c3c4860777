"""Maintenance of the store: unfinished attempts, and entries that were copied or moved."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine import codec
from engine.errors import StoreError
from engine.store.files import disk_errors, is_locked, locked, names_in, write_atomic
from engine.store.store import MANIFEST, Manifest, Store, StoredFile, look


@dataclass(frozen=True)
class Unfinished:
    """An unpublished attempt."""

    name: str
    bytes: int
    in_use: bool
    """Whether a process is building it now."""


def unfinished(store: Store) -> list[Unfinished]:
    """Return unpublished attempts with their sizes."""
    found = []
    for name in names_in(store.folder / "work"):
        lock = store.folder / "locks" / f"{name}.lock"
        found.append(Unfinished(name, _size(store.folder / "work" / name), in_use=is_locked(lock)))
    return found


def remove_attempt(store: Store, name: str) -> bool:
    """Delete an unpublished attempt; returns False if it does not exist or is in use."""
    work = store.folder / "work" / name
    with locked(store.folder / "locks" / f"{name}.lock", wait=False) as mine:
        if mine is None or not work.exists():
            return False
        with disk_errors(work):
            shutil.rmtree(work) if work.is_dir() and not work.is_symlink() else work.unlink()
    return True


def accept(store: Store, entry: str) -> Manifest:
    """Accept the files of an entry in their present state as published: after copying, moving to another disk,
    touching.

    Raises StoreError if the entry is damaged or being built.
    """
    with store.held(entry), disk_errors(store.entries / entry):
        manifest = store.manifest(entry)
        # before hashing, so that a later change is noticed
        seen = [] if manifest is None else [look(store.content(entry) / file.path) for file in manifest.files]
        fault = MANIFEST if manifest is None else store.damage(entry, manifest, deep=True)
        if manifest is None or fault is not None:
            raise StoreError(f"{entry} is damaged: {fault}", f"inferdeck store remove {entry}")
        files = tuple(_at(file, at) for file, at in zip(manifest.files, seen, strict=True))
        manifest = msgspec.structs.replace(manifest, files=files)
        write_atomic(store.entries / entry / MANIFEST, codec.encode(manifest))
    return manifest


def _at(file: StoredFile, seen: tuple[int, int, int] | None) -> StoredFile:
    if seen is None:
        return file
    _, mtime_ns, inode = seen
    return msgspec.structs.replace(file, mtime_ns=mtime_ns, inode=inode)


def _size(folder: Path) -> int:
    """Return the bytes of all readable regular files below a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total
