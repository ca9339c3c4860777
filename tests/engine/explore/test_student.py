"""Quantiles of Student's t against the tables of statistics books."""

from __future__ import annotations

import pytest

from engine.explore.student import one_sided, student

TABLE = {1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 30: 2.042, 120: 1.980}


@pytest.mark.parametrize("freedom", TABLE)
def test_two_sided_95_percent(freedom: int) -> None:
    assert student(freedom) == pytest.approx(TABLE[freedom], abs=5e-4)


def test_other_shares() -> None:
    assert one_sided(4, 0.9995) == pytest.approx(8.610, abs=5e-4)
    assert one_sided(10, 0.95) == pytest.approx(1.812, abs=5e-4)
    assert student(7, 0.99) == pytest.approx(3.499, abs=5e-4)


def test_freedom_is_rounded_to_the_safe_side() -> None:
    assert student(5.9) == student(5)
    assert student(0.2) == student(1)
    assert 1.96 < student(1e6) < 1.98
