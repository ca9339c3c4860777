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
"""Seconds without a word, or without an answer to the samples that are asked for."""

_REMEDY = "try fewer sessions or threads, a smaller batch, or another version of the backend: --adr.backend.version=..."


def heard(descriptor: int) -> Iterator[events.AnyEvent]:
    """Yield the events of a run until its process closes the pipe.

    Raises RunError where nothing comes for HUNG_S, or where samples wait so long without any being answered.
    """
    phase, answered, since = "start", 0, time.monotonic()
    for line in _lines(descriptor):
        if line is None:
            raise RunError(f"the run hangs: its process has said nothing for {HUNG_S:g} s in '{phase}'", _REMEDY)
        event = events.decode(line)
        if isinstance(event, events.Phase):
            phase, since = event.name, time.monotonic()
        elif isinstance(event, events.Tick):
            if event.completed != answered or event.completed == event.issued:
                answered, since = event.completed, time.monotonic()
            elif time.monotonic() - since > HUNG_S:
                waiting = event.issued - event.completed
                raise RunError(
                    f"the run hangs: {waiting} samples wait, and none was answered for {HUNG_S:g} s", _REMEDY
                )
        yield event


def _lines(descriptor: int) -> Iterator[bytes | None]:
    """Yield whole lines, and None once where none came in time."""
    rest = b""
    while True:
        ready, _, _ = select.select([descriptor], [], [], HUNG_S)
        if not ready:
            yield None
            return
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            return
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
