"""Completion of a path that is being typed, as a shell does it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MOST: Final = 5_000
"""Names of a folder that are read: completion must stay quick in a folder of any size."""


def completed(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text with all that is common to the fitting names added, and these names; folders end with a slash."""
    folder, _, start = text.rpartition("/")
    before = f"{folder}/" if "/" in text else ""
    names = tuple(one for one in _names(Path(before or ".").expanduser()) if one.startswith(start))
    names = tuple(one for one in names if start.startswith(".") or not one.startswith("."))
    return before + (_common(names) or start), names


def _common(names: tuple[str, ...]) -> str:
    """Return the beginning that all names share."""
    if not names:
        return ""
    first, last = min(names), max(names)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[:same]


def _names(folder: Path) -> list[str]:
    """Return the names in a folder in alphabetical order; none where it can't be read."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= MOST:
                    break
                found.append(f"{entry.name}/" if entry.is_dir() else entry.name)
    except (OSError, ValueError):  # it can't be read; a path with a null byte
        return []
    return sorted(found)
