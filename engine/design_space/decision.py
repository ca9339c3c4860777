"""What an exploration does next: the search's decision, within the budget; and what it leaves out. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from engine.design_space.axis_words import AS_PLANNED
from engine.design_space.drift import comparable, drift
from engine.design_space.exploration_spec import ExplorationSpec
from engine.design_space.front import Standing, standing
from engine.design_space.points import as_point, exists, in_dependency_order
from engine.design_space.policy import Planned, Policy, baseline, next_trials
from engine.design_space.trials import Axis, Constraint, Point, Trial
from engine.text import duration

FINALISTS = 5
FINAL_TRIALS = 2
"""Longer runs of each finalist."""


@dataclass(frozen=True)
class End:
    """Nothing more to do."""

    ending: Literal["finished", "budget"]
    reason: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Standpoint:
    """What a decision is made from."""

    spec: ExplorationSpec
    trials: Sequence[Trial]
    """With the constraints applied."""
    constraints: Sequence[Constraint]
    session: int
    spent: float
    """Seconds of the budget."""
    settings: Mapping[str, float]
    """What the default point ran with; empty where that is not known."""

    @property
    def policy(self) -> Policy:
        """How it is searched."""
        spec, good = self.spec, near(self.spec.axes, self.spec.default, self.settings)
        longer = () if spec.final_seconds is None else (spec.expected + spec.final_seconds,)
        return Policy(
            axes=spec.axes,
            objectives=spec.objectives,
            constraints=tuple(self.constraints),
            sampler=spec.sampler,
            seed=spec.seed,
            default=spec.default,
            known_good=(good,) if good is not None else (),
            stage_seconds=(spec.expected, *longer),
            baseline_every=spec.baseline_every,
            finalists=FINALISTS,
            final_trials=FINAL_TRIALS,
        )

    @property
    def measured(self) -> list[Trial]:
        """The trials that ran here."""
        return [trial for trial in self.trials if trial.state != "refused" and trial.purpose != "reused"]

    @property
    def missing(self) -> int:
        """Number of points of the space that have no trial; refused ones have one as soon as they are known."""
        values = {axis.name: axis.values for axis in self.spec.axes}
        points = {one.point for one in self.trials}
        inside = [one for one in points if all(value in values.get(name, ()) for name, value in one)]
        return max(self.spec.size - len(inside), 0)

    def seconds(self, stage: int) -> float:
        """Return how long a trial of that stage is expected to take."""
        known = [trial.seconds for trial in self.measured if trial.stage == stage]
        return median(known) if known else self.policy.stage_seconds[min(stage, len(self.policy.stage_seconds) - 1)]

    @property
    def remaining(self) -> float | None:
        """Seconds of the budget; None for no limit."""
        return None if self.spec.budget is None else max(self.spec.budget - self.spent, 0.0)

    @property
    def left_text(self) -> str:
        """What is expected to the end in words, and what it may become with repeats."""
        whole, most = self.left, self.remaining
        if most is None or most < whole + self.seconds(0):
            return f"about {duration(whole)} left" if whole else ""
        return f"{duration(whole)} to {duration(most)} left"

    @property
    def left(self) -> float:
        """Expected seconds to the end without repeats: all points, the baseline now and then, and the finalists."""
        spec, points = self.spec, self.missing
        if spec.trials is not None:
            points = min(points, max(spec.trials - len(self.measured), 0))
        whole = points * self.seconds(0) * (1 + 1 / spec.baseline_every)
        if spec.final_seconds is not None:
            made = sum(trial.stage > 0 for trial in self.measured)
            known = len({trial.point for trial in self.measured}) + points
            whole += max(min(FINALISTS, known) * FINAL_TRIALS - made, 0) * self.seconds(1)
        return whole if self.remaining is None else min(whole, self.remaining)


def next_step(at: Standpoint, valid: Callable[[Point], bool], running: Sequence[Planned] = ()) -> Planned | End:
    """Return the next trial, or why there is none; `valid` says whether a point is not refused.

    `running` are the trials that other machines make now: what they give may change the answer.
    """
    spec = at.spec
    if spec.trials is not None and len(at.measured) + len(running) >= spec.trials:
        return End("finished", f"{spec.trials} trials were asked for", left_out(at))
    promised = sum(at.seconds(one.stage) for one in running)
    remaining = None if at.remaining is None else at.remaining - promised
    found = next_trials(at.policy, at.trials, valid, remaining, at.session, running)
    if found and (found[0].purpose != "baseline" or not at.measured or _goes_on(at, valid, remaining, running)):
        return found[0]
    left = left_out(at)
    return End("budget", "the budget is used up", left) if left and remaining is not None else End("finished", "", left)


def _goes_on(
    at: Standpoint, valid: Callable[[Point], bool], remaining: float | None, running: Sequence[Planned]
) -> bool:
    """Return whether anything follows a trial of the baseline; else nothing would be compared with it."""
    return len(next_trials(at.policy, at.trials, valid, remaining, at.session, running, count=2)) > 1


def left_out(at: Standpoint) -> tuple[str, ...]:
    """Return what is not done, a line each."""
    lines = [f"{at.missing} of {at.spec.size} points were not measured"] if at.missing else []
    if at.spec.final_seconds is not None:
        front = [point for point, one in standings(at).items() if one.word != "dominated"][:FINALISTS]
        made = {trial.point for trial in at.trials if trial.stage}
        without = len([point for point in front if point not in made])
        if without:
            lines.append(f"longer runs of {without} point{'s' * (without != 1)} on the front or not told from it")
    return tuple(lines)


def standings(at: Standpoint) -> dict[Point, Standing]:
    """Return how the points stand, by the trials that can be compared."""
    spec = at.spec
    apart = drift(at.trials, spec.objectives, baseline(at.trials, spec.default))
    return standing(comparable(at.trials, apart), spec.objectives, at.constraints)


def near(axes: Sequence[Axis], default: Point, settings: Mapping[str, float]) -> Point | None:
    """Return the point of the space that is nearest to what a plan chose by itself; None where nothing tells it.

    `settings` are those of a finished run, by the names of axes: sessions, max_batch.
    """
    now = dict(default)
    if not any(value == AS_PLANNED and name in settings for name, value in now.items()):
        return None
    chosen: dict[str, str] = {}
    for axis in in_dependency_order(axes):
        if exists(axis, chosen):
            value, wanted = now.get(axis.name, AS_PLANNED), settings.get(axis.name)
            if value == AS_PLANNED and axis.is_number and wanted is not None:
                value = _nearest(axis.values, wanted)
            chosen[axis.name] = value if value in axis.values else axis.values[0]
    return as_point(axes, chosen)


def _nearest(values: Sequence[str], wanted: float) -> str:
    def distance(value: str) -> float:
        number = float(value)
        return abs(math.log(number / wanted)) if number > 0 and wanted > 0 else abs(number - wanted)

    return min(values, key=distance)
