"""Follow a job by reading its log; any number of watchers, from any terminal, without disturbing it.

A watcher that opens a long log sees its rare events and last ticks at once; the rest is read in pieces (`catch_up`), so
that a screen stays responsive.
"""

from __future__ import annotations

import time
from typing import Literal

from engine import events
from engine.errors import StoreError
from engine.jobs import places
from engine.jobs.event_log import SELDOM, EventReader, Kinds
from engine.jobs.fold import Fold, Watched
from engine.jobs.jobs import Job
from engine.jobs.window import Figures
from engine.store.files import is_locked

LONG_LOG = 1 << 20
"""Bytes; a longer log is shown from its tail first."""
TAIL = 256 << 10
PIECE = 1 << 20
"""Bytes that one `catch_up` reads: some 30 ms."""

_RARE: Kinds = tuple(kind for kind in SELDOM if kind is not events.Warned)
"""Kinds of events that are read at once before the tail."""

QUIET_SECONDS = 5.0
"""Seconds without an event after which a measurement counts as quiet; it normally reports four times a second."""
_SURE_SECONDS = 2.0
"""Seconds after an event during which the job is assumed alive: checking its lock takes the lock for a moment."""

JobStatus = Literal["new", "live", "quiet", "finished", "failed", "cancelled", "died"]
"""Status of a job. `new`: not started yet; `quiet`: measuring without events; `died`: gone without a final event."""


class Watch:
    """Keeps the state of one job up to date."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._titles = {node.id: node.title for node in job.spec.plan.nodes.values()}
        self._reader, self._fold = EventReader(job.events, piece=PIECE), Fold(self._titles)
        self._fault = ""
        self._quick: tuple[EventReader, Fold] | None = self._quick_look()
        self._state = self._fold.state()

    @property
    def behind(self) -> bool:
        """Whether part of the log is still unread: call `catch_up` until it is not."""
        return self._quick is not None

    def poll(self) -> Watched:
        """Read new events; returns the same object as before where there are none."""
        reader, fold = self._quick or (self._reader, self._fold)
        before = reader.offset
        try:
            for seen in reader.pieces():
                fold.take(seen)
        except StoreError as error:
            self._unreadable(fold, error)
        if reader.offset != before or self._state.last_at is None:
            self._state = fold.state()
        return self._state

    def _unreadable(self, fold: Fold, error: StoreError) -> None:
        """Add one note that the log can't be read any more; what was read stays."""
        if not self._fault:
            self._fault = error.what
            fold.take([events.Warned(at=time.time(), step=self.job.id, text=error.what, remedy=error.remedy)])
            self._state = fold.state()

    def catch_up(self) -> None:
        """Read the next piece of the unread part."""
        if self._quick is None:
            return
        try:
            self._fold.take(next(self._reader.pieces(), []))
        except StoreError as error:
            self._quick = None
            self._unreadable(self._fold, error)
            return
        if self._reader.offset >= self._quick[0].offset:
            self._quick = None
            self._state = self._fold.state()

    def points(self, seconds: int, count: int) -> tuple[Figures, ...]:
        """Return the current measurement as intervals of `seconds` each (engine.jobs.window)."""
        fold = self._quick[1] if self._quick else self._fold
        return fold.window.points(seconds, count)

    def job_status(self, now: float) -> JobStatus:
        """Return the job's status; `now` in seconds since the epoch."""
        state = self._state
        silence = None if state.last_at is None else now - state.last_at
        if silence is not None and abs(silence) < _SURE_SECONDS:
            return job_status(state, now, alive=True)
        try:
            return job_status(state, now, alive=is_locked(self.job.folder / places.LOCK))
        except StoreError:  # another's job, of which only a part may be read
            return job_status(state, now, alive=False)

    def _quick_look(self) -> tuple[EventReader, Fold] | None:
        size = self.job.events.stat().st_size if self.job.events.exists() else 0
        if size <= LONG_LOG:
            return None
        reader, fold = EventReader(self.job.events, piece=PIECE), Fold(self._titles)
        try:
            for seen in reader.pieces(_RARE, until=size - TAIL):
                fold.take(seen, without_ticks=True)
        except StoreError:
            return None  # `poll` says it
        return reader, fold


def job_status(state: Watched, now: float, *, alive: bool) -> JobStatus:
    """Return the status word of a job, from its state and whether its process is alive."""
    if state.done is not None:
        return _ENDINGS[state.done.ending]
    if not alive:
        return "new" if state.launch is None else "died"
    measured = state.measurement
    if measured is not None and measured.started and not measured.over and state.last_at is not None:
        return "quiet" if now - state.last_at > QUIET_SECONDS else "live"
    return "live"


_ENDINGS: dict[events.Ending, JobStatus] = {"finished": "finished", "failed": "failed", "cancelled": "cancelled"}
