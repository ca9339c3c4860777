"""One measurement at a time per machine: a file lock shared by the jobs of all users and homes.

The file is in a world-writable folder; INFERDECK_LOCK_DIR moves it. `flock` releases the lock with the last process
that holds it, however that ended, and serves waiting processes in order. Lines in the file name the measuring jobs.
Anybody may have written them, so they are displayed but never relied on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from engine import codec
from engine.store.files import is_held, read_plain
from engine.text import clean, cut, whole_path

VARIABLE = "INFERDECK_LOCK_DIR"
FILE = "inferdeck-measuring.lock"
_BESIDE = "inferdeck-measuring-beside.lock"
"""Shared lock of jobs that measure despite the holder (--now): the next in line waits for them too."""

EXPLORING = "inferdeck-exploring.lock"
"""The same for explorations: between two trials of one no other may measure."""

_FOLDERS = ("/run/lock", "/tmp")  # noqa: S108  (shared on purpose; the file is opened with care)
_LONGEST = 4096
"""Bytes of the file that are read, and beyond which no line is added."""
_PATIENCE = 0.3
"""Seconds within which a free lock is certain to be granted."""
_LOOK = 0.25
"""Seconds between checks of the holder and of whether the wait was cancelled."""


class Measurer(msgspec.Struct, frozen=True):
    """A line of the lock file: a job that measures."""

    job: str
    user: str
    pid: int
    since: float
    """Seconds since the epoch."""

    @property
    def name(self) -> str:
        """Job and user, safe to print."""
        return cut(f"{clean(self.job)} of {clean(self.user)}", 80)

    @property
    def text(self) -> str:
        """The same with the time of day at which it started."""
        try:
            return f"{self.name}, measuring since {time.strftime('%H:%M', time.localtime(self.since))}"
        except (OverflowError, ValueError, OSError):
            return self.name


_decoder: codec.Decoder[Measurer] = codec.Decoder(Measurer)


def lock_file() -> Path:
    """Return the lock file of this machine.

    It must be the same for every user: the criterion is whether all may write to the folder, not whether this one may.
    """
    if given := os.environ.get(VARIABLE):
        return whole_path(given) / FILE
    return next((Path(one) for one in _FOLDERS if _is_shared(one)), Path(_FOLDERS[-1])) / FILE


def _is_shared(folder: str) -> bool:
    try:
        mode = Path(folder).stat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX) and bool(mode & stat.S_IWOTH)


def measurers(path: Path) -> list[Measurer]:
    """Return the measuring jobs according to the lock file; invalid lines are skipped."""
    try:
        lines = read_plain(path, _LONGEST, follow=False).splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with suppress(msgspec.DecodeError):
            found.append(_decoder.decode(line))
    return found


def lock_status() -> str:
    """Return the state of the lock as text: free, held by whom, or why measurements can't be serialised."""
    path = lock_file()
    try:
        return f"{path}, held by {_holder(path)}" if is_held(_open(path)) else f"{path}, free"
    except OSError as error:
        return _unusable(path, error)


def holder() -> str:
    """Return the job that measures on this machine now; empty where there is none or it is unknown."""
    path = lock_file()
    try:
        return _holder(path) if is_held(_open(path)) else ""
    except OSError:
        return ""


def _unusable(path: Path, error: OSError) -> str:
    return f"measurements are not serialised: {clean(str(path))}: {error.strerror or error}"


def _holder(path: Path) -> str:
    found = measurers(path)
    return found[0].text if found else f"another process holding {clean(str(path))}"


