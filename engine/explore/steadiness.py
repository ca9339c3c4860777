"""Spread within a run, from the ticks in its job's event log: for noise where nothing was repeated.

The run is cut into blocks of equal time; the standard deviation of the blocks over the root of their number is the
standard error of the whole (the method of batch means). It misses variation between runs, so it is a lower bound.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.events import Tick
from engine.explore.ticks import run_ticks
from engine.histogram import add, percentile

BLOCKS = 10
LEAST = 4
"""Minimum number of blocks for a spread."""
PER_BLOCK = 4
"""Minimum number of ticks in a block: one second of the run."""

PERCENTILES = {
    "latency_p50": 0.5,
    "latency_p90": 0.9,
    "latency_p95": 0.95,
    "latency_p99": 0.99,
    "latency_p999": 0.999,
    "estimate_90": 0.9,
    "estimate_99": 0.99,
}
"""Metric → the percentile computed for a block."""
STANDS_FOR = {"scheduled_rate": "samples_per_second", "latency_mean": "latency_p50"}
"""Metric → the metric whose spread is used for it."""


@dataclass(frozen=True)
class Steadiness:
    """Relative standard errors of a run's figures."""

    errors: Mapping[str, float]
    """By the metric's key, relative to the figure."""
    blocks: int


def steadiness(events: Path, step: str) -> Steadiness | None:
    """Return the spread within a run; None where the event log holds too little of it."""
    ticks = run_ticks(events, step)
    count = min(BLOCKS, len(ticks) // PER_BLOCK)
    if count < LEAST:
        return None
    blocks = _blocks(ticks, count)
    values: dict[str, list[float]] = {"samples_per_second": [_rate(block) for block in blocks]}
    for key, fraction in PERCENTILES.items():
        found = [_percentile(block[1:], fraction) for block in blocks]
        values[key] = [one for one in found if one is not None]
    errors = {key: error for key, many in values.items() if len(many) == count and (error := _error(many)) is not None}
    for key, stands in STANDS_FOR.items():
        if stands in errors:
            errors[key] = errors[stands]
    return Steadiness(errors, count)


def _blocks(ticks: Sequence[Tick], count: int) -> list[Sequence[Tick]]:
    """Cut the ticks into blocks of equal number; each begins with the last tick of the previous one."""
    size = (len(ticks) - 1) // count
    return [ticks[number * size : (number + 1) * size + 1] for number in range(count)]


def _rate(block: Sequence[Tick]) -> float:
    seconds = block[-1].elapsed - block[0].elapsed
    return (block[-1].completed - block[0].completed) / seconds if seconds > 0 else 0.0


def _percentile(block: Sequence[Tick], fraction: float) -> float | None:
    total: dict[int, int] = {}
    for tick in block:
        add(total, tick.latencies)
    return percentile(total, fraction)


def _error(values: Sequence[float]) -> float | None:
    mean = statistics.fmean(values)
    return statistics.stdev(values) / mean / len(values) ** 0.5 if mean > 0 else None
