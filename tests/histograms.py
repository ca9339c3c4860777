"""Histograms of single latencies and their sums, for tests: what engine/histogram.py does with whole arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.histogram import MAX_NS, SUB_BUCKET_BITS, Histogram, add


def bucket_of(ns: int) -> int:
    """Return the bucket of a latency in nanoseconds; negative ones count as 0."""
    ns = min(max(ns, 0), MAX_NS)
    shift = max(ns.bit_length() - SUB_BUCKET_BITS - 1, 0)
    return (shift << SUB_BUCKET_BITS) + (ns >> shift)


def merged(parts: Iterable[Mapping[int, int]]) -> Histogram:
    """Return the sum of histograms, for instance of all ticks of the last minute."""
    total: Histogram = {}
    for part in parts:
        add(total, part)
    return total
