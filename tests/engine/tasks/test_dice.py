"""Dice scores, against the formula of the rules' script written with one-hot arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.tasks.base import Array
from engine.tasks.dice import dice

VOLUME = arrays(np.uint8, (3, 4, 2), elements=st.integers(0, 2))


@given(VOLUME, VOLUME)
def test_it_is_the_formula_of_the_rules(prediction: Array, truth: Array) -> None:
    one, other = np.eye(3)[prediction][..., 1:], np.eye(3)[truth][..., 1:]
    both, each = (one * other).sum((0, 1, 2)), one.sum((0, 1, 2)) + other.sum((0, 1, 2))
    assert dice(prediction, truth, 3) == ((2.0 * both + 1e-6) / (each + 1e-6)).tolist()


def test_a_class_that_neither_has_scores_one() -> None:
    nothing = np.zeros((2, 2, 2), np.uint8)
    assert dice(nothing, nothing, 2) == [1.0]
    assert dice(nothing, nothing + 1, 2) == [pytest.approx(0.0, abs=1e-6)]
