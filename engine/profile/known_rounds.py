"""The rounds of the profile folders, each file cached until one in its folder changes: it may extend others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from engine.profile.catalog import profile_file
from engine.profile.round_file import FOLDER, load_round
from engine.profile.rounds import Round

DEFAULT = "v2.1"
"""The round of the tutorials, where none is asked for."""


def round_of(folders: Sequence[Path], name: str) -> Round:
    """Return the rules of a round. Raises UsageError if no folder has it, ProfileError if its file is invalid."""
    return round_at(profile_file(folders, FOLDER, name))


def round_at(path: Path) -> Round:
    """Return the rules in a file."""
    return _read(path, tuple(sorted(one.stat().st_mtime_ns for one in path.parent.glob("*.yaml"))))


def all_rounds(folders: Sequence[Path]) -> list[Round]:
    """Return every round, the oldest first."""
    paths = {path.stem: path for folder in folders for path in (folder / FOLDER).glob("*.yaml")}
    return sorted(map(round_at, paths.values()), key=lambda rules: (rules.published, rules.name))


def newest_with(folders: Sequence[Path], benchmark: str, system_type: str) -> Round | None:
    """Return the newest round in which systems of a type have a benchmark; None where there is none."""
    return next((one for one in reversed(all_rounds(folders)) if has(one, benchmark, system_type)), None)


def has(rules: Round, benchmark: str, system_type: str) -> bool:
    """Return whether systems of a type have a benchmark in a round."""
    return benchmark in rules.benchmarks and bool(rules.allowed(benchmark, system_type))


@lru_cache(maxsize=32)
def _read(path: Path, _changed: tuple[int, ...]) -> Round:
    """Cached: the screen resolves on every key press, and a plan has many runs."""
    return load_round(path)
