"""Safe access to an untrusted folder: a submission tree, its backup, a results folder.

Everything below its root is opened relative to the root's descriptor, one folder after another, and links are refused
everywhere. So reads and writes stay in the tree even if names change concurrently. The root itself is chosen by the
user and may be a link.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from engine.errors import DataError, UsageError, nearest
from engine.store.files import explained

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKS = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)
"""Errors of operating systems for a link that was not to be followed."""
_TEXT_LIMIT = 1 << 26

TOP = PurePosixPath()
"""The place of a tree's root."""


class Tree:
    """Reads, lists and writes below a root; places are relative to it, with forward slashes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def at(self, place: PurePosixPath) -> Path:
        """Return the full path of a place, for messages."""
        return self.root / place

    @contextmanager
    def folder(self, place: PurePosixPath, *, make: bool = False) -> Iterator[int]:
        """Yield the descriptor of a folder; `make` creates what is missing. Raises OSError with the path concerned."""
        handle, path = os.open(self.root, _FOLDER), self.root
        try:
            for name in place.parts:
                path = path / name
                handle, before = _below(handle, name, path, make=make), handle
                os.close(before)
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def open(self, place: PurePosixPath) -> Iterator[BinaryIO]:
        """Yield a plain file to read. Raises DataError for a link or special file, StoreError for other errors."""
        path = self.at(place)
        with self._faults(path), self.folder(place.parent) as folder:
            handle = os.open(place.name, _FILE, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise _odd(path)
        with os.fdopen(handle, "rb") as file:
            yield file

    def read(self, place: PurePosixPath, limit: int = _TEXT_LIMIT) -> bytes:
        """Return a file's content. Raises as `open` does, and DataError where it is larger than `limit` bytes."""
        with self.open(place) as file, self._faults(self.at(place)):
            data = file.read(limit + 1)
        if len(data) > limit:
            raise DataError(f"{self.at(place)} is larger than {limit:,} bytes", "a text is expected here")
        return data

    @contextmanager
    def new(self, place: PurePosixPath) -> Iterator[BinaryIO]:
        """Yield a file that is synced and renamed to the place when the block succeeds. Creates its folders."""
        with self._faults(self.at(place)), self.folder(place.parent, make=True) as folder:
            temporary = f".{secrets.token_hex(8)}.part"
            with os.fdopen(os.open(temporary, _NEW, 0o666, dir_fd=folder), "wb") as out:
                try:
                    yield out
                    out.flush()
                    os.fsync(out.fileno())
                    os.replace(temporary, place.name, src_dir_fd=folder, dst_dir_fd=folder)
                except BaseException:
                    with suppress(OSError):
                        os.unlink(temporary, dir_fd=folder)
                    raise

    def write(self, place: PurePosixPath, data: bytes) -> None:
        """Write a file atomically."""
        with self.new(place) as out:
            out.write(data)

    def exists(self, place: PurePosixPath) -> bool:
        """Return whether anything, even a link, has this name."""
        try:
            with self.folder(place.parent) as folder:
                os.stat(place.name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _fault(error, self.at(place)) from None
        return True

    def move_in(self, source: Path, place: PurePosixPath) -> None:
        """Move `source`, on the same file system and outside the tree, to a free place in it."""
        with self._faults(self.at(place)), self.folder(place.parent, make=True) as folder:
            os.rename(source, place.name, dst_dir_fd=folder)

    def move_out(self, place: PurePosixPath, target: Path) -> None:
        """Move what is at a place, even a link, out of the tree."""
        with self._faults(self.at(place)), self.folder(place.parent) as folder:
            os.rename(place.name, target, src_dir_fd=folder)

    def glob(self, pattern: str, *, links: bool = False) -> Iterator[PurePosixPath]:
        """Yield the places that match a pattern such as `results/*/mlperf.conf`, folder by folder.

        A pattern that ends in a slash matches only folders. Links that match are skipped, and so is what they lead to;
        with `links` they raise DataError.
        """
        yield from self._fitting(TOP, pattern.split("/"), links=links)

    def _fitting(self, place: PurePosixPath, patterns: list[str], *, links: bool) -> Iterator[PurePosixPath]:
        if patterns == [""]:
            yield place
            return
        with self._faults(self.at(place)), self.folder(place) as folder, os.scandir(folder) as entries:
            fitting = [entry for entry in entries if fnmatchcase(entry.name, patterns[0])]
            found = sorted((e.name, e.is_symlink(), e.is_dir(follow_symlinks=False)) for e in fitting)
        for name, is_link, is_folder in found:
            if is_link and links:
                raise _odd(self.at(place / name))
            if len(patterns) == 1 and not is_link:
                yield place / name
            elif is_folder:
                yield from self._fitting(place / name, patterns[1:], links=links)

    def files(self, place: PurePosixPath = TOP) -> Iterator[PurePosixPath]:
        """Yield every file below a place. Raises DataError for a link, a pipe, a socket or a device."""
        with self._faults(self.at(place)), self.folder(place) as folder, os.scandir(folder) as entries:
            found = sorted((e.name, e.is_dir(follow_symlinks=False), e.is_file(follow_symlinks=False)) for e in entries)
        for name, is_folder, is_file in found:
            if is_folder:
                yield from self.files(place / name)
            elif is_file:
                yield place / name
            else:
                raise _odd(self.at(place / name))

    @contextmanager
    def _faults(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _fault(error, path) from None


def literal(name: str) -> str:
    """Return the pattern that matches only this name."""
    return re.sub(r"([*?[])", r"[\1]", name)


def refuse_what_is_no_tree(tree: Path, divisions: Iterable[str]) -> None:
    """Raise UsageError for a folder without any division's folder, naming the nearest folder that has one."""
    if tree_divisions(tree, divisions):
        return
    wanted = " or ".join(f"{name}/" for name in divisions)
    below = [entry for entry in _folders(tree) if tree_divisions(entry, divisions)]
    remedy = "give the folder that holds closed/, open/ or network/"
    if tree.name in divisions:
        remedy = f"give the folder above it: {tree.parent}"
    elif below:
        remedy = f"did you mean {below[0]}?"
    elif spelled := next((entry.name for entry in _folders(tree) if entry.name.lower() in divisions), ""):
        remedy = f"rename {spelled} to {spelled.lower()}"
    raise UsageError(f"{tree} is not a submission: it has no folder {wanted}", remedy)


def tree_divisions(tree: Path, divisions: Iterable[str]) -> list[str]:
    """Return the divisions that have a folder here: empty where this is not a submission tree."""
    return [name for name in divisions if name in {entry.name for entry in _folders(tree)}]


def refuse_unknown_submitter(tree: Path, divisions: Iterable[str], submitter: str | None) -> None:
    """Raise UsageError where the given submitter has no folder in a tree."""
    if submitter is None:
        return
    known = {owner.name for name in tree_divisions(tree, divisions) for owner in _folders(tree / name)}
    if submitter not in known:
        same = [name for name in known if name.lower() == submitter.lower()]
        remedy = f"did you mean '{same[0]}'?" if same else nearest(submitter, known)
        raise UsageError(f"{tree} has no submitter '{submitter}'", remedy)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return []


def _below(handle: int, name: str, path: Path, *, make: bool) -> int:
    try:
        if make:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=handle)
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=handle)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _fault(error: OSError, path: Path) -> Exception:
    """Return the error for an operating system's error, with the full path."""
    where = Path(error.filename) if isinstance(error.filename, str) and "/" in error.filename else path
    if error.errno in _LINKS:
        return _odd(where)
    return explained(OSError(error.errno, error.strerror, str(where)), where)


def _odd(path: Path) -> DataError:
    if path.is_symlink():
        remedy = "put the file or folder itself in the link's place"
        return DataError(f"{path} is a link, and links in a submission are not followed", remedy)
    return DataError(f"{path} is not a plain file or folder in its place", "remove it, or put the right one there")
