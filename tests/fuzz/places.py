"""Change files and folders of a whole folder, and see that nothing outside it changed."""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.store.files import read_plain
from tests.fuzz import mutate

SECRET = b"CANARY-7f3a91-MUST-NOT-MOVE"
CANARY = "canary"
HOWS = (
    *("bytes",) * 12, "folder", "fifo", "itself", "dangling", "canary file", "canary folder", "device", "unreadable",
    "locked folder", "gone", "socket", "renamed", "beside", "folder as link",
)  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """One file (or the folder of one) of a template, changed in one way."""

    path: str
    how: str
    seed: int

    def apply(self, root: Path, outside: Path) -> None:
        """Change it; what an earlier edit has taken away stays away."""
        with suppress(OSError, ValueError):
            _apply(root / self.path, self.how, random.Random(self.seed), outside)


def edits(template: Path, chance: random.Random, wanted: Sequence[str] = ()) -> list[Edit]:
    """Return one to four edits of files of a template; `wanted` are words of which one stands in each path."""
    files = sorted(path.relative_to(template).as_posix() for path in template.rglob("*") if path.is_file())
    likely = [path for path in files if any(word in path for word in wanted)] or files
    return [
        Edit(chance.choice(likely if chance.random() < 0.9 else files), chance.choice(HOWS), chance.randrange(2**32))
        for _ in range(chance.choice((1, 1, 1, 2, 4)))
    ]


def write_canary(folder: Path) -> Path:
    """Write the folder that must stay as it is."""
    place = folder / CANARY
    (place / "deep").mkdir(parents=True)
    (place / "kept").write_bytes(SECRET)
    (place / "mlperf_log_accuracy.json").write_bytes(b"[\n" + SECRET + b"\n" * 20_000 + b"]\n")
    (place / "accuracy.txt").write_bytes(b"accuracy=76.456%\n" + SECRET)
    (place / "deep" / "data").write_bytes(SECRET * 3)
    return place


def state(place: Path) -> dict[str, object]:
    """Return all that may not change of a canary: of files content, mode and time, of folders that they are there."""
    return {
        str(path.relative_to(place)): (_content(path), path.lstat().st_mode, path.is_dir() or path.lstat().st_mtime_ns)
        for path in sorted(place.rglob("*"))
    }


def _content(path: Path) -> bytes:
    """Return what is in a file; nothing where an edit through a link has locked it."""
    with suppress(OSError):
        if path.is_file():
            return path.read_bytes()
    return b""


def unlock(folder: Path) -> None:
    """Give back all permissions, so that the folder can be removed."""
    for place, _, _ in os.walk(folder, onerror=None):
        with suppress(OSError):
            Path(place).chmod(0o700)
        for path in Path(place).iterdir():
            if path.is_dir() and not path.is_symlink():
                with suppress(OSError):
                    path.chmod(0o700)


def _apply(path: Path, how: str, chance: random.Random, outside: Path) -> None:
    if how == "bytes":
        path.write_bytes(mutate.mutated(read_plain(path), chance))
    elif how == "unreadable":
        path.chmod(0)
    elif how == "locked folder":
        path.parent.chmod(chance.choice((0, 0o500, 0o300, 0o400)))
    elif how == "renamed":
        path.rename(path.with_name(_name(path.name, chance)))
    elif how == "beside":
        path.with_name(_name(path.name, chance)).write_bytes(read_plain(path))
    elif how == "folder as link":
        place = path.parent
        shutil.rmtree(place)
        place.symlink_to(chance.choice((outside, outside / "deep", place, Path("/nowhere"), outside.parent)))
    else:
        path.unlink()
        _replace(path, how, outside)


def _replace(path: Path, how: str, outside: Path) -> None:
    if how == "folder":
        path.mkdir()
    elif how == "fifo":
        os.mkfifo(path)
    elif how == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    elif how != "gone":
        same = outside / path.name
        targets = {
            "itself": path,
            "dangling": Path("/nowhere/x"),
            "canary file": same if same.exists() else outside / "kept",
            "canary folder": outside,
            "device": Path("/dev/zero"),
        }
        path.symlink_to(targets[how])


def _name(name: str, chance: random.Random) -> str:
    return mutate.changed_text(name, chance).replace("/", "_").replace("\0", "_")[:200]
