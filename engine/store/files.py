"""Small file operations that must not leave half a file behind, with disk errors said in two lines."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import InferdeckError, StoreError


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the disk errors that a person can mend into StoreError; anything else stays what it is."""
    try:
        yield
    except OSError as error:
        raise explained(error, path) from None


def explained(error: OSError, path: Path) -> InferdeckError:
    """Return what happened and what to do for an operating system's error at `path`."""
    where = error.filename or path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"the disk is full at {where}", "free some space or move the store: --home DIR")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(f"no permission to write {where}", "choose another folder or change its owner")
    return StoreError(f"{where}: {error.strerror or error}", "check the path and the disk")


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, and so that it survives a power cut."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[int | None]:
    """Hold a file lock while the block runs and yield its file descriptor; None where another holds it (`wait=False`).

    The lock goes with the process, however it ends, so nobody has to guess whether a process id is still the same. A
    child that inherits the descriptor keeps the lock held for as long as it lives.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
            return
        yield handle.fileno()


def is_locked(path: Path) -> bool:
    """Say whether some process holds the lock."""
    if not path.exists():
        return False
    with locked(path, wait=False) as mine:
        return mine is None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in lower-case hex, reading it in pieces."""
    with disk_errors(path), path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def digest(text: str) -> str:
    """Return the SHA-256 of a text in lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()
