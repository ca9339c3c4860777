"""A finished run second by second, and its latencies as one histogram, from the event log of its job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.events import Tick
from engine.explore.runs import Run
from engine.explore.ticks import run_ticks
from engine.histogram import Histogram, add, percentile
from engine.jobs import places

MOST = 400
"""Maximum number of points; those of longer runs each cover several seconds."""


@dataclass(frozen=True)
class Timeline:
    """What happened in a run over time."""

    seconds: tuple[float, ...]
    """Ends of the intervals, from the start of the run."""
    rates: tuple[float, ...]
    """Samples per second in each interval."""
    p99_ms: tuple[float | None, ...]
    """99th percentile latency of the queries that ended in each interval; None where none did."""
    latencies: Histogram
    """Latencies of all queries in nanoseconds."""


def timeline(run: Run) -> Timeline | None:
    """Return the timeline of a run; None where its job's event log has nothing of it (imported, damaged)."""
    if not run.folder:
        return None
    ticks = run_ticks(Path(run.folder).parents[2] / places.EVENTS, run.step)
    return _timeline(ticks) if ticks else None


def _timeline(ticks: Sequence[Tick]) -> Timeline:
    every = max(1.0, ticks[-1].elapsed / MOST)
    total: Histogram = {}
    gathered: Histogram = {}
    seconds, rates, p99 = [], [], []
    since, completed = 0.0, 0
    for tick in ticks:
        add(total, tick.latencies)
        add(gathered, tick.latencies)
        if tick.elapsed - since >= every or tick is ticks[-1]:
            took = tick.elapsed - since
            seconds.append(tick.elapsed)
            rates.append((tick.completed - completed) / took if took > 0 else 0.0)
            found = percentile(gathered, 0.99)
            p99.append(None if found is None else found / 1e6)
            since, completed, gathered = tick.elapsed, tick.completed, {}
    return Timeline(tuple(seconds), tuple(rates), tuple(p99), total)
