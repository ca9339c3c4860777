"""The Dice score of a segmentation, by the arithmetic of the rules' accuracy_kits.py (v2.1)."""

from __future__ import annotations

import numpy as np

from engine.tasks.base import Array

SMOOTH = 1e-6
"""Added to both sides of the fraction: a class that neither volume has scores 1."""


def dice(prediction: Array, truth: Array, classes: int) -> list[float]:
    """Return the score of each class but the background, 1 to `classes` - 1, given uint8 volumes of one shape.

    Twice the voxels that both volumes have in the class, over those that each has.
    """
    return [_score(prediction == one, truth == one) for one in range(1, classes)]


def _score(prediction: Array, truth: Array) -> float:
    both = np.count_nonzero(prediction & truth)
    each = np.count_nonzero(prediction) + np.count_nonzero(truth)
    return (2.0 * both + SMOOTH) / (each + SMOOTH)
