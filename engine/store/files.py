"""Atomic file operations, file locks, and conversion of disk errors to two-line messages."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from engine.errors import InferdeckError, StoreError
from engine.text import clean, cut

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Convert the operating system's errors of reading or writing a file to StoreError."""
    try:
        yield
    except OSError as error:
        raise explained(error, path) from None


def user_error(error: BaseException) -> InferdeckError | None:
    """Return the user error for an exception; None for a bug. An OSError is one if it names a path."""
    if isinstance(error, OSError) and isinstance(error.filename, str | bytes):
        return explained(error, Path(os.fsdecode(error.filename)))
    return error if isinstance(error, InferdeckError) else None


def explained(error: OSError, path: Path) -> InferdeckError:
    """Return error and remedy for an operating system's error at `path`."""
    named = error.filename2 or error.filename  # of a rename the second name is the requested one
    where = clean(os.fsdecode(named) if isinstance(named, str | bytes) else str(path))
    if error.errno in _FULL:
        return StoreError(
            f"the disk is full at {where}", "free some space there, or use another disk: --home DIR moves the store"
        )
    if error.errno in _FORBIDDEN:
        return StoreError(f"no permission for {where}", "change its owner or its mode, or choose another folder")
    if error.errno in _NO_LOCKS:
        return StoreError(
            f"the file system of {where} has no file locks ({error.strerror})",
            "use a folder on a local disk: --home DIR, or INFERDECK_HOME",
        )
    if error.errno == errno.EFBIG:
        return StoreError(f"{where}: too large a file", "use a disk that holds larger files, or raise `ulimit -f`")
    if error.errno == errno.ENAMETOOLONG:
        return StoreError(f"{cut(where, 120)}: the name is too long", "use shorter names: 255 bytes are the most")
    return StoreError(f"{where}: {error.strerror or error}", "check the path and the disk")


def open_plain(path: Path, *, follow: bool = True) -> BufferedReader:
    """Open a regular file for reading. Raises OSError, also for a folder, a pipe and a device, without blocking on
    them.

    With `follow=False` a link is refused, too: what is checked is the opened file, not its name.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return os.fdopen(handle, "rb")


def read_plain(path: Path, limit: int = 1 << 30, *, follow: bool = True) -> bytes:
    """Return the content of a regular file of at most `limit` bytes. Raises OSError (EFBIG if it is larger)."""
    with open_plain(path, follow=follow) as file:
        # With a size argument Python would allocate that many bytes at once, whatever the file's size.
        if os.fstat(file.fileno()).st_size > limit or len(data := file.read()) > limit:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
    return data


@contextmanager
def new_beside(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file that replaces `path` if the block ends without an exception, and is removed otherwise.

    Its name is unpredictable and must be free: a link that somebody put into a shared folder is never written through.
    """
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(beside, flags, 0o666)
    except OSError as error:  # the temporary name would be meaningless in a message
        raise OSError(error.errno, error.strerror, str(path)) from None
    with os.fdopen(handle, "wb") as out:
        try:
            yield out
            out.flush()
            os.fsync(out.fileno())
            try:
                beside.replace(path)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(path)) from None  # not the temporary name
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file atomically: a reader sees the old or the new content, and it survives a power failure."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_beside(path) as out:
            out.write(data)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[int | None]:
    """Hold a file lock while the block runs and yield its file descriptor; None if another holds it (`wait=False`).

    The kernel frees the lock when the process ends, so no process ids have to be checked. A child that inherits the
    descriptor holds the lock for as long as it lives.
    """
    with disk_errors(path):
        handle = _lock_file(path)
    try:
        with disk_errors(path):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                taken = False
            else:
                taken = True
        yield handle if taken else None
    finally:
        os.close(handle)


def shared(path: Path) -> int:
    """Take a shared lock, and return its descriptor: closing it, or the end of the process, frees it."""
    with disk_errors(path):
        handle = _lock_file(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
        except OSError:
            os.close(handle)
            raise
    return handle


def _lock_file(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)


def is_locked(path: Path) -> bool:
    """Return whether some process holds the lock. Nothing is written, so a read-only home can be inspected."""
    with disk_errors(path):
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        return is_held(handle)


def is_held(handle: int) -> bool:
    """Return whether another open file holds the lock of this one, and close it. OSError: locks are not supported
    here."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder in alphabetical order, none if it does not exist.

    Raises StoreError if it can't be read.
    """
    with disk_errors(folder):
        try:
            return sorted(path.name for path in folder.iterdir())
        except FileNotFoundError:
            return []


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a regular file in lower-case hex, reading it in chunks."""
    with disk_errors(path), open_plain(path) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def digest(text: str) -> str:
    """Return the SHA-256 of a text in lower-case hex; a byte that is not UTF-8 counts as itself."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
