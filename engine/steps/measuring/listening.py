"""Listen to a run's process, and notice when it hangs: a backend that waits for itself says nothing and never ends.

It is watched from outside, because a thread that holds Python's lock stops every other thread of its process.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator

from engine import events
from engine.errors import RunError

HUNG_S = 600.0
"""Seconds without a word, or without an answer to the samples that are asked for, at the least."""
HUNG_BATCHES = 30
"""A run hangs that answers nothing for as long as so many batches take by tuning: batches of the dearest samples take
longer than those of typical cost, and sessions load and warm up one beside the other."""

_REMEDY = "try fewer sessions or threads, a smaller batch, or another version of the backend: --adr.backend.version=..."


def patience(batch_ms: float) -> float:
    """Return after how many seconds a run hangs, given what a batch takes by tuning."""
    return max(HUNG_S, HUNG_BATCHES * batch_ms / 1000)


def heard(descriptor: int, batch_ms: float = 0.0) -> Iterator[events.AnyEvent]:
    """Yield the events of a run until its process closes the pipe; `batch_ms` is what a batch takes by tuning.

    Raises RunError where nothing comes for longer than `patience` allows, or where samples wait so long without any
    being answered.
    """
    hung_s = patience(batch_ms)
    phase, answered, since = "start", 0, time.monotonic()
    for line in _lines(descriptor, hung_s):
        if line is None:
            raise RunError(f"the run hangs: its process has said nothing for {hung_s:g} s in '{phase}'", _REMEDY)
        event = events.decode(line)
        if isinstance(event, events.Phase):
            phase, since = event.name, time.monotonic()
        elif isinstance(event, events.Tick):
            if event.completed != answered or event.completed == event.issued:
                answered, since = event.completed, time.monotonic()
            elif time.monotonic() - since > hung_s:
                waiting = event.issued - event.completed
                raise RunError(
                    f"the run hangs: {waiting} samples wait, and none was answered for {hung_s:g} s", _REMEDY
                )
        yield event


def _lines(descriptor: int, hung_s: float) -> Iterator[bytes | None]:
    """Yield whole lines, and None once where none came in time."""
    rest = b""
    while True:
        ready, _, _ = select.select([descriptor], [], [], hung_s)
        if not ready:
            yield None
            return
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            return
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
