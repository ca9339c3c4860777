"""Where explorations are, and which of them run. Nothing heavy is imported: the Home screen asks every other second."""

from __future__ import annotations

from pathlib import Path

from engine.store.files import is_locked, names_in
from engine.store.folders import Folders

SPEC_FILE = "exploration.json"
EXPLORATION_LOCK = "run.lock"
"""Held for as long as the exploration's process lives."""


def root(folders: Folders) -> Path:
    """Return the folder that holds a folder for each exploration."""
    return folders.state / "explorations"


def names(folders: Folders) -> list[str]:
    """Return the names of all explorations."""
    return [name for name in names_in(root(folders)) if (root(folders) / name / SPEC_FILE).exists()]


def running_explorations(folders: Folders) -> list[str]:
    """Return the names of the explorations whose process lives."""
    return [name for name in names(folders) if is_locked(root(folders) / name / EXPLORATION_LOCK)]
