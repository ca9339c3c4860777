"""The area under the receiver operating characteristic of tens of millions of predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 1 << 22
"""Predictions that are ranked at once."""


def area(positive: Array, negative: Array) -> float:
    """Return the share of pairs of a positive and a negative sample that are in order; equal ones count half.

    Predictions of either kind, finite float32 [P] and [N], P, N > 0; both are sorted in place. This is the
    Mann-Whitney form of the area (Fawcett 2006, section 7), which equals that of the trapezoids. Computed in integers:
    exact up to P * N of 2^62.
    """
    positive.sort()
    negative.sort()
    fewer, more = (positive, negative) if len(positive) <= len(negative) else (negative, positive)
    below = 0
    for start in range(0, len(fewer), CHUNK):
        part = fewer[start : start + CHUNK]
        below += int(np.searchsorted(more, part, "left").sum()) + int(np.searchsorted(more, part, "right").sum())
    whole = 2 * len(positive) * len(negative)
    return (below if fewer is positive else whole - below) / whole
