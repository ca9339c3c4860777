"""Axes of a diagram: range, round ticks, and the share of the way at which a value lies."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from engine.explore.diagrams import ChartAxis, Diagram
from engine.text import short_figure

_MOST_DECADES = 9
_TINY = 1e-200
"""Below it values can't be told apart, and logarithms and quotients leave the range of a float."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """A range of values, linear or logarithmic."""

    low: float
    high: float
    log: bool
    date: bool
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Return where a value lies: 0 at the low end, 1 at the high end."""
        if self.log:
            return (log10(max(value, self.low)) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def text(self, value: float) -> str:
        """Return a tick's label."""
        if not self.date:
            return short_figure(value)
        day = self.high - self.low < 86_400
        return time.strftime("%H:%M" if day else "%Y-%m-%d", time.localtime(value))


def scales(diagram: Diagram, count: int = 5) -> tuple[Scale, Scale]:
    """Return the scales of x and y with about `count` ticks each."""
    points = [point for series in diagram.series for point in series.points]
    return _scale(diagram.x, [x for x, _ in points], count), _scale(diagram.y, [y for _, y in points], count)


def _scale(axis: ChartAxis, values: Sequence[float], count: int) -> Scale:
    found = [value for value in values if isfinite(value) and (value > _TINY or not axis.log)]
    if axis.log:
        return _log(found or [1.0])
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if not axis.date and low > 0 and low < 0.6 * high:
        low = 0.0
    if high - low <= _TINY:
        low, high = (
            (low - 1800, high + 1800) if axis.date else (low - abs(low) / 10 - 1e-9, high + abs(high) / 10 + 1e-9)
        )
    step = round_step((high - low) / count)
    if not axis.date:
        low, high = step * floor(low / step + 1e-9), step * ceil(high / step - 1e-9)
    return Scale(low, high, log=False, date=axis.date, ticks=tuple(_multiples(low, high, step)))


def _log(values: Sequence[float]) -> Scale:
    low, high = min(values), max(values)
    first, last = floor(log10(low) + 1e-9), ceil(log10(high) - 1e-9)
    marks = [mark * 10.0**power for power in range(first, last + 1) for mark in (1, 2, 5)]
    below = [one for one in marks if one <= low * (1 + 1e-9)]
    above = [one for one in marks if one >= high * (1 - 1e-9)]
    low, high = max(below, default=10.0**first), min(above, default=10.0**last)
    if low >= high:
        low, high = low / 2, high * 2
    inside = [one for one in marks if low <= one <= high]
    decades = [one for one in inside if abs(log10(one) - round(log10(one))) < 1e-9]
    ticks = decades[:: 1 + len(decades) // _MOST_DECADES] if len(decades) > 3 else inside
    return Scale(low, high, log=True, date=False, ticks=tuple(ticks))


def round_step(step: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not below `step`."""
    if step <= 0 or not isfinite(step):
        return 1.0
    power = 10.0 ** floor(log10(step))
    return next(power * one for one in _STEPS if power * one >= step * (1 - 1e-9))


def _multiples(low: float, high: float, step: float) -> Iterable[float]:
    number = ceil(low / step - 1e-9)
    while number * step <= high + 1e-9 * step:
        yield number * step
        number += 1
