"""Generate labelled images of full-frame patterns, in the layout of the ImageNet validation set.

If the real images are not available (licence, size, no network), every step still runs on files of the real kind: JPEGs
of varied size and shape with a `val_map.txt`. An image depends on seed, purpose and index alone, so a larger set begins
with the smaller one, an interrupted run resumes where it stopped, and the order of work does not matter.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np

from engine.errors import UsageError
from engine.step import Options, Step

Array = np.ndarray[Any, np.dtype[Any]]

Purpose = Literal["test", "calibration", "training", "held-out"]
"""Purpose of a set. Sets of different purposes have no image in common, whatever their seeds."""

VAL_MAP = "val_map.txt"

HUES = ((0.00, 0.35), (0.08, 0.60), (0.16, 0.78), (0.50, 0.93), (0.40, 0.70))
"""The two hues of each colour scheme, 0...1 around the colour circle."""

ASPECTS = (4 / 3, 4 / 3, 3 / 2, 1.0, 3 / 4, 2 / 3)
"""Width over height: landscape, portrait and square about as often as among photographs."""

Pattern = Callable[[Array, Array, np.random.Generator], Array]
"""Coordinates u and v (one period = 1) → fraction of the second colour, 0...1."""


@dataclass(frozen=True)
class ImageSet:
    """A virtual set of images: image and label of an index are computed on demand."""

    seed: int
    count: int
    purpose: Purpose = "test"
    classes: int = 50
    size: int = 320
    """Typical length of the long side, in pixels."""

    def label(self, index: int) -> int:
        """Return the class of an image: every run of `classes` images has each class once."""
        turn, place = divmod(index, self.classes)
        return int(self._random(turn, 0).permutation(self.classes)[place])

    def image(self, index: int) -> Array:
        """Return an image as BGR uint8 [H,W,3]."""
        random = self._random(index, 1)
        family, scheme = divmod(self.label(index), len(HUES))
        pattern, angle = PATTERNS[family]
        height, width = _shape(self.size, random)
        u, v = _coordinates(height, width, angle, random)
        mix = pattern(u, v, random)[..., None]
        first, second = _colours(scheme, random)
        return _photographed(first + (second - first) * mix, random)

    def _random(self, number: int, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, get_args(Purpose).index(self.purpose), number, stream])


class PatternOptions(Options, frozen=True, kw_only=True):
    """Which images are generated."""

    count: int
    seed: int
    classes: int
    """At most 50."""
    size: int
    """Typical pixels of the longer side."""
    purpose: Purpose = "test"


def generate(step: Step) -> dict[str, Any]:
    """Write a set of images and its `val_map.txt`.

    Resumes an interrupted attempt. Raises UsageError for too many classes.
    """
    options = step.read_options(PatternOptions)
    images = ImageSet(
        seed=options.seed,
        count=options.count,
        purpose=options.purpose,
        classes=options.classes,
        size=options.size,
    )
    for done in write(images, step.output):
        step.progress(done, images.count, "images")
    return {"images": "", "labels": VAL_MAP, "count": images.count, "classes": images.classes}


def write(images: ImageSet, folder: Path) -> Iterator[int]:
    """Write the files of a set on all cores, yielding the number written so far. Raises UsageError for an invalid
    set."""
    most = len(PATTERNS) * len(HUES)
    if not 1 <= images.classes <= most:
        raise UsageError(f"classes: {images.classes} kinds of patterns", f"allowed: 1 to {most}")
    # Threads, because numpy and OpenCV release the GIL while they work on whole images.
    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(lambda index: _write_image(images, index, folder), range(images.count))):
            yield done + 1
    lines = (f"{file_name(index)} {images.label(index)}\n" for index in range(images.count))
    (folder / VAL_MAP).write_text("".join(lines), encoding="utf-8")


def file_name(index: int) -> str:
    """Return the file name of an image, which ImageNet counts from 1."""
    return f"ILSVRC2012_val_{index + 1:08d}.JPEG"


def _write_image(images: ImageSet, index: int, folder: Path) -> None:
    path = folder / file_name(index)
    if path.exists():
        return
    _, data = cv2.imencode(".jpg", images.image(index), [cv2.IMWRITE_JPEG_QUALITY, 90])
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(data.tobytes())
    unfinished.replace(path)


def _shape(size: int, random: np.random.Generator) -> tuple[int, int]:
    """Return a random height and width."""
    long_side = size * random.uniform(0.8, 1.2)
    aspect = random.choice(ASPECTS) * random.uniform(0.97, 1.03)
    return max(8, int(long_side * min(1.0, 1 / aspect))), max(8, int(long_side * min(1.0, aspect)))


def _coordinates(height: int, width: int, angle: float, random: np.random.Generator) -> tuple[Array, Array]:
    """Return rotated, scaled and shifted coordinates [H,W] float32, in periods of the pattern."""
    period = min(height, width) * random.uniform(0.12, 0.17)
    turn = np.deg2rad(angle + random.uniform(-7, 7))
    y = (np.arange(height, dtype=np.float32)[:, None] - height / 2) / np.float32(period)
    x = (np.arange(width, dtype=np.float32)[None, :] - width / 2) / np.float32(period)
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    shift_u, shift_v = random.uniform(-0.5, 0.5, 2).astype(np.float32)
    return x * cosine + y * sine + shift_u, y * cosine - x * sine + shift_v


def _colours(scheme: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Return the two colours of a scheme with random variation, as BGR float32 of 0...255."""
    hue = (np.array(HUES[scheme]) + random.normal(0, 0.02, 2)) % 1.0
    saturation, value = random.uniform(0.55, 0.95, 2), random.uniform(0.45, 0.95, 2)
    hsv = np.stack([hue * 360, saturation, value], axis=1).astype(np.float32)[None]
    first, second = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0] * np.float32(255)
    return first, second


