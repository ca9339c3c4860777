"""Batch execution times as measured by tuning, with which queues limit batch sizes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def fitting(batch_s: Sequence[float], age_s: float, bound_s: float) -> int:
    """Return the largest batch size whose first sample, waiting for `age_s`, still meets the latency constraint.

    If none does, the largest batch size: it serves the others as early as possible.
    """
    left = bound_s - age_s
    for size in range(len(batch_s), 0, -1):
        if batch_s[size - 1] <= left:
            return size
    return len(batch_s)


def time_between(size: int, measured: Sequence[tuple[int, float]]) -> float:
    """Return the time of a batch of this size or cost: linear interpolation of measured ones, proportional beyond.

    `measured` are (size, time), ascending.
    """
    place = bisect_left(measured, (size,))
    if place == 0:
        return float(measured[0][1])
    below, taken = measured[place - 1]
    if place == len(measured):
        return taken * size / max(below, 1)
    above, longer = measured[place]
    return taken + (longer - taken) * (size - below) / (above - below)
