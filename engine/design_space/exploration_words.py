"""What points, trials and the plan of an exploration are called, for command line and screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.design_space.axis_words import axis_text
from engine.design_space.cost_plan import CostPlan
from engine.design_space.exploration_spec import ExplorationSpec
from engine.design_space.trials import Objective, Point, Trial
from engine.text import duration, figure


def point_text(point: Point) -> str:
    """Return a point as words: `sessions=2 max_batch=8`."""
    return " ".join(f"{name}={value}" for name, value in point)


def figures_text(objectives: Sequence[Objective], trial: Trial) -> str:
    """Return the figures of the objectives with their units."""
    parts = [
        f"{one.title} {figure(trial.figures[one.key]):>5} {one.unit}" for one in objectives if one.key in trial.figures
    ]
    return " · ".join(parts)


def trial_kind(trial: Trial) -> str:
    """Return what a trial was made for, where it is not a first short run of its point."""
    kinds = {"repeat": "repeat", "baseline": "baseline", "promoted": "promoted", "reused": "measured before"}
    return ", ".join(filter(None, (kinds.get(trial.purpose, ""), "longer run" if trial.stage else "")))


def refused_lines(refused: Mapping[Point, str]) -> list[str]:
    """Return why points are refused, a line for each reason: what its points have in common, and how many they are."""
    by_reason: dict[str, list[Point]] = {}
    for point, reason in refused.items():
        by_reason.setdefault(reason, []).append(point)
    lines = []
    for reason, points in by_reason.items():
        common = tuple(pair for pair in points[0] if all(pair in point for point in points))
        which = point_text(points[0] if len(points) == 1 else common) or "all"
        lines.append(which + (f" ({len(points)} points)" if len(points) > 1 else "") + f": {reason}")
    return lines


def plan_lines(spec: ExplorationSpec, plan: CostPlan) -> Iterator[tuple[str, str]]:
    """Yield the plan of an exploration, lines with their styles: `bold`, `dim`, `todo` or none."""
    for axis in spec.axes:
        only = "".join(f", only with {name}={'|'.join(sorted(values))}" for name, values in axis.only_with)
        yield f"axis       {axis_text(axis)}{only}", ""
    for one in spec.objectives:
        yield f"objective  {one.title}: {'more' if one.maximize else 'less'} is better ({one.unit})", ""
    for limit in spec.limits:
        yield f"constraint {limit.text}" + (f" ({limit.why})" if limit.why else ""), ""
    for line in refused_lines(plan.refused):
        yield f"refused    {line}", "todo"
    looked = f", of the first {plan.looked_at} looked at" if plan.looked_at < plan.points else ""
    refused = f", {len(plan.refused)} refused{looked}" if plan.refused or looked else ""
    yield f"space      {plan.points:,} points{refused}; sampler {spec.sampler}, seed {spec.seed}", ""
    yield f"default    {point_text(spec.default)}", "dim"
    parts = [
        "at least " * plan.is_partial + _many(len(plan.builds), "build"),
        f"{plan.there} reused",
        f"{_many(plan.known, 'point')} measured before" if plan.known else "",
        _many(plan.accuracy_runs, "accuracy run") if plan.accuracy_runs else "",
        _many(plan.runs, "run"),
        f"up to {_many(plan.longer, 'longer run')}" if plan.longer else "",
        f"about {duration(plan.seconds)}",
    ]
    yield f"plan       {', '.join(filter(None, parts))}", "bold"
    for line in _builds(plan.builds):
        yield f"             build {line}", "dim"
    if plan.left_out > 0:
        limit_text = f"the budget of {duration(spec.budget)}" if spec.budget else f"{spec.trials} trials"
        yield f"left out   {_many(plan.left_out, 'point')}: {limit_text} will not hold them", "todo"


def _builds(builds: Mapping[str, float | None]) -> list[str]:
    """Return what is built, a line for each component: its name, how many of it, and how long they take."""
    found: dict[str, list[float]] = {}
    for entry, seconds in builds.items():
        found.setdefault(entry.rpartition("-")[0], []).append(seconds or 0.0)
    return [
        name
        + (f", {len(seconds)} times" if len(seconds) > 1 else "")
        + (f", about {duration(sum(seconds))}" if sum(seconds) else "")
        for name, seconds in found.items()
    ]


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
