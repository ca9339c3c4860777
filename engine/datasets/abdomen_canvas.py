"""A volume on which organs are drawn, one over the other, and then scanned: blurred, with noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Triple = tuple[float, float, float]

SPACING = (1.6, 1.2, 1.2)
"""Of the rules' volumes along each axis, mm."""
AIR = -1000.0
NOISE = 28.0
"""Deviation of a voxel before the scan's blur, Hounsfield units."""
WAVES = 3
"""Of which an outline's irregularities are made."""


@dataclass(frozen=True)
class Organ:
    """An ellipsoid with an uneven surface."""

    place: Triple
    """Of its middle, mm from that of the volume."""
    radii: Triple
    """mm."""
    density: float
    """Hounsfield units."""
    uneven: float = 0.0
    """How far its surface is from an ellipsoid's, in radii."""
    turn: float = 0.0
    """Radians, in the plane of the first and the last axis."""


class Canvas:
    """An abdomen under construction."""

    def __init__(self, shape: tuple[int, int, int], random: np.random.Generator) -> None:
        self.label = np.zeros(shape, np.uint8)
        self.half = tuple(spacing * size / 2 for spacing, size in zip(SPACING, shape, strict=True))
        """Half the volume's size along each axis, mm."""
        self._image = np.full(shape, AIR, np.float32)
        self._random = random

    def paint(self, organ: Organ, label: int = 0, *, texture: float = 0.0) -> None:
        """Draw an organ over what is there. `texture`: deviation of its density from place to place."""
        around = self._around(organ)
        if around is None:
            return
        z, y, x = self._from_middle(organ, around)
        cos, sin = np.cos(organ.turn), np.sin(organ.turn)
        turned = (cos * z + sin * x, y, cos * x - sin * z)
        distance = sum((along / radius) ** 2 for along, radius in zip(turned, organ.radii, strict=True))
        if organ.uneven:
            distance = distance + organ.uneven * self._waves(turned, organ.radii)
        inside = distance < 1
        density = np.full(inside.shape, organ.density, np.float32)
        if texture:
            density += np.float32(texture) * self._waves((z, y, x), (9.0, 9.0, 9.0))
        self._image[around][inside] = density[inside]
        self.label[around][inside] = label

    def scanned(self) -> Array:
        """Return the image, float32 [D,H,W], with noise, blurred as by a scanner's resolution."""
        self._image += np.float32(NOISE) * self._random.standard_normal(self._image.shape, np.float32)
        for axis in range(3):
            self._image = _blurred(self._image, axis)
        return self._image

    def _around(self, organ: Organ) -> tuple[slice, slice, slice] | None:
        """Return the part of the volume that the organ is in; None where it is outside."""
        reach = max(organ.radii[0], organ.radii[2]) if organ.turn else 0.0
        found = []
        for place, radius, half, spacing, size in zip(
            organ.place, organ.radii, self.half, SPACING, self.label.shape, strict=True
        ):
            away = max(radius, reach) * (1 + organ.uneven)
            start, end = ((place + half + way) / spacing for way in (-away, away))
            found.append(slice(max(int(start) - 1, 0), min(int(end) + 2, size)))
        if any(part.start >= part.stop for part in found):
            return None
        return found[0], found[1], found[2]

    def _from_middle(self, organ: Organ, around: tuple[slice, ...]) -> list[Array]:
        """Return mm from the organ's middle along each axis, in shapes that broadcast to the part's."""
        return [
            np.moveaxis(
                ((np.arange(part.start, part.stop) + 0.5) * spacing - half - place).astype(np.float32)[:, None, None],
                0,
                axis,
            )
            for axis, (part, spacing, half, place) in enumerate(
                zip(around, SPACING, self.half, organ.place, strict=True)
            )
        ]

    def _waves(self, at: tuple[Array, ...] | list[Array], lengths: Triple) -> Array:
        """Return a smooth random field of about -1...1: products of waves along the axes, of about these lengths."""
        total: Array = np.zeros((), np.float32)
        for _ in range(WAVES):
            wave: Array = np.ones((), np.float32)
            for along, length in zip(at, lengths, strict=True):
                pace, start = self._random.uniform(1.2, 3) / length, self._random.uniform(0, 2 * np.pi)
                wave = wave * np.sin(np.float32(pace) * along + np.float32(start))
            total = total + wave
        return total


def _blurred(image: Array, axis: int) -> Array:
    """Return a volume with each voxel a quarter its two neighbours each, along an axis; the first and last stay."""
    found = image.copy()
    inner, before, after = ([slice(None)] * 3 for _ in range(3))
    inner[axis], before[axis], after[axis] = slice(1, -1), slice(0, -2), slice(2, None)
    found[tuple(inner)] = 0.5 * image[tuple(inner)] + 0.25 * (image[tuple(before)] + image[tuple(after)])
    return found
