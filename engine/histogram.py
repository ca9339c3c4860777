"""Log-linear latency histograms: a live stream of latencies can be stored, summed and queried for percentiles.

A histogram is a plain `dict[int, int]`, bucket -> count: sparse, JSON-ready, and summed without numpy, because the
screen that shows it must not load numpy. Buckets are exact up to 511 ns; above, every power of two is cut into 256
equal buckets, so that a value read back is at most 1/512 (0.2 %) away from the original.
"""

from collections.abc import Mapping, Sequence
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUB_BUCKET_BITS = 8
MAX_NS = 2**53 - 1
"""104 days; longer latencies are counted here. Up to here a float64, from which numpy takes the exponent, is exact."""

Histogram = dict[int, int]


def bounds(bucket: int) -> tuple[int, int]:
    """Return the smallest and the largest nanosecond value of a bucket."""
    shift = max((bucket >> SUB_BUCKET_BITS) - 1, 0)
    low = (bucket - (shift << SUB_BUCKET_BITS)) << shift
    return low, low + (1 << shift) - 1


def value_of(bucket: int) -> int:
    """Return the nanosecond value in the middle of a bucket, which represents all of its values."""
    low, high = bounds(bucket)
    return (low + high) // 2


def bin_array(latencies: "NDArray[np.int64]") -> Histogram:
    """Return the histogram of an array of nanoseconds (int64, any length, not changed)."""
    import numpy as np  # noqa: PLC0415 - the screen imports this module and must not load numpy

    if latencies.size == 0:
        return {}
    ns = np.clip(latencies, 0, MAX_NS)
    bits = np.frexp(ns.astype(np.float64))[1].astype(np.int64)
    shift = np.maximum(bits - SUB_BUCKET_BITS - 1, 0)
    counts = np.bincount((shift << SUB_BUCKET_BITS) + (ns >> shift))
    filled = np.flatnonzero(counts)
    return dict(zip(filled.tolist(), counts[filled].tolist(), strict=True))


def add(into: Histogram, delta: Mapping[int, int]) -> None:
    """Add the counts of `delta` to `into`."""
    for bucket, count in delta.items():
        into[bucket] = into.get(bucket, 0) + count


def percentile(counts: Mapping[int, int], fraction: float) -> int | None:
    """Return the percentile in nanoseconds as LoadGen defines it, or None for an empty histogram.

    `fraction` is 0.99 for the 99th percentile. LoadGen (loadgen.cc, PercentileEntry) takes element floor(n * fraction)
    of the n latencies in ascending order, the last one where that is past the end.
    """
    found = percentiles(counts, (fraction,))
    return found[0] if found else None


def percentiles(counts: Mapping[int, int], fractions: Sequence[float]) -> tuple[int, ...]:
    """Return several percentiles, fractions in ascending order, in one pass; an empty tuple for an empty histogram."""
    total = sum(counts.values())
    if total == 0:
        return ()
    ranks = [min(floor(total * fraction), total - 1) for fraction in fractions]
    found: list[int] = []
    passed = 0
    for bucket in sorted(counts):
        passed += counts[bucket]
        while len(found) < len(ranks) and ranks[len(found)] < passed:
            found.append(value_of(bucket))
        if len(found) == len(ranks):
            break
    return tuple(found)


def mean(counts: Mapping[int, int]) -> float | None:
    """Return the mean in nanoseconds, or None for an empty histogram."""
    total = sum(counts.values())
    if total == 0:
        return None
    return sum(value_of(bucket) * count for bucket, count in counts.items()) / total
