"""Persisted guide choices that cannot be derived from other files."""

from __future__ import annotations

import platform
import re
import time
from pathlib import Path
from typing import Literal

import msgspec

from engine import codec
from engine.errors import StoreError
from engine.profile.known_rounds import DEFAULT
from engine.store.files import explained, read_plain, write_atomic
from engine.store.folders import Folders

FIRST = "first"
FILE = "guide.json"
LARGEST = 1 << 20
"""Maximum size in bytes; a guide has some hundred."""


class Guide(msgspec.Struct, frozen=True, kw_only=True):
    """One guided submission."""

    name: str
    system: str
    """Short name of the system, used for its folder, its description and the command line."""
    made: float
    """Creation time, seconds since the epoch."""
    round: str = DEFAULT
    """Empty takes the newest that has benchmark and category. A file without it is older than the choice."""
    offer: str = ""
    """Kind of submission, a name in the benchmark's `offers`; empty until it is chosen."""
    benchmark: str = ""
    """Empty takes the default one."""
    division: str = "open"
    category: Literal["edge", "datacenter", "both"] = "edge"
    backend: str = ""
    """Empty takes the benchmark's usual one."""
    precision: str = ""
    """Empty leaves the weights as they were trained."""
    tuning: Literal["quick", "thorough"] = "quick"
    """How sessions, threads and batch are chosen."""
    targets: Literal["configured", "searched"] = "configured"
    """Where the targets of the runs come from."""
    style: str = ""
    """Run style; empty takes the kind's default."""
    data: str = msgspec.field(default="", name="pictures")
    """Folder of the full data set; empty takes what can be downloaded. The name in the file is an older one."""
    results: str = ""
    """Folder of the results; empty takes the guide's own."""
    read: str = ""
    """Fingerprint of the plan whose preflight the user has read."""
    skipped: tuple[str, ...] = ()
    """Steps that the user skipped."""
    sent: bool = False
    """Whether the user has marked it as submitted, which can't be detected."""


def folder_of(folders: Folders, name: str) -> Path:
    """Return the folder of a guide."""
    return folders.state / "guides" / name


def names(folders: Folders) -> list[str]:
    """Return the names of existing guides, last modified first."""
    found = (folders.state / "guides").glob(f"*/{FILE}")
    return [path.parent.name for path in sorted(found, key=_changed, reverse=True)]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed meanwhile, or a link to nowhere
        return 0.0


def load(folders: Folders, name: str) -> Guide:
    """Read a guide; a new one where none has that name. Raises StoreError where the file can't be read."""
    path = folder_of(folders, name) / FILE
    try:
        return codec.decode(read_plain(path, LARGEST), type=Guide)
    except FileNotFoundError:
        return Guide(name=name, system=default_system(), made=time.time(), round="")
    except OSError as error:
        raise explained(error, path) from None
    except msgspec.DecodeError as error:
        raise StoreError(
            f"{path} can't be read: {error}", "remove it: runs and descriptions are kept elsewhere"
        ) from None


def save(folders: Folders, guide: Guide) -> Guide:
    """Save a guide; returns it."""
    write_atomic(folder_of(folders, guide.name) / FILE, codec.encode(guide))
    return guide


def another(folders: Folders) -> Guide:
    """Return a new guide under the next free name, with the system of the previous one."""
    taken = names(folders)
    number = next(number for number in range(2, len(taken) + 3) if f"submission-{number}" not in taken)
    system = load(folders, taken[0]).system if taken else default_system()
    return Guide(name=f"submission-{number}" if taken else FIRST, system=system, made=time.time(), round="")


def default_system() -> str:
    """Return this machine's host name as a plain word."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", platform.node().split(".")[0]).strip("-") or "my-system"
