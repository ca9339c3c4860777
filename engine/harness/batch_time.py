"""How long a batch takes, by what tuning has measured: with it queues decide how many samples a batch may have."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def fitting(batch_s: Sequence[float], age_s: float, bound_s: float) -> int:
    """Return how many samples a batch may have that its first, which has waited `age_s`, is answered within the bound.

    Where it can't be, the largest batch: it brings the others closest to theirs.
    """
    left = bound_s - age_s
    for size in range(len(batch_s), 0, -1):
        if batch_s[size - 1] <= left:
            return size
    return len(batch_s)


def time_between(size: int, measured: Sequence[tuple[int, float]]) -> float:
    """Return the time of a batch of this size or cost: between measured ones in straight lines, beyond in proportion.

    `measured` are (size, time), rising.
    """
    place = bisect_left(measured, (size,))
    if place == 0:
        return float(measured[0][1])
    below, taken = measured[place - 1]
    if place == len(measured):
        return taken * size / max(below, 1)
    above, longer = measured[place]
    return taken + (longer - taken) * (size - below) / (above - below)
