"""The store: artifacts under the key of their recipe, published whole and safe under concurrent jobs.

entries/<component>-<key>/manifest.json   what it was made from, and every file with size, time, inode and digest
entries/<component>-<key>/content/        the artifact
work/<component>-<key>/                   an attempt that has not been published (`unfinished`, `clean`)
locks/<component>-<key>.lock              held by the process that is making it
locks/<component>-<key>.use               held, shared, by the jobs that use it
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine import codec
from engine.errors import StoreError, UsageError, nearest
from engine.store.files import disk_errors, explained, locked, names_in, read_plain, sha256_of, shared, write_atomic
from engine.store.recipe import Cause, Damaged, NothingStored, Recipe, differences


class StoredFile(msgspec.Struct, frozen=True):
    """A file of a published artifact."""

    path: str
    """Relative to the content folder."""
    size: int
    mtime_ns: int
    inode: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Metadata of an entry."""

    recipe: Recipe
    facts: dict[str, Any]
    files: tuple[StoredFile, ...]
    made: float
    """Seconds since the epoch."""
    seconds: float
    """Build time."""

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Making:
    """An entry that is being built."""

    content: Path
    """The folder to fill."""
    lock: int
    """Descriptor of the lock: a child process that fills the folder must inherit it."""


MANIFEST = "manifest.json"
LARGEST = 256 << 20
"""Bytes; the manifest of a data set of 50,000 files has ten megabytes."""

_decoder: codec.Decoder[Manifest] = codec.Decoder(Manifest)


