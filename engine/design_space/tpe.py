"""Optuna's multi-objective sampler, asked from our own trials: its study is built anew each time and never stored."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial, create_trial

from engine.design_space.front import front_of
from engine.design_space.points import as_point, exists, in_dependency_order
from engine.design_space.trials import Axis, Constraint, Objective, Point, Trial

MOST = 120
"""Latest points that it is told beside the best: it takes longer with each, and is made for hundreds."""
_RAN, _WORKS = "ran", "state"
_WORST = 10.0
"""By how much a point without figures is out of bounds; a constraint is by the share of its bound."""
_SEEDS = 2**32


class Study:
    """A study of the points measured so far."""

    def __init__(
        self,
        axes: Sequence[Axis],
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint],
        history: Sequence[Trial],
        seed: int,
    ) -> None:
        self._axes = axes
        self._ordered = in_dependency_order(axes)
        groups: dict[Point, list[Trial]] = {}
        for trial in history:
            groups.setdefault(trial.point, []).append(trial)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The seed moves on with the trials: otherwise each answer would be the previous one.
            sampler = optuna.samplers.TPESampler(
                seed=(seed * 1_000_003 + len(history)) % _SEEDS,
                n_startup_trials=1,
                gamma=_good,
                multivariate=True,
                group=True,
            )
            kinds = optuna.study.StudyDirection
            directions = [kinds.MAXIMIZE if one.maximize else kinds.MINIMIZE for one in objectives]
            self._study = optuna.create_study(sampler=sampler, directions=directions)
            self._study.add_trials(_told(self._ordered, objectives, constraints, groups))

    def asked(self, count: int) -> Iterator[Point]:
        """Yield points that are likely to be among the best, the same point more than once perhaps.

        Points that were asked for stay open, which drives the sampler away from them.
        """
        for _ in range(count):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                trial = self._study.ask()
                chosen: dict[str, str] = {}
                for axis in self._ordered:
                    if exists(axis, chosen):
                        chosen[axis.name] = _suggested(trial, axis)
            yield as_point(self._axes, chosen)


def _good(count: int) -> int:
    """Return how many of so many points count as good: with Optuna's tenth a front of few points has one end only."""
    return min(3 + count // 10, 25)


def _suggested(trial: optuna.Trial, axis: Axis) -> str:
    if axis.is_number:
        return axis.values[trial.suggest_int(axis.name, 0, len(axis.values) - 1)]
    return str(trial.suggest_categorical(axis.name, axis.values))


def _told(
    axes: Sequence[Axis],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    groups: Mapping[Point, Sequence[Trial]],
) -> list[FrozenTrial]:
    """Return each point as a finished trial; one without figures as out of bounds, with the worst figures of all."""
    every = {point: _figures(trials, objectives, constraints) for point, trials in groups.items()}
    have = [point for point, one in every.items() if all(objective.key in one for objective in objectives)]
    if not have:
        return []
    gains = np.array([[every[one][key.key] * (1 if key.maximize else -1) for one in have] for key in objectives])
    kept = {*list(every)[-MOST:], *(have[number] for number in front_of(gains))}
    figures = {point: one for point, one in every.items() if point in kept}
    whole = [every[point] for point in have]
    worst = [(min if one.maximize else max)(found[one.key] for found in whole) for one in objectives]
    told = []
    for point, found in figures.items():
        values = [found.get(one.key, bad) for one, bad in zip(objectives, worst, strict=True)]
        chosen = dict(point)
        known = [axis for axis in axes if chosen.get(axis.name) in axis.values]
        told.append(
            create_trial(
                values=values,
                params={axis.name: _param(axis, chosen[axis.name]) for axis in known},
                distributions={axis.name: _distribution(axis) for axis in known},
                constraints=_violations(groups[point], found, objectives, constraints),
            )
        )
    return told


def _figures(
    trials: Sequence[Trial], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> dict[str, float]:
    keys = dict.fromkeys([*(one.key for one in objectives), *(one.key for one in constraints)])
    found = {key: [trial.figures[key] for trial in trials if key in trial.figures] for key in keys}
    return {key: sum(values) / len(values) for key, values in found.items() if values}


def _violations(
    trials: Sequence[Trial],
    figures: Mapping[str, float],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
) -> dict[str, float]:
    """Return by how much each constraint is broken, at most 0 where it holds."""
    ran = all(one.key in figures for one in objectives)
    works = any(trial.state in ("valid", "valid if longer") for trial in trials)
    found = {_RAN: 0.0 if ran else _WORST, _WORKS: 0.0 if works else 1.0}
    for number, one in enumerate(constraints):
        missing = (one.bound - figures.get(one.key, one.bound)) * (1 if one.at_least else -1)
        found[f"constraint {number}"] = missing / (abs(one.bound) or 1.0)
    return found


def _param(axis: Axis, value: str) -> int | str:
    return axis.values.index(value) if axis.is_number else value


def _distribution(axis: Axis) -> BaseDistribution:
    return IntDistribution(0, len(axis.values) - 1) if axis.is_number else CategoricalDistribution(axis.values)
