"""Samplers: every one goes through the whole space without repeats, from the trials alone."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engine.design_space.points import every_point, exists
from engine.design_space.samplers import SAMPLERS, next_points, require
from engine.design_space.trials import Axis, Constraint, Point, Trial
from engine.errors import UsageError
from tests.engine.design_space.spaces import AXES, OBJECTIVES, SIZE, trial


def any_point(point: Point) -> bool:
    return True


def figures_of(point: Point) -> tuple[float, float]:
    """Return figures of which the best are at openvino, int8."""
    chosen = dict(point)
    speed = {"onnxruntime": 100.0, "openvino": 140.0, "tensorflow": 60.0}[chosen["backend"]]
    batch = float(chosen["workers.max_batch"])
    speed *= (1.8 if chosen["precision"] == "int8" else 1.0) * batch**0.3
    return speed, 1000 * batch / speed


def explored(
    sampler: str,
    count: int,
    valid: Callable[[Point], bool] = any_point,
    seed: int = 1,
    axes: Sequence[Axis] = AXES,
) -> list[Trial]:
    history: list[Trial] = []
    while len(history) < count and (points := next_points(sampler, axes, OBJECTIVES, history, 1, seed, valid)):
        history.append(trial(points[0], len(history) + 1, *figures_of(points[0])))
    return history


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_whole_space_once(sampler: str) -> None:
    axes = AXES[:3] if sampler == "tpe" else AXES
    points = [one.point for one in explored(sampler, SIZE + 1, axes=axes)]
    assert sorted(points) == sorted(every_point(axes))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_refused_points_are_never_asked_for(sampler: str) -> None:
    def valid(point: Point) -> bool:
        return dict(point)["precision"] == "int8"

    history = explored(sampler, SIZE, valid, axes=AXES[:3])
    assert len(history) == 12
    assert all(valid(one.point) for one in history)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_several_at_once_are_different(sampler: str) -> None:
    history = explored("sobol", 12)
    points = next_points(sampler, AXES, OBJECTIVES, history, 7, 3, any_point)
    assert len(points) == len(set(points)) == 7
    assert not set(points) & {one.point for one in history}
    by_name = {axis.name: axis for axis in AXES}
    for point in points:
        assert all(exists(by_name[name], dict(point)) for name, _ in point)
    assert points == next_points(sampler, AXES, OBJECTIVES, history, 7, 3, any_point), "the arguments decide"


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_the_seed_decides_the_points_however_the_trials_came_about(sampler: str) -> None:
    one_by_one = {one.point for one in explored(sampler, 10)}
    assert set(next_points(sampler, AXES, OBJECTIVES, (), 10, 1, any_point)) == one_by_one
    assert set(next_points(sampler, AXES, OBJECTIVES, (), 10, 2, any_point)) != one_by_one


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_a_space_too_large_to_list(sampler: str) -> None:
    axes = tuple(Axis(name=f"axis {number}", values=tuple(map(str, range(100)))) for number in range(12))
    assert len(set(next_points(sampler, axes, OBJECTIVES, (), 200, 1, any_point))) == 200


def test_sobol_spreads_over_categories() -> None:
    points = [dict(point) for point in next_points("sobol", AXES, OBJECTIVES, (), 12, 1, any_point)]
    for axis in AXES[:3]:
        counts = [sum(point[axis.name] == value for point in points) for value in axis.values]
        assert min(counts) >= 1


def test_tpe_soon_asks_where_the_best_are() -> None:
    points = [dict(one.point) for one in explored("tpe", 22)][10:]
    best = sum(point["backend"] == "openvino" and point["precision"] == "int8" for point in points)
    assert best >= 6, "12 of 40 points are there: at random fewer than 4 of 12"


def test_tpe_leaves_what_fails_and_what_breaks_a_constraint() -> None:
    history: list[Trial] = []
    for number, point in enumerate(next_points("sobol", AXES, OBJECTIVES, (), 12, 1, any_point)):
        chosen = dict(point)
        one = trial(point, number, *figures_of(point), state="valid")
        if chosen["precision"] == "int8":
            one = Trial(number=number, point=point, state="failed", reason="out of memory")
        one.figures["accuracy"] = 70.0 if chosen["backend"] == "openvino" else 75.0
        history.append(one)
    bound = Constraint(key="accuracy", at_least=True, bound=74.0)
    points = next_points("tpe", AXES, OBJECTIVES, history, 3, 1, any_point, (bound,))
    assert sum(dict(point)["precision"] == "fp32" for point in points) >= 2
    assert sum(dict(point)["backend"] != "openvino" for point in points) >= 2


def test_tpe_where_nothing_worked_yet() -> None:
    points = next_points("sobol", AXES, OBJECTIVES, (), 12, 1, any_point)
    history = [Trial(number=number, point=point, state="failed") for number, point in enumerate(points)]
    assert next_points("tpe", AXES, OBJECTIVES, history, 1, 1, any_point)


def test_unknown_sampler() -> None:
    with pytest.raises(UsageError, match=r"no sampler 'sobel'"):
        next_points("sobel", AXES, OBJECTIVES, (), 1, 1, any_point)


@pytest.mark.parametrize(("sampler", "package"), [("sobol", "scipy"), ("tpe", "optuna")])
def test_a_package_that_is_not_installed(sampler: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *others: Any, **named: Any) -> Any:
        if name.split(".", maxsplit=1)[0] == package:
            raise ImportError(name)
        return original(name, *others, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=rf"{package}.*\n.*inferdeck\[explore\]"):
        require(sampler)


def test_grid_is_mixed() -> None:
    points = [dict(point) for point in next_points("grid", AXES, OBJECTIVES, (), 20, 1, any_point)]
    for axis in AXES[:3]:
        assert {point[axis.name] for point in points} == set(axis.values)


def test_grid_of_a_space_too_large_to_list() -> None:
    axes = tuple(Axis(name=f"axis {number}", values=tuple(map(str, range(100)))) for number in range(12))
    assert len(set(next_points("grid", axes, OBJECTIVES, (), 20, 1, any_point))) == 20
