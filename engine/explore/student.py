"""Quantiles of Student's t distribution, for the intervals of figures that were measured a few times."""

from __future__ import annotations

from functools import lru_cache
from math import atan, cos, pi, sin, sqrt

MOST_FREEDOM = 200
"""Above it the quantiles change by less than 1 %."""
_STEPS = 40
"""Halvings of the interval in which the quantile lies: twelve digits."""


def student(freedom: float, confidence: float = 0.95) -> float:
    """Return the two-sided quantile of Student's t: the share `confidence` of the values lies within ± it.

    Degrees of freedom are rounded down, to 200 at most, so that the quantile is never too small.
    """
    return _quantile(min(max(int(freedom), 1), MOST_FREEDOM), confidence)


def one_sided(freedom: float, confidence: float) -> float:
    """Return the one-sided quantile: the share `confidence`, at least a half, of the values lies below it."""
    return student(freedom, 2 * confidence - 1)


@lru_cache(maxsize=4096)
def _quantile(freedom: int, confidence: float) -> float:
    low, high = 0.0, 1.0
    while _within(high, freedom) < confidence:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return high


def _within(value: float, freedom: int) -> float:
    """Return the probability of being within ± a value: the finite series for whole degrees of freedom.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = atan(value / sqrt(freedom))
    square = cos(angle) ** 2
    is_odd = freedom % 2
    term = cos(angle) if is_odd else 1.0
    total = 0.0
    for number in range(1 + is_odd, freedom, 2):
        total += term
        term *= square * number / (number + 1)
    return 2 / pi * (angle + sin(angle) * total) if is_odd else sin(angle) * total
