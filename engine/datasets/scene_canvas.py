"""Draw scenes: shapes on a textured background, each visible and occluding no other too much.

The visible part of each object is known exactly, because the canvas records which object is visible at each pixel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_VISIBLE = 0.55
"""Least visible fraction of an object."""
LEAST_AREA = 0.01
"""Least area of an object, as a fraction of the square over the image's short side."""
LEAST_CONTRAST = 60.0
"""Least colour distance between an object and its surroundings, of 442 between black and white."""


def _around(*radii: float, turns: int = 1) -> Array:
    """Return the corners of an outline at these distances from its centre, repeated all around, float64 [n,2]."""
    distances = np.tile(radii, turns)
    angles = np.arange(len(distances)) * (2 * np.pi / len(distances))
    corners: Array = np.stack([np.sin(angles), -np.cos(angles)], axis=1) * distances[:, None]
    return corners


SHAPES: Mapping[str, tuple[Array, ...]] = {
    "Disc": (_around(1, turns=64),),
    "Ring": (_around(1, turns=64), _around(0.55, turns=64)),
    "Square": (_around(1.1, turns=4),),
    "Star": (_around(1.25, 0.5, turns=5),),
    "Triangle": (_around(1.2, turns=3),),
}
"""Each kind's outlines, about 1 from the centre; one within another is a hole. The order is that of the classes."""


@dataclass(frozen=True)
class Thing:
    """Annotation of an object, or of a group of objects: its visible part."""

    category: int
    box: tuple[float, float, float, float]
    """Left, top, width, height in pixels."""
    occluded: bool
    truncated: bool
    """Whether it extends beyond the image."""
    group: bool


@dataclass(frozen=True)
class _Cover:
    """The pixels of an object: a region of the image, and how much of each pixel the object covers."""

    window: tuple[slice, slice]
    share: Array
    """0...1, float32."""
    truncated: bool

    @property
    def solid(self) -> Array:
        """The pixels that belong to the object."""
        solid: Array = self.share > 0.5
        return solid


