"""Follows one exploration: only what was appended to its log is read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from engine.design_space import trial_log
from engine.design_space.exploration_folders import EXPLORATION_LOCK, SPEC_FILE
from engine.design_space.exploration_spec import ExplorationSpec, read_exploration_spec
from engine.design_space.explorations import ExplorationState, seen_of
from engine.store.files import is_locked

_Mark = tuple[int, int, bool]


class ExplorationFollower:
    """Reads one exploration again and again. Raises JobError or StoreError where it can't be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: ExplorationState | None = None
        """As it was at the last look."""
        self._reader = trial_log.LogReader(folder)
        self._seen = trial_log.LogState()
        self._spec: ExplorationSpec | None = None
        self._asked = 0
        self._mark: _Mark | None = None

    @property
    def changed(self) -> bool:
        """Whether anything changed since the last look; no file is read."""
        return self._now() != self._mark

    def look(self) -> ExplorationState:
        """Read what is new and return the state."""
        mark = self._now()
        if self._spec is None or mark[1] != self._asked:
            self._spec, self._asked = read_exploration_spec(self.folder), mark[1]
        for event in self._reader.read():
            self._seen.take(event)
        self._mark = mark
        self.state = seen_of(self.folder, self._spec, self._seen)
        return self.state

    def _now(self) -> _Mark:
        size, changed = 0, 0
        with suppress(OSError):
            size = (self.folder / trial_log.FILE).stat().st_size
        with suppress(OSError):
            changed = (self.folder / SPEC_FILE).stat().st_mtime_ns
        return size, changed, is_locked(self.folder / EXPLORATION_LOCK)
