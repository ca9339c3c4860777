"""The hypervolume of a front: how much of the space of figures it dominates, exactly."""

from __future__ import annotations

from collections.abc import Sequence


def hypervolume(figures: Sequence[Sequence[float]], reference: Sequence[float], maximize: Sequence[bool]) -> float:
    """Return the volume that points dominate, bounded by the reference point; the product of the figures' units.

    `figures` are those of each point, in the order of `reference` and `maximize`. Points that are not better than the
    reference in every figure add nothing. Exact for any number of figures; it takes n² log n for three.
    """
    signs = [1.0 if one else -1.0 for one in maximize]
    gains = [
        tuple(sign * (value - limit) for sign, value, limit in zip(signs, point, reference, strict=True))
        for point in figures
    ]
    return _volume(sorted({gain for gain in gains if min(gain) > 0}, reverse=True))


def _volume(gains: Sequence[tuple[float, ...]]) -> float:
    """Return the volume above the origin, of gains in descending order."""
    if not gains:
        return 0.0
    if len(gains[0]) == 1:
        return gains[0][0]
    total = 0.0
    seen: list[tuple[float, ...]] = []
    ends = [*(gain[0] for gain in gains[1:]), 0.0]
    for gain, end in zip(gains, ends, strict=True):
        seen = _front([*seen, gain[1:]])
        if gain[0] > end:
            total += (gain[0] - end) * _volume(seen)
    return total


def _front(gains: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Return the gains that no other equals or beats, in descending order; the last is the one that is new."""
    new = gains[-1]
    kept = [gain for gain in gains[:-1] if not all(a >= b for a, b in zip(new, gain, strict=True))]
    if any(all(a >= b for a, b in zip(gain, new, strict=True)) for gain in kept):
        return kept
    return sorted([*kept, new], reverse=True)
