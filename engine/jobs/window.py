"""Figures of a running measurement over time, for any window of the last half hour, rebuilt from its ticks.

Ticks are grouped into slots of one second. A slot keeps its latencies as two packed arrays, because half an hour of
dictionaries is tens of megabytes; percentiles of longer intervals are computed from the sum of their slots and cached.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from engine.events import Tick
from engine.histogram import Histogram, add, percentiles

KEPT_SLOTS = 1800
"""Number of one-second slots: half an hour."""

FRACTIONS = (0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
"""Percentiles that are shown; the last is the maximum."""


@dataclass(frozen=True)
class Figures:
    """Throughput and latencies of an interval."""

    seconds: float
    """Seconds covered by ticks; 0 where there are none."""
    samples: float
    """Samples done in it, with the parts of unfinished ones."""
    latencies: tuple[int, ...]
    """Latencies in ns at FRACTIONS; empty where nothing was completed."""

    @property
    def rate(self) -> float | None:
        """Samples per second; None where no time has passed."""
        return self.samples / self.seconds if self.seconds > 0 else None

    def latency(self, fraction: float) -> int | None:
        """Return the latency in ns at one of FRACTIONS."""
        return self.latencies[FRACTIONS.index(fraction)] if self.latencies else None


NOTHING = Figures(0.0, 0, ())


@dataclass
class _Slot:
    seconds: float
    samples: float
    buckets: array[int]
    counts: array[int]


class TimeWindow:
    """Figures of one measurement in total, and for the last half hour by second."""

    def __init__(self, *, partial: bool = False) -> None:
        """Start empty. `partial` says that the first tick to come is not the first of the run."""
        self._partial = partial
        self._begun = not partial
        self.issued = 0
        self.completed = 0
        self.done = 0.0
        self.parts = ""
        self.elapsed = 0.0
        self._all: Histogram = {}
        self._slots: deque[_Slot] = deque(maxlen=KEPT_SLOTS)
        self._first = 0
        """Number of the oldest slot: its second of the run."""
        self._seconds = 0.0
        self._samples = 0.0
        self._latencies: Histogram = {}
        """These three belong to the second in progress."""
        self._groups: dict[tuple[int, int], Figures] = {}

    def add(self, tick: Tick) -> None:
        """Add a tick. It covers the time since the previous one, and is assigned to the second of its middle."""
        if not self._begun:
            self._begin(tick)
            return
        middle = int((self.elapsed + tick.elapsed) / 2)
        if middle - self._now() > KEPT_SLOTS:
            self._leap(middle)
        while middle > self._now():
            self._close()
        self._seconds += max(tick.elapsed - self.elapsed, 0.0)
        self._samples += max(tick.done - self.done, 0.0)
        add(self._latencies, tick.latencies)
        self._take(tick)

    def _take(self, tick: Tick) -> None:
        self.issued, self.completed, self.elapsed = tick.issued, tick.completed, tick.elapsed
        self.done = tick.done
        self.parts = f"{tick.parts:,} {tick.unit}" if tick.parts_per_sample else ""

    def whole(self) -> Figures:
        """Return the figures since the start; without latencies where the start was not seen."""
        if self._partial:
            return Figures(self.elapsed, self.done, ())
        total = dict(self._all)
        add(total, self._latencies)
        return Figures(self.elapsed, self.done, percentiles(total, FRACTIONS))

    def last(self, seconds: int) -> Figures:
        """Return the figures of the last `seconds`, including the second in progress."""
        return self._sum(self._now() + 1 - seconds, self._now() + 1)

    def points(self, seconds: int, count: int) -> tuple[Figures, ...]:
        """Return up to `count` intervals of `seconds` each, oldest first; the last may be incomplete.

        An interval starts at a multiple of its length, so that its figures are stable as time passes.
        """
        newest = self._now() // seconds
        oldest = max(newest - count + 1, -(-self._first // seconds), 0)
        return tuple(self._group(seconds, number) for number in range(oldest, newest + 1))

    def _now(self) -> int:
        return self._first + len(self._slots)

    def _begin(self, tick: Tick) -> None:
        """Start in the middle of a run."""
        self._begun, self._first = True, int(tick.elapsed)
        self._take(tick)

    def _leap(self, second: int) -> None:
        """Continue after a gap longer than what is kept: the machine slept."""
        self._close()
        self._slots.clear()
        self._groups.clear()
        self._first = second

    def _close(self) -> None:
        """End the current second."""
        add(self._all, self._latencies)
        buckets, counts = array("I", self._latencies.keys()), array("I", self._latencies.values())
        if len(self._slots) == KEPT_SLOTS:
            self._first += 1
            self._groups = {key: figures for key, figures in self._groups.items() if key[0] * key[1] >= self._first}
        self._slots.append(_Slot(self._seconds, self._samples, buckets, counts))
        self._seconds, self._samples, self._latencies = 0.0, 0.0, {}

    def _group(self, seconds: int, number: int) -> Figures:
        begin, end = seconds * number, seconds * (number + 1)
        if end > self._now():
            return self._sum(begin, end)
        key = (seconds, number)
        if key not in self._groups:
            self._groups[key] = self._sum(begin, end)
        return self._groups[key]

    def _sum(self, begin: int, end: int) -> Figures:
        """Sum the seconds from `begin` up to but not including `end`."""
        passed, samples, total = 0.0, 0.0, Histogram()
        for slot in self._between(begin, end):
            passed += slot.seconds
            samples += slot.samples
            add(total, dict(zip(slot.buckets, slot.counts, strict=True)))
        if end > self._now():
            passed += self._seconds
            samples += self._samples
            add(total, self._latencies)
        return Figures(passed, samples, percentiles(total, FRACTIONS))

    def _between(self, begin: int, end: int) -> Iterable[_Slot]:
        for number in range(max(begin, self._first), min(end, self._now())):
            yield self._slots[number - self._first]
