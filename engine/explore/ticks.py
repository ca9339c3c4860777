"""The ticks of one measurement in a job's event log: counters and latencies, four a second."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import msgspec

from engine.errors import StoreError
from engine.events import Tick
from engine.histogram import add
from engine.jobs.event_log import EventReader

MOST_TICKS = 8192
"""Maximum number of ticks: half an hour; it is even."""


def run_ticks(events: Path, step: str) -> list[Tick]:
    """Return the ticks of a step's last attempt; for a very long run pairs of ticks are summed."""
    found: list[Tick] = []
    gathered, each = 0, 1
    try:
        for tick in chain.from_iterable(EventReader(events).pieces((Tick,))):
            if not isinstance(tick, Tick) or tick.step != step:
                continue
            if found and tick.elapsed < found[-1].elapsed:
                found, gathered, each = [], 0, 1
            if gathered:
                found[-1] = _both(found[-1], tick)
            else:
                found.append(tick)
            gathered = (gathered + 1) % each
            if len(found) == MOST_TICKS and not gathered:
                found, each = [_both(*pair) for pair in zip(found[::2], found[1::2], strict=True)], 2 * each
    except StoreError:
        return []
    return found


def _both(first: Tick, second: Tick) -> Tick:
    latencies = dict(first.latencies)
    add(latencies, second.latencies)
    return msgspec.structs.replace(second, latencies=latencies)
