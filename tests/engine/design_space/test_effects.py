"""Main effects from points that are not spread evenly, and what makes a point better."""

from __future__ import annotations

from random import Random

import pytest

from engine.design_space.effects import contrast, main_effects, neighbour
from engine.design_space.estimates import Estimates
from engine.design_space.front import standing
from engine.design_space.points import every_point
from engine.design_space.trials import Point, Trial
from tests.engine.design_space.spaces import AXES, OBJECTIVES, numbered, trial

BACKEND = {"onnxruntime": 1.0, "openvino": 1.5, "tensorflow": 0.6}
STREAMS = {"1": 0.8, "2": 1.25, "3": 1.0}


def speed(point: Point) -> float:
    chosen = dict(point)
    factors = BACKEND[chosen["backend"]] * (2.0 if chosen["precision"] == "int8" else 1.0)
    return 100 * factors * STREAMS.get(chosen.get("openvino.streams", ""), 1.0)


def trials(points: list[Point], noise: float = 0.0) -> list[Trial]:
    random = Random(1)
    return [trial(one, 1 + n, speed(one) * (1 + random.gauss(0, noise)), 10.0) for n, one in enumerate(points)]


def shares(found: list[Trial], axis: str, confidence: float = 0.95) -> dict[str, float]:
    (effect,) = (
        one
        for one in main_effects(found, AXES, OBJECTIVES, confidence)
        if (one.axis, one.objective) == (axis, "Offline")
    )
    return {one.value: 1 + one.share for one in effect.values}


@pytest.mark.parametrize("kept", [1.0, 0.5])
def test_the_factors_are_found_however_the_points_are_spread(kept: float) -> None:
    random = Random(4)
    points = [one for one in every_point(AXES) if random.random() < kept]
    found = trials(points)
    precision = shares(found, "precision")
    assert precision["int8"] / precision["fp32"] == pytest.approx(2.0)
    backend = shares(found, "backend")
    assert backend["openvino"] / backend["tensorflow"] == pytest.approx(2.5)
    assert backend["onnxruntime"] == pytest.approx(1.0 / 0.9 ** (1 / 3)), "against the geometric mean of the three"
    streams = shares(found, "openvino.streams")
    assert streams["2"] / streams["1"] == pytest.approx(1.25 / 0.8)


def test_the_interval_holds_the_factor() -> None:
    points = list(every_point(AXES))
    effects = main_effects(trials(points, noise=0.05), AXES, OBJECTIVES)
    (precision,) = (one for one in effects if (one.axis, one.objective) == ("precision", "Offline"))
    fast = precision.values[1]
    assert (fast.value, fast.n) == ("int8", 20)
    assert fast.low < 2**0.5 - 1 < fast.high
    assert fast.high - fast.low < 0.1
    (batch,) = (one for one in effects if (one.axis, one.objective) == ("workers.max_batch", "Offline"))
    assert all(one.low < 0 < one.high for one in batch.values)
    assert precision.span == pytest.approx(1.0, abs=0.1)


def test_too_few_points() -> None:
    points = list(every_point(AXES))
    assert main_effects([], AXES, OBJECTIVES) == []
    assert main_effects(trials(points[:1]), AXES, OBJECTIVES) == []
    assert main_effects(trials([points[0], points[4]]), AXES, OBJECTIVES) == [], "no degree of freedom is left"


def test_axes_that_changed_together_tell_nothing() -> None:
    points = [one for one in every_point(AXES) if (one[1][1] == "int8") == (one[2][1] in "48")]
    found = {one.axis for one in main_effects(trials(points), AXES, OBJECTIVES)}
    assert "precision" not in found
    assert "backend" in found


def test_a_point_outside_of_the_axes_is_left_out() -> None:
    points = list(every_point(AXES))
    strange = (("backend", "(default)"), ("precision", "fp32"))
    found = [*trials(points), trial(strange, 99, 5.0, 5.0)]
    assert main_effects(found, AXES, OBJECTIVES) == main_effects(trials(points), AXES, OBJECTIVES)


def test_why_better() -> None:
    default = (("backend", "onnxruntime"), ("precision", "fp32"))
    best = (("backend", "openvino"), ("precision", "fp32"))
    found = [trial(default, 1, 100.0, 10.0), trial(default, 2, 101.0, 10.1)]
    found += [trial(best, 3, 150.0, 10.0), trial(best, 4, 151.0, 10.1)]
    told = contrast(best, default, Estimates(found, OBJECTIVES))
    assert told.choices == (("backend", "openvino", "onnxruntime"),)
    assert told.changes["Offline"].share == pytest.approx(0.4975, abs=1e-3)
    assert told.changes["Offline"].is_beyond_noise
    assert not told.changes["SingleStream"].is_beyond_noise
    failed = Trial(number=5, point=numbered(1), state="failed")
    assert contrast(best, numbered(1), Estimates([*found, failed], OBJECTIVES)).changes == {}


def test_the_neighbour_on_the_front() -> None:
    figures = [(100.0, 10.0), (110.0, 11.0), (300.0, 40.0), (99.0, 10.5)]
    found = [trial(numbered(n), 2 * n + more, *one) for n, one in enumerate(figures) for more in (0, 1)]
    standings = standing(found, OBJECTIVES)
    assert neighbour(numbered(0), standings, OBJECTIVES) == numbered(1)
    assert neighbour(numbered(2), standings, OBJECTIVES) == numbered(1)
    assert neighbour(numbered(3), standings, OBJECTIVES) == numbered(0)
    assert neighbour(numbered(9), standings, OBJECTIVES) is None
