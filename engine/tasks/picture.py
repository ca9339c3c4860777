"""What a person looks at: a sample with its truth beside what the model answered.

A task with images has a function `pictures` (`PicturesOf`); engine.explore.drawing draws what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.tasks.base import Array

COLOURS = 3
"""Channels of an image."""


@dataclass(frozen=True)
class Box:
    """An object on an image."""

    left: float
    top: float
    width: float
    height: float
    """All in fractions of the image's sides, 0...1; a box may leave its image."""
    kind: str
    """Its class: boxes of one kind have one colour."""
    name: str


@dataclass(frozen=True)
class Panel:
    """An image with what is said about it."""

    caption: str
    image: Array
    """Grey [H,W] or RGB [H,W,3], uint8."""
    boxes: Sequence[Box] = ()
    mask: Array | None = None
    """uint8 [H,W]: the class of each pixel, 0 for none."""


@dataclass(frozen=True)
class Picture:
    """A sample."""

    name: str
    panels: Sequence[Panel]
    """Side by side: the truth first, then the answer; one where there is nothing to compare on the image."""


Shown = Mapping[int, tuple[Array, bytes]]
"""By QSL index: the prepared sample, the model's first input, and the response of an accuracy log."""

PicturesOf = Callable[[Shown, Path, Path], list[Picture]]
"""Samples, the label file of the sample set and, for messages, the log → pictures in the same order.

Raises DataError for malformed labels and responses.
"""


def visible(sample: Array) -> Array:
    """Return a prepared image, [3,H,W], [H,W,3] or [H,W], as uint8 [H,W,3] or [H,W], whatever it was normalised to.

    All but the darkest and the lightest hundredth of its values lie between black and white.
    """
    values = sample.astype(np.float32)
    if values.ndim == COLOURS and values.shape[0] == COLOURS:
        values = values.transpose(1, 2, 0)
    low, high = np.percentile(values, (1, 99))
    scaled: Array = np.clip((values - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    return scaled