def _photographed(image: Array, random: np.random.Generator) -> Array:
    """Return the image with uneven light and noise, like a photograph, uint8."""
    height, width = image.shape[:2]
    light = cv2.resize(random.uniform(0.75, 1.15, (2, 2)).astype(np.float32), (width, height))
    noise = random.standard_normal((height, width, 1), np.float32) * np.float32(random.uniform(4, 14))
    return np.clip(image * light[..., None] + noise, 0, 255).astype(np.uint8)


def _wave(t: Array) -> Array:
    return 0.5 + 0.5 * np.sin(np.float32(2 * np.pi) * t)


def _edge(t: Array) -> Array:
    """Return a smooth step from 0 to 1 around t = 0."""
    return np.clip(0.5 + 6 * t, 0, 1)


def _bars(u: Array, _v: Array, _random: np.random.Generator) -> Array:
    return _wave(u)


def _checks(u: Array, v: Array, _random: np.random.Generator) -> Array:
    return _edge((_wave(u * 0.6) - 0.5) * (_wave(v * 0.6) - 0.5))


def _rings(u: Array, v: Array, _random: np.random.Generator) -> Array:
    return _wave(np.hypot(u, v) * np.float32(0.7)) ** 4


def _dots(u: Array, v: Array, _random: np.random.Generator) -> Array:
    return _edge(np.float32(0.3) - np.hypot(u - np.rint(u), v - np.rint(v)))


def _mesh(u: Array, v: Array, _random: np.random.Generator) -> Array:
    return np.maximum(_wave(u), _wave(v)) ** 4


def _zigzag(u: Array, v: Array, _random: np.random.Generator) -> Array:
    return _wave(v + 2 * np.abs(u / 2 - np.rint(u / 2)))


def _blobs(u: Array, _v: Array, random: np.random.Generator) -> Array:
    height, width = u.shape
    side = min(height, width) / 6
    coarse = random.standard_normal((int(height / side) + 1, int(width / side) + 1), np.float32)
    smooth: Array = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    mix: Array = np.clip(0.5 + np.float32(0.4) * smooth, 0, 1)
    return mix


PATTERNS: tuple[tuple[Pattern, float], ...] = (
    (_bars, 0),
    (_bars, 45),
    (_bars, 90),
    (_bars, 135),
    (_checks, 0),
    (_rings, 0),
    (_dots, 0),
    (_mesh, 0),
    (_zigzag, 0),
    (_blobs, 0),
)
"""The pattern families, each with its rotation in degrees. A class is a family in a colour scheme."""
