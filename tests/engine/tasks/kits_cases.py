"""Scans in the form of KiTS19 from seeds: the same arrays for the goldens of the rules' scripts and for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Raw(NamedTuple):
    """A scan as it is stored."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    """Slices, rows, columns: mm."""
    dtype: str = "int16"


CASES = (
    Raw((30, 150, 140), (3.0, 0.9, 1.1)),  # each axis too short, or nearly as long as a window
    Raw((90, 200, 180), (2.5, 0.8, 0.7), "float64"),  # two axes cropped
    Raw((66, 132, 165), (3.2, 1.2, 1.2)),  # one cropped, one padded to 192
    Raw((130, 128, 126), (1.6, 1.2, 1.2)),  # the spacing of the rules, as float32 has it
)


def volume(seed: int, raw: Raw) -> tuple[Array, Array]:
    """Return an image in Hounsfield units and labels 0, 1, 2, each blocks of a few voxels."""
    rng = np.random.default_rng(seed)
    coarse = [-(-size // 6) for size in raw.shape]
    image = rng.integers(-1000, 1200, coarse)
    label = rng.choice(3, coarse, p=(0.7, 0.2, 0.1))
    for axis, size in enumerate(raw.shape):
        image, label = (one.repeat(6, axis).take(range(size), axis) for one in (image, label))
    image = image + rng.integers(-20, 20, raw.shape)
    return image.astype(raw.dtype), label.astype(np.uint8)


def affine(spacing: Sequence[float]) -> Array:
    """Return that of KiTS19: slices run from head to foot, rows to the back, columns to the left."""
    found = np.zeros((4, 4))
    found[2, 0], found[1, 1], found[0, 2], found[3, 3] = (*(-one for one in spacing), 1.0)
    return found


def write(folder: Path, seed: int, raw: Raw) -> Path:
    """Write imaging.nii.gz and segmentation.nii.gz of a case; returns its folder."""
    nibabel: Any = import_module("nibabel")
    folder.mkdir(parents=True, exist_ok=True)
    names = ("imaging.nii.gz", "segmentation.nii.gz")
    for name, array in zip(names, volume(seed, raw), strict=True):
        nibabel.save(nibabel.Nifti1Image(array, affine(raw.spacing)), folder / name)
    return folder


def labelled(count: int) -> list[tuple[Array, Array]]:
    """Return predictions and labels of so many small volumes, uint8 each: most voxels agree, some classes are empty."""
    found = []
    for number in range(count):
        rng = np.random.default_rng([1917, number])
        shape = tuple(rng.integers(4, 20, 3).tolist())
        shares = (0.8, 0.15, 0.05) if number % 9 else (0.9, 0.1, 0.0)
        truth = rng.choice(3, shape, p=shares).astype(np.uint8)
        wrong = rng.random(shape) < rng.random() / 3
        prediction = np.where(wrong, rng.integers(0, 3 if number % 7 else 2, shape), truth).astype(np.uint8)
        found.append((prediction, truth))
    return found
