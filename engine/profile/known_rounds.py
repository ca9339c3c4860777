"""The rounds of the profile folders, each file cached until it changes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from engine.profile.catalog import profile_file
from engine.profile.rounds import Round, load_round


def round_of(folders: Sequence[Path], name: str) -> Round:
    """Return the rules of a round. Raises UsageError if no folder has it, ProfileError if its file is invalid."""
    return round_at(profile_file(folders, "rounds", name))


def round_at(path: Path) -> Round:
    """Return the rules in a file."""
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Round:
    """Cached: the screen resolves on every key press, and a plan has many runs."""
    return load_round(path)