class SceneCanvas:
    """An image under construction. Later objects are on top."""

    def __init__(self, height: int, width: int, random: np.random.Generator) -> None:
        self._random = random
        self._short = min(height, width)
        self._pixels = _background(height, width, random)
        self._owner = np.full((height, width), -1, np.int16)
        """Index of the visible object at each pixel, -1 for none."""
        self._made: list[tuple[int, int, bool, bool]] = []
        """Category, initially visible pixels, truncated, group."""

    def add_object(self) -> None:
        """Add an object where it occludes no other too much, or none if there is no such position."""
        category = int(self._random.integers(len(SHAPES)))
        for _ in range(8):
            radius = self._short * np.exp(self._random.uniform(np.log(0.09), np.log(0.3)))
            cover = self._cover(category, self._place(0.06), radius)
            if self._leaves_enough(cover):
                self._put(cover, self._colour(cover))
                self._made.append((category, int(cover.solid.sum()), cover.truncated, False))
                return

    def add_group(self) -> None:
        """Add six to nine small objects of one kind close together."""
        category, centre = int(self._random.integers(len(SHAPES))), self._place(0.25)
        truncated, colour = False, None
        for _ in range(self._random.integers(6, 10)):
            place = centre + self._random.normal(0, 0.085 * self._short, 2)
            cover = self._cover(category, place, self._short * self._random.uniform(0.05, 0.07))
            truncated = truncated or cover.truncated
            colour = self._colour(cover) if colour is None else colour
            self._put(cover, colour + self._random.normal(0, 12, 3))
        self._made.append((category, int((self._owner == len(self._made)).sum()), truncated, True))

    def things(self) -> list[Thing]:
        """Return the annotations of all objects, each by its visible part."""
        found = []
        for number, (category, area, truncated, group) in enumerate(self._made):
            visible = self._owner == number
            rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
            left, top = float(columns[0]), float(rows[0])
            box = (left, top, float(columns[-1]) + 1 - left, float(rows[-1]) + 1 - top)
            found.append(Thing(category, box, bool(visible.sum() < 0.99 * area), truncated, group))
        return found

    def photographed(self) -> Array:
        """Return the image with uneven light and noise, like a photograph, uint8."""
        height, width = self._owner.shape
        light = cv2.resize(self._random.uniform(0.75, 1.15, (2, 2)).astype(np.float32), (width, height))
        noise = self._random.standard_normal((height, width, 1), np.float32) * np.float32(self._random.uniform(2, 8))
        return np.clip(self._pixels * light[..., None] + noise, 0, 255).astype(np.uint8)

    def _place(self, margin: float) -> Array:
        """Return a random point x, y with a margin to the image's sides."""
        height, width = self._owner.shape
        return self._random.uniform(margin, 1 - margin, 2) * (width, height)

    def _cover(self, category: int, centre: Array, radius: float) -> _Cover:
        """Return the pixels of an object of this size, randomly rotated and stretched."""
        height, width = self._owner.shape
        turn, stretch = self._random.uniform(0, 2 * np.pi), np.exp(self._random.uniform(-0.2, 0.2))
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * radius
        outlines = [centre + points * (stretch, 1 / stretch) @ axes for points in tuple(SHAPES.values())[category]]
        first, last = np.floor(outlines[0].min(0)).astype(int) - 1, np.ceil(outlines[0].max(0)).astype(int) + 2
        left, top = np.clip(first, 0, (width - 1, height - 1))
        right, bottom = np.clip(last, (left + 1, top + 1), (width, height))
        drawn = np.zeros((bottom - top, right - left), np.uint8)
        # coordinates in 1/16 pixel; an outline within another is a hole
        points = [np.rint((one - (left, top)) * 16).astype(np.int32) for one in outlines]
        cv2.fillPoly(drawn, points, (255,), cv2.LINE_AA, 4)
        truncated = bool((outlines[0] < 0).any() or (outlines[0] > (width, height)).any())
        return _Cover((slice(top, bottom), slice(left, right)), drawn.astype(np.float32) / 255, truncated)

    def _leaves_enough(self, cover: _Cover) -> bool:
        """Return whether a new object is visible itself and leaves enough of those below it visible."""
        below = self._owner[cover.window][cover.solid]
        if below.size < LEAST_AREA * self._short**2:
            return False
        numbers, hidden = np.unique(below[below >= 0], return_counts=True)
        return all(
            (self._owner == number).sum() - count >= LEAST_VISIBLE * self._made[number][1]
            for number, count in zip(numbers, hidden, strict=True)
        )

    def _put(self, cover: _Cover, colour: Array) -> None:
        height, width = cover.share.shape
        shades = colour + self._random.normal(0, 14, (2, 2, 3))
        surface = cv2.resize(shades.astype(np.float32), (width, height))
        part = self._pixels[cover.window]
        part += (surface - part) * cover.share[..., None]
        self._owner[cover.window][cover.solid] = len(self._made)

    def _colour(self, cover: _Cover) -> Array:
        """Return a colour that contrasts with what is below, BGR of 0...255."""
        below = np.array(cv2.mean(self._pixels[cover.window])[:3])
        while True:
            colour = self._random.uniform(20, 235, 3)
            if np.linalg.norm(colour - below) >= LEAST_CONTRAST:
                return colour


def _background(height: int, width: int, random: np.random.Generator) -> Array:
    """Return soft patches of related colours and some strokes across them, BGR of 0...255, float32 [H,W,3]."""
    patches = random.uniform(40, 215, 3) + random.normal(0, 22, (*random.integers(3, 7, 2), 3))
    ground: Array = cv2.resize(patches.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(random.integers(0, 6)):
        ends = np.rint(random.uniform(-0.1, 1.1, (2, 2)) * (width, height)).astype(int)
        colour = patches.mean(axis=(0, 1)) + random.normal(0, 45, 3)
        thickness = int(random.integers(1, 2 + min(height, width) // 60))
        cv2.line(ground, ends[0].tolist(), ends[1].tolist(), colour.tolist(), thickness)
    return ground
