"""Read a harness's events and detect hangs.

It is watched from another process, because a thread that holds the GIL stops all threads of its process.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator

from engine import events
from engine.errors import RunError

HUNG_S = 600.0
"""Minimum seconds without an event, or without a completed sample or part of one, after which a run counts as hung."""
HUNG_BATCHES = 30
"""The same in batches of the time measured by tuning: batches of the most expensive samples take longer than typical
ones, and sessions load and warm up concurrently."""

_REMEDY = "try fewer sessions or threads, a smaller batch, or another version of the backend: --adr.backend.version=..."


def patience(batch_ms: float) -> float:
    """Return the hang timeout in seconds, given the time of a batch according to tuning."""
    return max(HUNG_S, HUNG_BATCHES * batch_ms / 1000)


def harness_events(descriptor: int, batch_ms: float = 0.0) -> Iterator[events.AnyEvent]:
    """Yield the events of a run until its process closes the pipe; `batch_ms` is the time of a batch according to
    tuning.

    Raises RunError where no event comes for longer than `patience` allows, or where issued samples wait so long without
    any being completed.
    """
    hung_s = patience(batch_ms)
    phase, answered, since = "start", 0.0, time.monotonic()
    for line in _lines(descriptor, hung_s):
        if line is None:
            raise RunError(f"the run hangs: no event from its process for {hung_s:g} s in '{phase}'", _REMEDY)
        event = events.decode(line)
        if isinstance(event, events.Phase):
            phase, since = event.name, time.monotonic()
        elif isinstance(event, events.Tick):
            if event.done != answered or event.completed == event.issued:
                answered, since = event.done, time.monotonic()
            elif time.monotonic() - since > hung_s:
                waiting = event.issued - event.completed
                raise RunError(
                    f"the run hangs: {waiting} samples are waiting and none completed for {hung_s:g} s", _REMEDY
                )
        yield event


def _lines(descriptor: int, hung_s: float) -> Iterator[bytes | None]:
    """Yield whole lines, and None after each timeout."""
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
