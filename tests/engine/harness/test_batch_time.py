"""Limits of batch sizes, and batch times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.harness.batch_time import fitting, time_between


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=8), st.floats(0, 2), st.floats(0.001, 2))
def test_a_batch_fits_or_is_the_largest(times: list[float], age: float, bound: float) -> None:
    ascending = sorted(times)
    size = fitting(ascending, age, bound)
    fits = [number for number, taken in enumerate(ascending, start=1) if age + taken <= bound + 1e-12]
    assert size in {max(fits, default=len(ascending)), len(ascending)} | ({size} if size in fits else set())
    surely = [taken for taken in ascending if age + taken <= bound - 1e-9]
    assert age + ascending[size - 1] <= bound + 1e-9 or not surely


def test_a_time_between_two_sizes_lies_on_a_line_and_beyond_them_in_proportion() -> None:
    measured = [(2, 2.0), (4, 3.0)]
    assert [time_between(size, measured) for size in (1, 2, 3, 4, 8)] == pytest.approx([2.0, 2.0, 2.5, 3.0, 6.0])
