"""Predict Server's highest rate within its latency constraint: LoadGen's arrivals, measured batch times.

Trying rates with LoadGen takes a minute each. A queueing simulation takes milliseconds and ranks candidates as well, so
that only the best of them is tried. It forms batches as engine.harness.queues does, first come first served.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from engine.harness.batch_time import fitting, time_between
from engine.tuning.schedule import arrivals
from engine.tuning.tuned import HARNESS_BATCH_SECONDS, HARNESS_SECONDS

QUERIES: Final = 4096
"""Simulated queries at each rate of a longer run: 41 of them are above the 99th percentile."""
_SEED: Final = 1
"""Seed of typical arrivals; a run's own seed is in its round."""
_STEPS: Final = 8
"""Bisection steps over the range of rates: the rest is 0.4 % of it."""


@dataclass(frozen=True)
class Server:
    """Sessions that share one queue."""

    sessions: int
    batch_s: tuple[float, ...]
    """Seconds of a batch of 1, 2, ... samples while all sessions are busy; the last is the largest batch."""
    wait_s: float = 0.0
    """How long a worker waits for more queries after the first."""

    @property
    def capacity(self) -> float:
        """Samples per second under full load."""
        return self.sessions * max(size / taken for size, taken in enumerate(self.batch_s, start=1))

    def slowed(self, factor: float) -> Server:
        """Return the same sessions with batches that take `factor` times as long."""
        return replace(self, batch_s=tuple(factor * taken for taken in self.batch_s))


def times_up_to(most: int, measured: Mapping[int, float]) -> tuple[float, ...]:
    """Return seconds of batches of 1...`most` by linear interpolation of measured ones.

    The harness's overhead is added.
    """
    known = sorted(measured.items())
    return tuple(
        time_between(size, known) + HARNESS_BATCH_SECONDS + size * HARNESS_SECONDS for size in range(1, most + 1)
    )


@lru_cache(maxsize=256)
def highest_rate(server: Server, constraint_s: float, share: float, queries: int = QUERIES, seed: int = _SEED) -> float:
    """Return the highest rate, in queries/s of one sample, at which `share` of the queries meet the constraint; 0:
    none.

    Simulates the first `queries`, of which QUERIES are sufficient, of LoadGen's schedule with this seed.
    """
    if server.batch_s[0] + server.wait_s > constraint_s:
        return 0.0
    schedule = arrivals(seed, min(queries, QUERIES))
    low, high = 0.0, server.capacity
    for _ in range(_STEPS):
        rate = (low + high) / 2
        if _met(server, rate, constraint_s, schedule) >= share:
            low = rate
        else:
            high = rate
    return low


def _met(server: Server, rate: float, constraint_s: float, schedule: Sequence[float]) -> float:
    """Return the fraction of queries that meet the latency constraint."""
    late = sum(latency > constraint_s for latency in latencies(server, rate, constraint_s, schedule))
    return 1 - late / len(schedule)


def latencies(server: Server, rate: float, constraint_s: float, schedule: Sequence[float]) -> Iterator[float]:
    """Yield the latency of each query in seconds at `rate`. `schedule`: arrival times at one per second."""
    issued, free = [at / rate for at in schedule], [0.0] * server.sessions
    first, queries = 0, len(issued)
    while first < queries:
        start = max(heapq.heappop(free), issued[first])
        most = fitting(server.batch_s, start - issued[first], constraint_s)
        if server.wait_s:
            full = issued[min(first + most, queries) - 1]
            start = max(start, min(issued[first] + server.wait_s, full))
        end = first + 1
        while end < queries and end - first < most and issued[end] <= start:
            end += 1
        done = start + server.batch_s[end - first - 1]
        yield from (done - at for at in issued[first:end])
        heapq.heappush(free, done)
        first = end
