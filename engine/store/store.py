"""The store: artifacts under the key of their recipe, published whole and safe under concurrent jobs.

entries/<component>-<key>/manifest.json   what it was made from, and every file with size, time, inode and digest
entries/<component>-<key>/content/        the artifact
work/<component>-<key>/                   an attempt that has not been published
locks/<component>-<key>.lock              held by the process that is making it
locks/<component>-<key>.use               held, shared, by the jobs that use it
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine import codec
from engine.errors import StoreError, UsageError, nearest
from engine.store.files import disk_errors, locked, sha256_of, shared, write_atomic
from engine.store.recipe import Cause, Damaged, NothingStored, Recipe, differences


class StoredFile(msgspec.Struct, frozen=True):
    """One file of an artifact as it was published."""

    path: str
    """Relative to the content folder."""
    size: int
    mtime_ns: int
    inode: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry is."""

    recipe: Recipe
    facts: dict[str, Any]
    files: tuple[StoredFile, ...]
    made: float
    """Seconds since the epoch."""
    seconds: float
    """How long it took to make."""

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Making:
    """An entry that is being made."""

    content: Path
    """The folder to fill."""
    lock: int
    """Descriptor of the lock: a child process that fills the folder must inherit it."""


_decoder: codec.Decoder[Manifest] = codec.Decoder(Manifest)


class Store:
    """The artifacts of one person on one machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries = folder / "entries"
        self._used: list[int] = []

    def content(self, entry: str) -> Path:
        """Return the folder with the artifact's files."""
        return self.entries / entry / "content"

    def manifest(self, entry: str) -> Manifest | None:
        """Return the manifest of an entry, or None where there is no such entry (or it can't be read)."""
        try:
            return _decoder.decode((self.entries / entry / "manifest.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
            return None
        except OSError as error:
            raise StoreError(
                f"{self.entries / entry}: {error.strerror}", "check the permissions of the store"
            ) from None

    def hit(self, recipe: Recipe) -> Manifest | None:
        """Return the manifest if the artifact is there and its files look as they were published."""
        entry = recipe.entry()
        manifest = self.manifest(entry)
        return manifest if manifest and self.damage(entry, manifest) is None else None

    def damage(self, entry: str, manifest: Manifest, *, deep: bool = False) -> str | None:
        """Return the first file that is not what was published; size, time and inode only unless `deep`."""
        content = self.content(entry)
        for file in manifest.files:
            try:
                seen = (content / file.path).stat()
            except OSError:
                return file.path
            if (seen.st_size, seen.st_mtime_ns, seen.st_ino) != (file.size, file.mtime_ns, file.inode):
                return file.path
            if deep and sha256_of(content / file.path) != file.sha256:
                return file.path
        return None

    def causes(self, recipe: Recipe) -> tuple[Cause, ...]:
        """Say why the artifact is not in the store: what differs from the nearest one of the same component."""
        entry = recipe.entry()
        manifest = self.manifest(entry)
        if manifest is not None:
            damaged = self.damage(entry, manifest)
            return (Damaged(damaged),) if damaged else ()
        others = [
            differences(recipe, found.recipe)
            for name in self.names()
            if name.startswith(f"{recipe.component}-")
            and (found := self.manifest(name)) is not None
            and found.recipe.component == recipe.component
        ]
        return min(others, key=len) if others else (NothingStored(),)

    def names(self) -> list[str]:
        """Return the names of all entries in alphabetical order."""
        try:
            return sorted(path.name for path in self.entries.iterdir())
        except FileNotFoundError:
            return []

    def named(self, start: str) -> str:
        """Return the one entry whose name or key begins with `start`. Raises UsageError for none or several."""
        names = self.names()
        found = [name for name in names if name == start]
        found = found or [name for name in names if name.startswith(start) or name.rpartition("-")[2].startswith(start)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"'{start}' fits {len(found)} entries of the store", ", ".join(found[:6]))
        raise UsageError(f"the store has no entry '{start}'", nearest(start, names) if names else "the store is empty")

    @contextmanager
    def making(self, recipe: Recipe, *, resumable: bool = False) -> Iterator[Making]:
        """Hold the lock of an entry and yield the folder to fill.

        A folder that an interrupted attempt left is emptied first, unless the step says it can go on with it.
        Waits for another process that makes the same entry; look for a hit again once inside.
        """
        work = self.folder / "work" / recipe.entry()
        with locked(self.folder / "locks" / f"{recipe.entry()}.lock") as lock:
            assert lock is not None
            with disk_errors(work):
                if work.exists() and not resumable:
                    shutil.rmtree(work)
                (work / "content").mkdir(parents=True, exist_ok=True)
            yield Making(work / "content", lock)

    def publish(self, recipe: Recipe, facts: dict[str, Any], seconds: float) -> Manifest:
        """Turn the filled folder into an entry by one rename. Call it inside `making`."""
        entry = recipe.entry()
        work = self.folder / "work" / entry
        with disk_errors(work):
            manifest = Manifest(
                recipe=recipe, facts=facts, files=tuple(_scan(work / "content")), made=time.time(), seconds=seconds
            )
            write_atomic(work / "manifest.json", codec.encode(manifest))
            self.entries.mkdir(parents=True, exist_ok=True)
            if (self.entries / entry).exists():
                self._drop(entry)
            work.rename(self.entries / entry)
        return manifest

    def use(self, entry: str) -> None:
        """Keep an entry from being removed until `release`, or until this process ends.

        A store that may only be read can't be kept so, and need not be.
        """
        with suppress(StoreError):
            self._used.append(shared(self.folder / "locks" / f"{entry}.use"))

    def release(self) -> None:
        """Let what was used be removed."""
        while self._used:
            os.close(self._used.pop())

    def remove(self, entry: str) -> None:
        """Delete an entry. Raises StoreError while a job makes or uses it."""
        locks = self.folder / "locks"
        with (
            locked(locks / f"{entry}.lock", wait=False) as mine,
            locked(locks / f"{entry}.use", wait=False) as unused,
        ):
            if mine is None or unused is None:
                doing = "made" if mine is None else "used"
                raise StoreError(
                    f"{entry} is being {doing} right now", "wait for that job, or cancel it: inferdeck jobs"
                )
            with disk_errors(self.entries / entry):
                self._drop(entry)

    def _drop(self, entry: str) -> None:
        """Take an entry out of sight by one rename before its files go, so that nobody ever sees half of it."""
        grave = self.folder / "work" / f".removed-{entry}-{os.getpid()}-{time.monotonic_ns()}"
        grave.parent.mkdir(parents=True, exist_ok=True)
        (self.entries / entry).rename(grave)
        shutil.rmtree(grave)


def _scan(content: Path) -> Iterator[StoredFile]:
    """List the files of an artifact with their digests, flushing them to the disk on the way."""
    for path in sorted(content.rglob("*")):
        if path.is_symlink():
            raise StoreError(f"{path} is a link", "an artifact holds its files itself: copy the file")
        if not path.is_file():
            continue
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
        seen = path.stat()
        yield StoredFile(
            path=path.relative_to(content).as_posix(),
            size=seen.st_size,
            mtime_ns=seen.st_mtime_ns,
            inode=seen.st_ino,
            sha256=sha256_of(path),
        )
