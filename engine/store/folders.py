"""Locations of inferdeck's files: XDG folders, each configurable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UsageError
from engine.store.files import disk_errors
from engine.text import whole_path


@dataclass(frozen=True)
class Folders:
    """The folders of one user on one machine. The installed package is never written to."""

    store: Path
    """Artifacts; safe to delete as a whole."""
    state: Path
    """Jobs, results and measured times."""
    config: Path
    """Settings and own profiles."""

    @property
    def jobs(self) -> Path:
        """One folder per job."""
        return self.state / "jobs"

    @property
    def profiles(self) -> Path:
        """The user's own components, rounds, systems and recipes."""
        return self.config / "profiles"

    @property
    def own_profiles(self) -> list[Path]:
        """That folder, if it exists. Raises StoreError if permissions don't allow to find out."""
        with disk_errors(self.profiles):
            return [self.profiles] if self.profiles.is_dir() else []


def folders(home: str | None = None, environment: Mapping[str, str] = os.environ) -> Folders:
    """Return the folders: under `home` or INFERDECK_HOME, else at the system's usual locations.

    Raises UsageError for a name that begins or ends with a blank or a line break: a mistake that would create another,
    empty home.
    """
    moved = home or environment.get("INFERDECK_HOME")
    if moved:
        if moved != moved.strip():
            name = "--home" if home else "INFERDECK_HOME"
            raise UsageError(f"{name} begins or ends with a blank: {moved!r}", f"write it without: {moved.strip()}")
        base = whole_path(moved)
        return Folders(store=base / "store", state=base / "state", config=base / "config")
    import platformdirs  # noqa: PLC0415  (start-up)

    return Folders(
        store=Path(platformdirs.user_cache_dir("inferdeck", appauthor=False)) / "store",
        state=Path(platformdirs.user_state_dir("inferdeck", appauthor=False)),
        config=Path(platformdirs.user_config_dir("inferdeck", appauthor=False)),
    )
