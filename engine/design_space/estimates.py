"""The figures of each point with their noise, and which of two points is surely better in which objective.

A trial of a point scatters around the point's true figure m with the standard deviation r · m. The relative variance r²
is pooled over all points with repeats, r0² = Σ (x / mean - 1)² / Σ (n - 1), with f0 = Σ (n - 1) degrees of freedom. For
one point with n trials of relative variance s² it is

    r² = (d0 · r0² + (n - 1) · s²) / (d0 + n - 1),  d0 = min(f0, 10)

so that a point without repeats has the pooled noise, and one that scatters more than others soon has its own
(Smyth 2004, moderated t statistic, with d0 fixed). The mean of the point has the standard error r · m / √n. For the
difference of two means the errors are added by squares; the degrees of freedom are those of Welch and Satterthwaite, at
most f0. Trials of different duration are never mixed: two points are compared by the longest that both have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from engine.design_space.trials import Constraint, Objective, Point, Trial
from engine.explore.student import MOST_FREEDOM, one_sided, student

Array = np.ndarray[Any, np.dtype[Any]]

PRIOR_FREEDOM = 10
"""Degrees of freedom, at most, with which the pooled noise counts for a single point."""
ENOUGH_FREEDOM = 3
"""With fewer repeats of a duration its noise is taken from the shorter trials too, which scatter more."""
WORKS = ("valid", "valid if longer")


@dataclass(frozen=True)
class RelativeChange:
    """A relative change of a figure with its interval."""

    share: float
    margin: float
    """Half of the interval; infinite where the noise is not known."""

    @property
    def is_beyond_noise(self) -> bool:
        """Whether the interval excludes no change."""
        return abs(self.share) > self.margin


@dataclass(frozen=True)
class StageFigures:
    """Figures of all points in trials of one duration; arrays of shape (objectives, points)."""

    count: Array
    """Number of trials, shape (points,); 0 where a point has none of this duration."""
    mean: Array
    error: Array
    """Standard error of the mean, in the figure's unit; infinite where the noise is not known."""
    freedom: Array
    """Degrees of freedom of each error."""
    noise: Array
    """Relative standard deviation of a trial, pooled, shape (objectives,); not a number where nothing was repeated."""
    noise_freedom: Array
    """Its degrees of freedom, shape (objectives,)."""


class Estimates:
    """Figures with noise of the points that work and keep the constraints."""

    def __init__(
        self, trials: Iterable[Trial], objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()
    ) -> None:
        self.objectives = tuple(objectives)
        groups = by_point_and_stage(trials, objectives)
        self.groups = {point: stages for point, stages in groups.items() if is_eligible(stages, constraints)}
        self.points = tuple(self.groups)
        self._place = {point: number for number, point in enumerate(self.points)}
        self.stages: dict[int, StageFigures] = {}
        squares, freedom = np.zeros(len(self.objectives)), np.zeros(len(self.objectives))
        for stage in sorted({stage for stages in groups.values() for stage in stages}):
            # Points out of bounds tell as much about the noise as the others.
            own = _pooled(self.objectives, [stages[stage] for stages in groups.values() if stage in stages])
            squares, freedom = own if own[1].min() >= ENOUGH_FREEDOM else (squares + own[0], freedom + own[1])
            self.stages[stage] = self._figures(stage, squares, freedom)
        self._sign = np.array([1.0 if one.maximize else -1.0 for one in self.objectives])

    @property
    def mean(self) -> Array:
        """Means by each point's longest trials, of shape (objectives, points)."""
        found = np.zeros((len(self.objectives), len(self.points)))
        for figures in self.stages.values():
            found[:, figures.count > 0] = figures.mean[:, figures.count > 0]
        return found

    @property
    def gain(self) -> Array:
        """The same, the sign changed where less is better."""
        return np.asarray(self._sign[:, None] * self.mean)

    def stage_of(self, number: int) -> int:
        """Return the longest duration that a point has."""
        return max(self.groups[self.points[number]])

    def interval(self, number: int, objective: int, confidence: float) -> tuple[float, float] | None:
        """Return the two-sided interval of a point's mean; None where the noise is not known."""
        figures = self.stages[self.stage_of(number)]
        mean, error = float(figures.mean[objective, number]), float(figures.error[objective, number])
        if not np.isfinite(error):
            return None
        half = student(float(figures.freedom[objective, number]), confidence) * error if error else 0.0
        return mean - half, mean + half

    def difference(self, first: Array, second: Array, confidence: float) -> tuple[Array, Array]:
        """Return differences and their one-sided margins, each of shape (objectives, first, second).

        A difference is positive where the first point is better; it is sure where it exceeds its margin. `first` and
        `second` are indices of points. The margin of points without a common duration is infinite.
        """
        shape = (len(self.objectives), len(first), len(second))
        found, margin = np.zeros(shape), np.full(shape, np.inf)
        for figures in self.stages.values():
            both = (figures.count[first] > 0)[:, None] & (figures.count[second] > 0)[None, :]
            if both.any():
                gap = self._sign[:, None, None] * (
                    figures.mean[:, first][:, :, None] - figures.mean[:, second][:, None, :]
                )
                found = np.where(both, gap, found)
                margin = np.where(both, _margin(figures, first, second, confidence), margin)
        return found, margin

    def changes(self, point: Point, other: Point, confidence: float) -> dict[str, RelativeChange]:
        """Return by how much the figures of a point differ from those of another, by objective."""
        pair = [np.array([self._place[one]]) for one in (point, other)]
        difference, margin = self.difference(pair[0], pair[1], (1 + confidence) / 2)
        found = {}
        for row, one in enumerate(self.objectives):
            level = self._level(int(pair[1][0]), int(pair[0][0]), row)
            if level:
                gain = float(difference[row, 0, 0]) * float(self._sign[row])
                found[one.key] = RelativeChange(gain / level, float(margin[row, 0, 0]) / abs(level))
        return found

    def _level(self, number: int, other: int, row: int) -> float:
        """Return the mean of a point in the longest trials that both points have."""
        both = [one for one in self.stages.values() if one.count[number] and one.count[other]]
        return float(both[-1].mean[row, number]) if both else 0.0

    def _figures(self, stage: int, squares: Array, freedom: Array) -> StageFigures:
        shape = (len(self.objectives), len(self.points))
        count, mean, own = np.zeros(len(self.points), int), np.zeros(shape), np.zeros(shape)
        for number, stages in enumerate(self.groups.values()):
            trials = stages.get(stage, ())
            count[number] = len(trials)
            for row, objective in enumerate(self.objectives if trials else ()):
                values = [trial.figures[objective.key] for trial in trials]
                mean[row, number] = sum(values) / len(values)
                own[row, number] = _squares(values)
        with np.errstate(divide="ignore", invalid="ignore"):
            pooled = squares / freedom
            prior = np.minimum(freedom, PRIOR_FREEDOM)[:, None]
            further = np.maximum(count - 1, 0)[None, :]
            variance = (prior * pooled[:, None] + own) / (prior + further)
            error = np.abs(mean) * np.sqrt(variance / count)
        error[~np.isfinite(error)] = np.inf
        own_freedom = np.minimum(prior + further, freedom[:, None])
        return StageFigures(count, mean, error, own_freedom, np.sqrt(pooled), freedom)


