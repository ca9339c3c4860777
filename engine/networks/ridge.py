"""Fit a linear classifier in closed form, to add a last layer to a model without a training framework."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

STRENGTHS = tuple(10.0**exponent for exponent in range(-4, 3))
"""Candidate regularisation strengths, as fractions of the mean eigenvalue of the kernel."""


def fit(features: Array, labels: Array, classes: int) -> tuple[Array, Array]:
    """Return float32 weight [classes, D] and bias [classes] of a ridge regression onto one-hot labels.

    features [n, D], labels int [n]. The strength is the best by leave-one-out classification; with kernel K = X Xᵀ and
    H = K (K + λI)⁻¹ the left-out prediction is (HY - diag(H) Y) / (1 - diag(H)) (Hastie, Tibshirani, Friedman, The
    Elements of Statistical Learning, section 7.10).
    """
    mean, deviation = features.mean(0, np.float64), features.std(0, np.float64)
    x = (features - mean) / np.where(deviation > 0, deviation, 1.0)
    share = np.full(classes, 1.0 / classes)
    targets = np.eye(classes)[labels] - share
    values, vectors = np.linalg.eigh(x @ x.T)
    projected = vectors.T @ targets
    strengths = [strength * values.mean() for strength in STRENGTHS]
    best = max(strengths, key=lambda strength: _left_out_hits(values, vectors, projected, targets, labels, strength))
    weight = (x.T @ (vectors @ (projected / (values + best)[:, None]))).T / np.where(deviation > 0, deviation, 1.0)
    return weight.astype(np.float32), (share - weight @ mean).astype(np.float32)


def _left_out_hits(
    values: Array, vectors: Array, projected: Array, targets: Array, labels: Array, strength: float
) -> int:
    """Return how many samples are classified correctly by the fit to all the others."""
    shrink = values / (values + strength)
    predicted = vectors @ (shrink[:, None] * projected)
    own = ((vectors**2) @ shrink)[:, None]
    left_out = (predicted - own * targets) / (1 - own)
    return int((left_out.argmax(1) == labels).sum())
