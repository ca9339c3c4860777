"""Sliding windows over a volume: where they are, how they are weighted, and how their outputs are blended.

The arithmetic is that of vision/medical_imaging/3d-unet-kits19 of the rules (v2.1), inference_utils.py and base_SUT.py,
in the same order and in float32, so that equal outputs of a model give equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import product

import numpy as np

from engine.tasks.base import Array

Place = tuple[int, int, int]
"""The first voxel of a window."""

RELATIVE_STD = 0.125
"""Standard deviation of the Gaussian along an axis, in sizes of the window."""
SLAB_BYTES = 1 << 20
"""Of blended outputs that are compared at a time: they stay in the processor's cache."""


def places(shape: Sequence[int], size: Sequence[int], stride: Sequence[int]) -> list[Place]:
    """Return the windows of a volume, the last axis fastest. There is none where the volume is smaller than one."""
    depth, height, width = (
        range(0, whole - part + 1, step) for whole, part, step in zip(shape, size, stride, strict=True)
    )
    return list(product(depth, height, width))


def within(place: Place, size: Sequence[int]) -> tuple[slice, slice, slice]:
    """Return where a window is in its volume."""
    depth, height, width = (slice(start, start + along) for start, along in zip(place, size, strict=True))
    return depth, height, width


def count(shapes: Array, size: Sequence[int], stride: Sequence[int]) -> Array:
    """Return the number of windows of each volume, int64 [N], given their shapes, int64 [N,3]."""
    along = np.maximum((shapes - np.array(size)) // np.array(stride) + 1, 0)
    windows: Array = along.prod(axis=1)
    return windows


def patch(size: Sequence[int]) -> Array:
    """Return the weight of each voxel of a window, float32 [D,H,W]: the cube root of a Gaussian, 1 at its greatest."""
    outer = reduce(np.multiply.outer, [_gaussian(one) for one in size])
    root = np.cbrt(outer)
    weights: Array = (root / root.max()).astype(np.float32)
    return weights


def _gaussian(points: int) -> Array:
    """Return a Gaussian around the middle, float64 [points], by the formula of scipy.signal.windows.gaussian."""
    distance = np.arange(points) - (points - 1) / 2
    std = RELATIVE_STD * points
    bell: Array = np.exp(-(distance**2) / (2 * std * std))
    return bell


class Blend:
    """The weighted outputs of a volume's windows, summed up."""

    def __init__(self, shape: Sequence[int], classes: int, weights: Array) -> None:
        """`weights`: those of a window's voxels, float32 [d,h,w]."""
        self._sum = np.zeros((classes, *shape), np.float32)
        self._weight = np.zeros(shape, np.float32)
        self._weights = weights

    def add(self, place: Place, weighted: Array) -> None:
        """Add a window's outputs, float32 [classes,d,h,w], each multiplied by the weight of its voxel."""
        where = within(place, self._weights.shape)
        self._sum[(slice(None), *where)] += weighted
        self._weight[where] += self._weights

    def labels(self, threshold: float | None = None) -> Array:
        """Return the class of each voxel, uint8 [D,H,W]: of equal ones the first, 0 where there is no window or no
        number.

        With a threshold there is one output, and the class is whether it is above. The sums are used up.
        """
        labels = np.empty(self._weight.shape, np.uint8)
        depth = max(SLAB_BYTES // max(self._sum[:, 0].nbytes, 1), 1)
        with np.errstate(invalid="ignore"):
            for start in range(0, len(labels), depth):
                slab = slice(start, start + depth)
                mean = np.divide(self._sum[:, slab], self._weight[slab], out=self._sum[:, slab])
                labels[slab] = _greatest(mean) if threshold is None else mean[0] > threshold
        return labels


def _greatest(means: Array) -> Array:
    """Return which of the classes, [C,D,H,W], is the greatest, uint8 [D,H,W]: of equal ones the first.

    As argmax along the first axis, for which NumPy would copy the array with that axis last.
    """
    found, best = np.zeros(means.shape[1:], np.uint8), means[0]
    for number, one in enumerate(means[1:], start=1):
        np.copyto(found, np.uint8(number), where=one > best)
        best = np.maximum(best, one) if number < len(means) - 1 else best
    return found