class Store:
    """The artifacts of one user on one machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries = folder / "entries"
        self._used: list[int] = []

    def content(self, entry: str) -> Path:
        """Return the folder with the artifact's files."""
        return self.entries / entry / "content"

    def manifest(self, entry: str) -> Manifest | None:
        """Return the manifest of an entry, or None if it does not exist or is damaged.

        Raises StoreError if permission is denied.
        """
        path = self.entries / entry / MANIFEST
        try:
            return _decoder.decode(read_plain(path, LARGEST))
        except PermissionError as error:
            raise explained(error, path) from None
        except (OSError, msgspec.DecodeError):
            return None

    def readable(self) -> tuple[dict[str, Manifest], dict[str, str]]:
        """Return the manifests of all readable entries by name, and reason and remedy for each other entry."""
        found: dict[str, Manifest] = {}
        damaged: dict[str, str] = {}
        for name in self.names():
            try:
                manifest = self.manifest(name)
            except StoreError as error:
                damaged[name] = f"{error.what}: {error.remedy}"
                continue
            if manifest is None:
                damaged[name] = f"its {MANIFEST} is damaged: inferdeck store remove {name}"
            else:
                found[name] = manifest
        return found, damaged

    def hit(self, recipe: Recipe) -> Manifest | None:
        """Return the manifest if the artifact exists and its files are unchanged since they were published."""
        entry = recipe.entry()
        manifest = self.manifest(entry)
        return manifest if manifest and self.damage(entry, manifest) is None else None

    def damage(self, entry: str, manifest: Manifest, *, deep: bool = False) -> str | None:
        """Return the first file that differs from what was published.

        Checks size, time and inode, which is fast; with `deep` size and SHA-256, which alone decide.
        """
        content = self.content(entry)
        for file in manifest.files:
            path = content / file.path
            if deep:
                same = _is_plain(path) and path.stat().st_size == file.size and sha256_of(path) == file.sha256
            else:
                same = look(path) == (file.size, file.mtime_ns, file.inode)
            if not same:
                return file.path
        return None

    def causes(self, recipe: Recipe) -> tuple[Cause, ...]:
        """Return why the artifact is not in the store: the differences from the nearest one of the same component."""
        entry = recipe.entry()
        manifest = self.manifest(entry)
        if manifest is not None:
            damaged = self.damage(entry, manifest)
            return (Damaged(damaged),) if damaged else ()
        others = [
            differences(recipe, found.recipe)
            for name in self.names()
            if name.startswith(f"{recipe.component}-")
            and (found := self._manifest_or_none(name)) is not None
            and found.recipe.component == recipe.component
        ]
        return min(others, key=len) if others else (NothingStored(),)

    def _manifest_or_none(self, entry: str) -> Manifest | None:
        try:
            return self.manifest(entry)
        except StoreError:
            return None

    def names(self) -> list[str]:
        """Return the names of all entries in alphabetical order. Raises StoreError if they can't be listed."""
        return names_in(self.entries)

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

        What an interrupted attempt left in the folder is deleted first, unless the step is resumable. Blocks while
        another process builds the same entry; check for a hit again inside. After an exception the content is kept only
        if the step is resumable.
        """
        work = self.folder / "work" / recipe.entry()
        with disk_errors(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.folder / "locks" / f"{recipe.entry()}.lock") as lock:
            assert lock is not None
            with disk_errors(work):
                if work.exists() and not resumable:
                    shutil.rmtree(work)
                (work / "content").mkdir(parents=True, exist_ok=True)
            try:
                yield Making(work / "content", lock)
            except BaseException:
                if not resumable:
                    shutil.rmtree(work, ignore_errors=True)
                raise
            finally:
                _remove_if_empty(work)

    def publish(self, recipe: Recipe, facts: dict[str, Any], seconds: float) -> Manifest:
        """Publish the filled folder as an entry by one rename. To be called inside `making`."""
        entry = recipe.entry()
        work = self.folder / "work" / entry
        with disk_errors(work):
            manifest = Manifest(
                recipe=recipe, facts=facts, files=tuple(_scan(work / "content")), made=time.time(), seconds=seconds
            )
            write_atomic(work / MANIFEST, codec.encode(manifest))
            self.entries.mkdir(parents=True, exist_ok=True)
            if (self.entries / entry).exists():
                self._drop(entry)
            work.rename(self.entries / entry)
        return manifest

    def use(self, entry: str) -> None:
        """Protect an entry from removal until `release`, or until this process ends.

        A read-only store needs no protection, and gets none.
        """
        with suppress(StoreError):
            self._used.append(shared(self.folder / "locks" / f"{entry}.use"))

    def release(self) -> None:
        """End the protection of all entries."""
        while self._used:
            os.close(self._used.pop())

    def remove(self, entry: str) -> None:
        """Delete an entry. Raises StoreError while a job builds or uses it."""
        with (
            self.held(entry),
            locked(self.folder / "locks" / f"{entry}.use", wait=False) as unused,
            disk_errors(self.entries / entry),
        ):
            if unused is None:
                raise StoreError(f"{entry} is being used right now", "wait for that job, or cancel it: inferdeck jobs")
            self._drop(entry)

    @contextmanager
    def held(self, entry: str) -> Iterator[None]:
        """Hold the lock of an entry that no process is building. Raises StoreError if one is."""
        with locked(self.folder / "locks" / f"{entry}.lock", wait=False) as mine:
            if mine is None:
                raise StoreError(f"{entry} is being made right now", "wait for that job, or cancel it: inferdeck jobs")
            yield

    def _drop(self, entry: str) -> None:
        """Delete an entry, moving it away by one rename first, so that no process sees a part of it."""
        grave = self.folder / "work" / f".removed-{entry}-{os.getpid()}-{time.monotonic_ns()}"
        grave.parent.mkdir(parents=True, exist_ok=True)
        (self.entries / entry).rename(grave)
        if grave.is_dir() and not grave.is_symlink():
            shutil.rmtree(grave)
        else:
            grave.unlink()


def _remove_if_empty(work: Path) -> None:
    """Remove the empty folder of an attempt after another process built the entry."""
    for folder in (work / "content", work):
        with suppress(OSError):  # published, or not empty
            folder.rmdir()


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def look(path: Path) -> tuple[int, int, int] | None:
    """Return size, time and inode of a file; None if it does not exist."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_size, seen.st_mtime_ns, seen.st_ino


def _scan(content: Path) -> Iterator[StoredFile]:
    """List the files of an artifact with their digests, flushing them to the disk."""
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
