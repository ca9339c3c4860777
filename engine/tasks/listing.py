"""What lies in a folder of the person's, for surveys: names, and what tells each file from another of its name.

A file that is replaced in place leaves the times of its folder as they were, so all files are looked at. The screen
surveys on every key press; what was seen a moment ago is therefore used again, for ten times as long as looking took,
and no longer than the folder's own times stay the same. A job looks in a process of its own, and once more when a
step has ended (engine.jobs.runner), so that nothing is kept under the identity of files that have changed meanwhile.
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
"""How old a look may be, in units of the time it took: what is spent on looking stays below a tenth."""
MOST_SECONDS = 60.0
QUICK_SECONDS = 0.02
"""A look that takes no longer is taken anew every time."""
KEPT = 2048
"""Folders that are remembered."""
SHOWN = 5
"""Names that a message gives as examples."""

IMAGE_ENDINGS = (".jpeg", ".jpg", ".png", ".bmp", ".webp", ".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class Listing:
    """One folder, not what is below it. As long as a look is used again it is the same object."""

    folder: Path
    files: dict[str, str]
    """Plain files, links to them included: name → size and times."""
    folders: tuple[str, ...]
    others: dict[str, str]
    """What can't be read as a file: name → why."""
    seconds: float
    """How long looking took."""

    def odd(self, name: str) -> str:
        """Say what a name is that is there and can't be read as a file; empty for a file, and where nothing is."""
        return self.others.get(name, "a folder" if name in self.folders else "")

    @cached_property
    def images(self) -> list[str]:
        """The names that end as those of images do, sorted."""
        return sorted(name for name in self.files if name.lower().endswith(IMAGE_ENDINGS))

    @cached_property
    def identity(self) -> str:
        """A digest over the names of the images and the state of their files."""
        return digest("\n".join(f"{name}\0{self.files[name]}" for name in self.images))


def stamp(seen: os.stat_result) -> str:
    """Return what changes when a file does: size and both times.

    The time of the last change of state is among it, because the other can be set back (cp -p, rsync -t, touch -r), and
    a file that is moved here gets a new one. So the inode adds nothing, and on FAT and FUSE it may change by itself.
    """
    return f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns}"


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn the operating system's errors about a person's file or folder into DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{clean(str(path))} cannot be read: {error.strerror or error}", "check its name and permissions"
        ) from None


def listing(folder: Path) -> Listing:
    """Look at a folder. Raises DataError where it is none or can't be read."""
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
                elif error.errno != errno.ENOENT:  # gone meanwhile
                    raise  # a folder whose names may be read and whose files may not
                continue
            if stat.S_ISREG(seen.st_mode):
                files[entry.name] = stamp(seen)
            elif stat.S_ISDIR(seen.st_mode):
                folders.append(entry.name)
            else:
                others[entry.name] = "a pipe, socket or device"
    return Listing(folder, files, tuple(sorted(folders)), others, time.monotonic() - started)


def shown(names: Sequence[str], *, limit: int = SHOWN, between: str = ", ") -> str:
    """Write the first few names, cleaned, and that there are more."""
    return between.join([*(clean(name) for name in names[:limit]), *(["..."] if len(names) > limit else [])])
