"""Where things live: XDG folders, each of which a person can move."""

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
    """The folders of one person on one machine. Nothing is ever written into the installed package."""

    store: Path
    """Artifacts; safe to delete as a whole."""
    state: Path
    """Jobs, results and measured times."""
    config: Path
    """Settings and own profiles."""

    @property
    def jobs(self) -> Path:
        """One folder a job."""
        return self.state / "jobs"

    @property
    def profiles(self) -> Path:
        """The person's own components, rounds, systems and recipes."""
        return self.config / "profiles"

    @property
    def own_profiles(self) -> list[Path]:
        """That folder, where it is there. Raises StoreError where nobody can say so for want of permission."""
        with disk_errors(self.profiles):
            return [self.profiles] if self.profiles.is_dir() else []


def folders(home: str | None = None, environment: Mapping[str, str] = os.environ) -> Folders:
    """Return the folders: under `home` or INFERDECK_HOME, else where the system keeps such things.

    Raises UsageError for a name with a blank or a line break at its edge: it came from a file or a slip, and would be
    another, empty home.
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