def _open(path: Path) -> int:
    """Open the lock file and return its descriptor, which children do not inherit by default.

    First without O_CREAT, which the kernel refuses for another user's file in a sticky folder (fs.protected_regular),
    and without following links. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    for _ in range(10):
        with suppress(FileNotFoundError):
            return _checked(_existing(path, flags))
        with suppress(FileExistsError):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, 0o666)
            os.fchmod(handle, 0o666)  # whatever the umask: the next user must be able to write a line
            return handle
    raise OSError(errno.EAGAIN, "it comes and goes", str(path))


def _existing(path: Path, flags: int) -> int:
    try:
        return os.open(path, os.O_RDWR | flags)
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags)


def _checked(handle: int) -> int:
    """Refuse anything but a plain file with a single name: a device, or a hard link to another file."""
    seen = os.fstat(handle)
    if not stat.S_ISREG(seen.st_mode) or seen.st_nlink > 1:
        os.close(handle)
        raise OSError(errno.EINVAL, "not a plain file")
    return handle


class Turn:
    """A job's turn to measure. A thread waits for the lock, so that the wait can be cancelled."""

    def __init__(self, job: str, file: str = FILE) -> None:
        self.path = lock_file().with_name(file)
        self.fault = ""
        """Why measurements can't be serialised here; empty where they can."""
        self.locks: tuple[int, ...] = ()
        """Descriptors that hold the lock: measuring processes must inherit them."""
        self._me = Measurer(job, _user(), os.getpid(), 0.0)
        self._joined: frozenset[str] = frozenset()
        self._mutex = threading.Lock()
        self._over = False
        self._answered = threading.Event()
        threading.Thread(target=self._ask, daemon=True).start()

    def wait(self, is_off: Callable[[], bool], now: Callable[[], bool], report: Callable[[str], None]) -> bool:
        """Wait for the lock, and return whether there was a wait.

        `tell` is called with the holder, and again when it changes. Returns without the lock where `is_off` says that
        the wait is cancelled, where `now` says not to wait, and where locking is impossible (`fault`).
        """
        if self._answered.wait(_PATIENCE):
            return False
        reported = ""
        while not (is_off() or now()):
            holder = _holder(self.path)
            if holder != reported:
                report(holder)
                reported = holder
            if self._answered.wait(_LOOK):
                return True
        if not is_off():
            self._join()
        return bool(reported)

    def disturbed(self) -> str:
        """Return which other jobs measured at the same time; empty where none is known."""
        lines = measurers(self.path)
        others = {one.name for one in lines if one != self._me} if self._me in lines else set()
        others |= self._joined
        return f"{', '.join(sorted(others))} measured at the same time (--now)" if others else ""

    def end(self) -> None:
        """Release the lock, or stop waiting for it."""
        with self._mutex:
            self._over = True
            if self.locks:
                _write(self.path, [one for one in measurers(self.path) if one != self._me])
            for handle in self.locks:
                os.close(handle)
            self.locks = ()

    def _join(self) -> None:
        """Measure despite the holder, recording it in the file."""
        with self._mutex:
            if self._answered.is_set():
                return
            self._me = msgspec.structs.replace(self._me, since=time.time())
            there = measurers(self.path)
            self._joined = frozenset(one.name for one in there) or frozenset({"another process"})
            with suppress(OSError):
                handle = _open(self.path.with_name(_BESIDE))
                self.locks = (handle,)
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            _write(self.path, [*there, self._me])

    def _ask(self) -> None:
        try:
            handle = _granted(self.path)
            self._let_others_end()
        except OSError as error:
            self.fault = _unusable(self.path, error)
            self._answered.set()
            return
        with self._mutex:
            if self._over:
                os.close(handle)
                return
            self.locks = (*self.locks, handle)
            if not self._joined:
                self._me = msgspec.structs.replace(self._me, since=time.time())
                _write(self.path, [self._me])
            self._answered.set()

    def _let_others_end(self) -> None:
        """Wait for jobs that measured alongside the previous holder."""
        with suppress(OSError):
            handle = _open(self.path.with_name(_BESIDE))
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            finally:
                os.close(handle)


def _granted(path: Path) -> int:
    """Wait for the lock and return the descriptor that holds it. Raises OSError."""
    while True:
        handle = _open(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_there(handle, path):
                return handle
        except OSError:
            os.close(handle)
            raise
        os.close(handle)  # the file was removed meanwhile, and others lock the new one


def _is_there(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _write(path: Path, lines: Sequence[Measurer]) -> None:
    """Record who measures, the holder first. Where that fails (another user's file, a full disk) nobody is named."""
    with suppress(OSError):
        handle = _checked(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
        try:
            os.ftruncate(handle, 0)
            os.write(handle, b"".join(codec.encode(one) + b"\n" for one in lines)[:_LONGEST])
        finally:
            os.close(handle)


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


@contextmanager
def turn(job: str, file: str = FILE) -> Iterator[Turn]:
    """Wait for the turn to measure (or with `file`, for what that lock stands for), and release it at the end."""
    found = Turn(job, file)
    try:
        yield found
    finally:
        found.end()
