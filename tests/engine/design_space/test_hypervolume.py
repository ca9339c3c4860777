"""Hypervolume against counting the cells of a grid."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.design_space.hypervolume import hypervolume


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 3).flatmap(lambda size: st.lists(st.tuples(*[st.integers(0, 6)] * size), max_size=9)))
def test_as_many_as_the_cells_of_a_grid(points: list[tuple[int, ...]]) -> None:
    size = len(points[0]) if points else 2
    cells = sum(
        any(all(cell < value for cell, value in zip(where, point, strict=True)) for point in points)
        for where in product(range(6), repeat=size)
    )
    assert hypervolume(points, [0] * size, [True] * size) == pytest.approx(cells)


def test_less_may_be_better() -> None:
    assert hypervolume([(10.0, 2.0), (5.0, 1.0)], (0.0, 4.0), (True, False)) == pytest.approx(10 * 2 + 5 * 1)
    assert hypervolume([(10.0, 5.0)], (0.0, 4.0), (True, False)) == 0
