"""What each choice does to the figures on average, and why a point is better than another.

The main effects are those of an additive model, fitted to all points by least squares: the logarithm of a figure is a
constant plus one number for each choice, which for an axis sum up to zero over its values. So the effect of a value is
its ratio to the average of the values of its axis, the other choices being equal, even where the points were not spread
evenly. An axis that exists only for some choices adds nothing elsewhere. Interactions of choices count as scatter and
widen the intervals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from statistics import fmean

import numpy as np

from engine.design_space.estimates import Array, Estimates, RelativeChange, by_point_and_stage
from engine.design_space.exploration import CONFIDENCE
from engine.design_space.front import Standing
from engine.design_space.points import axis_differences
from engine.design_space.trials import Axis, Objective, Point, Trial
from engine.explore.student import student

_ZERO = 1e-9


@dataclass(frozen=True)
class ValueEffect:
    """The effect of one value of an axis."""

    value: str
    n: int
    """Points with it."""
    share: float
    """Relative difference of the figure to the average of the axis's values."""
    low: float
    high: float
    """Its interval."""


@dataclass(frozen=True)
class AxisEffect:
    """The effects of an axis on one objective."""

    axis: str
    objective: str
    values: tuple[ValueEffect, ...]
    """Those that were measured, in the axis's order."""

    @property
    def span(self) -> float:
        """Ratio of the highest to the lowest value, less 1: how much the axis matters."""
        shares = [1 + one.share for one in self.values]
        return max(shares) / min(shares) - 1 if min(shares) > 0 else inf


@dataclass(frozen=True)
class Contrast:
    """A point against another."""

    point: Point
    other: Point
    choices: tuple[tuple[str, str, str], ...]
    """Axis, value here and value there of what differs."""
    changes: Mapping[str, RelativeChange]
    """Of the figures, by the objective's key, from the other to the point."""


def main_effects(
    trials: Sequence[Trial],
    axes: Sequence[Axis],
    objectives: Sequence[Objective],
    confidence: float = CONFIDENCE,
) -> list[AxisEffect]:
    """Return the effects of each axis on each objective, of short trials of all points that have figures.

    The axes are in their order, for each objective. An axis is left out where the points don't tell its effect: fewer
    than two values were measured, or it always changed with another one. So is an objective with a figure that is not
    positive; with hardly more points than values nothing is told.
    """
    shortest = min((trial.stage for trial in trials), default=0)
    groups = by_point_and_stage((one for one in trials if one.stage == shortest), objectives)
    by_name = {axis.name: axis for axis in axes}
    points = [
        point for point in groups if all(name in by_name and value in by_name[name].values for name, value in point)
    ]
    found = []
    for objective in objectives:
        figures = [fmean(one.figures[objective.key] for one in groups[point][shortest]) for point in points]
        if points and min(figures) > 0:
            found += _effects(axes, objective.key, points, figures, confidence)
    return found


def contrast(point: Point, other: Point, found: Estimates, confidence: float = CONFIDENCE) -> Contrast:
    """Return why a point is better or worse than another: what differs, and by how much the figures do.

    No figures where one of the two does not count, or they have no trials of equal duration.
    """
    both = point in found.groups and other in found.groups
    changes = found.changes(point, other, confidence) if both else {}
    return Contrast(point, other, axis_differences(point, other), changes)


def neighbour(point: Point, standings: Mapping[Point, Standing], objectives: Sequence[Objective]) -> Point | None:
    """Return the point that is not dominated with the most similar figures; None where there is no other."""
    here = standings.get(point)
    others = [one for one, found in standings.items() if found.word != "dominated" and one != point]
    if here is None or not others:
        return None

    def distance(other: Point) -> float:
        means = standings[other].means
        return sum(abs(_log(means[one.key]) - _log(here.means[one.key])) for one in objectives)

    return min(others, key=distance)


def _log(figure: float) -> float:
    return log(max(abs(figure), _ZERO))


def _effects(
    axes: Sequence[Axis], key: str, points: Sequence[Point], figures: Sequence[float], confidence: float
) -> list[AxisEffect]:
    chosen = [dict(point) for point in points]
    levels = {
        axis.name: [one for one in axis.values if any(has.get(axis.name) == one for has in chosen)] for axis in axes
    }
    levels = {name: values for name, values in levels.items() if len(values) > 1}
    columns = {name: _coded([has.get(name) for has in chosen], values) for name, values in levels.items()}
    matrix = np.hstack([np.ones((len(points), 1)), *columns.values()])
    inverse = np.linalg.pinv(matrix.T @ matrix)
    answer = np.log(np.array(figures))
    solution = inverse @ matrix.T @ answer
    freedom = len(points) - int(np.linalg.matrix_rank(matrix))
    if not freedom:
        return []
    # What the points leave open: directions in which the solution may move without changing the fit.
    loose = np.eye(matrix.shape[1]) - inverse @ matrix.T @ matrix
    rest = float(((answer - matrix @ solution) ** 2).sum())
    result, start = [], 1
    for name, values in levels.items():
        end = start + len(values) - 1
        # The number of the last value is minus the sum of the others.
        weights = np.vstack([np.eye(len(values) - 1), -np.ones(len(values) - 1)])
        numbers = weights @ solution[start:end]
        variances = np.diag(weights @ inverse[start:end, start:end] @ weights.T).clip(0)
        wide = student(freedom, confidence) * np.sqrt(variances * rest / freedom)
        counts = Counter(has.get(name) for has in chosen)
        effects = [
            _effect(value, counts[value], number, half)
            for value, number, half in zip(values, numbers.tolist(), wide.tolist(), strict=True)
        ]
        if np.abs(weights @ loose[start:end]).max() < _ZERO:
            result.append(AxisEffect(name, key, tuple(effects)))
        start = end
    return result


def _effect(value: str, n: int, number: float, wide: float) -> ValueEffect:
    high = exp(number + wide) - 1 if number + wide < 700 else inf
    return ValueEffect(value, n, exp(number) - 1, exp(number - wide) - 1, high)


def _coded(values: Sequence[str | None], levels: Sequence[str]) -> Array:
    """Return a column for each level but the last, which is -1 in all; nothing where the axis does not exist."""
    table = np.vstack([np.eye(len(levels) - 1), -np.ones(len(levels) - 1), np.zeros(len(levels) - 1)])
    return np.asarray(table[[len(levels) if value is None else levels.index(value) for value in values]])