def by_point_and_stage(trials: Iterable[Trial], objectives: Sequence[Objective]) -> dict[Point, dict[int, list[Trial]]]:
    """Return the trials that have all figures by point and stage, in their order."""
    groups: dict[Point, dict[int, list[Trial]]] = {}
    keys = [one.key for one in objectives]
    for trial in trials:
        if trial.state not in ("failed", "refused") and all(key in trial.figures for key in keys):
            groups.setdefault(trial.point, {}).setdefault(trial.stage, []).append(trial)
    return groups


def is_eligible(stages: dict[int, list[Trial]], constraints: Sequence[Constraint]) -> bool:
    """Return whether a point counts: most of its longest trials work, and their means keep the constraints.

    A constraint whose figure no trial has is left to the state of the trials.
    """
    longest = stages[max(stages)]
    if 2 * sum(trial.state in WORKS for trial in longest) <= len(longest):
        return False
    for one in constraints:
        values = [trial.figures[one.key] for trial in longest if one.key in trial.figures]
        if values and not one.holds(fmean(values)):
            return False
    return True


def _pooled(objectives: Sequence[Objective], groups: Sequence[Sequence[Trial]]) -> tuple[Array, Array]:
    """Return the sums of squared relative deviations and their degrees of freedom, a value per objective."""
    squares, freedom = np.zeros(len(objectives)), np.zeros(len(objectives))
    for trials in groups:
        if len(trials) > 1:
            for row, objective in enumerate(objectives):
                squares[row] += _squares([trial.figures[objective.key] for trial in trials])
                freedom[row] += len(trials) - 1
    return squares, freedom


def _squares(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value / mean - 1) ** 2 for value in values) if mean and len(values) > 1 else 0.0


def _margin(figures: StageFigures, first: Array, second: Array, confidence: float) -> Array:
    one, other = (figures.error[:, first] ** 2)[:, :, None], (figures.error[:, second] ** 2)[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = one**2 / figures.freedom[:, first][:, :, None] + other**2 / figures.freedom[:, second][:, None, :]
        freedom = np.where(spread > 0, (one + other) ** 2 / spread, 1.0)
    most = np.maximum(figures.noise_freedom, 1.0)[:, None, None]
    whole = np.nan_to_num(np.minimum(freedom, most), nan=1.0).clip(1, MOST_FREEDOM).astype(int)
    table = np.zeros(whole.max() + 1)
    for kind in np.flatnonzero(np.bincount(whole.ravel())):
        table[kind] = one_sided(int(kind), confidence)
    return np.asarray(table[whole] * np.sqrt(one + other))
