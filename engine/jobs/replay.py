"""Replay the log of a job, or some kinds of its events, into its state."""

from __future__ import annotations

from pathlib import Path

from engine.jobs.event_log import EventReader, Kinds
from engine.jobs.fold import Fold


def replay(log: Path, kinds: Kinds | None = None) -> Fold:
    """Return the state after the events of these kinds; the initial state if there is no log.

    Steps are titled by their ids until they start. Raises StoreError where the log can't be read.
    """
    fold = Fold({})
    for seen in EventReader(log).pieces(kinds):
        fold.take(seen)
    return fold
