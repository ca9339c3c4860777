"""Listings of the user's folders, for surveys: names, and the state of each file.

A file that is replaced in place does not change its folder's times, so all files are checked. The screen surveys on
every key press; a recent listing is therefore reused, for ten times as long as it took, and no longer than the folder's
own times are unchanged. A job lists in a process of its own, and once more when a step has ended (engine.jobs.runner),
so that no artifact is stored under the identity of files that changed meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.errors import DataError
from engine.store.files import digest
from engine.text import clean

AGE = 10.0
"""Maximum age of a reused listing, in units of the time it took: listing takes less than a tenth of the time."""
MOST_SECONDS = 60.0
QUICK_SECONDS = 0.02
"""A listing that takes no longer is never reused."""
KEPT = 2048
"""Folders that are cached."""
SHOWN = 5
"""Names that a message gives as examples."""

IMAGE_ENDINGS = (".jpeg", ".jpg", ".png", ".bmp", ".webp", ".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class Listing:
    """One folder, not recursive. A reused listing is the same object."""

    folder: Path
    files: dict[str, str]
    """Regular files, links to them included: name → size and times."""
    folders: tuple[str, ...]
    others: dict[str, str]
    """Entries that can't be read as a file: name → reason."""
    seconds: float
    """How long the listing took."""

    def odd(self, name: str) -> str:
        """Return why an existing name can't be read as a file; empty for a file, and for a missing name."""
        return self.others.get(name, "a folder" if name in self.folders else "")

    @cached_property
    def images(self) -> list[str]:
        """The names with an image file extension, sorted."""
        return sorted(name for name in self.files if name.lower().endswith(IMAGE_ENDINGS))

    @cached_property
    def identity(self) -> str:
        """A digest over the names of the images and the state of their files."""
        return digest("\n".join(f"{name}\0{self.files[name]}" for name in self.images))


def stamp(seen: os.stat_result) -> str:
    """Return a text that changes when a file does: size, mtime and ctime.

    The ctime is included because the mtime can be set back (cp -p, rsync -t, touch -r), and a file that is moved here
    gets a new one. The inode would add nothing, and on FAT and FUSE it may change by itself.
    """
    return f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns}"


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Convert the operating system's errors about a user's file or folder to DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{clean(str(path))} cannot be read: {error.strerror or error}", "check its name and permissions"
        ) from None


def listing(folder: Path) -> Listing:
    """List a folder. Raises DataError if it is none or can't be read."""
    with readable(folder):
        state = stamp(folder.stat())
        known = _seen.get(folder)
        if known is not None and known[0] == state and time.monotonic() < known[1]:
            return known[2]
        found = _look(folder)
    if len(_seen) >= KEPT:
        _seen.clear()
    if found.seconds > QUICK_SECONDS:
        _seen[folder] = state, time.monotonic() + min(AGE * found.seconds, MOST_SECONDS), found
    return found


_seen: dict[Path, tuple[str, float, Listing]] = {}


def _look(folder: Path) -> Listing:
    started = time.monotonic()
    files: dict[str, str] = {}
    folders: list[str] = []
    others: dict[str, str] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                seen = entry.stat()
            except OSError as error:
                if entry.is_symlink():
                    others[entry.name] = "a link to nothing" if error.errno == errno.ENOENT else str(error.strerror)
                elif error.errno != errno.ENOENT:  # deleted meanwhile
                    raise  # a folder whose names are readable and whose files are not
                continue
            if stat.S_ISREG(seen.st_mode):
                files[entry.name] = stamp(seen)
            elif stat.S_ISDIR(seen.st_mode):
                folders.append(entry.name)
            else:
                others[entry.name] = "a pipe, socket or device"
    return Listing(folder, files, tuple(sorted(folders)), others, time.monotonic() - started)


def shown(names: Sequence[str], *, limit: int = SHOWN, between: str = ", ") -> str:
    """Format the first few names, cleaned, and the number of the others."""
    return between.join([*(clean(name) for name in names[:limit]), *(["..."] if len(names) > limit else [])])
