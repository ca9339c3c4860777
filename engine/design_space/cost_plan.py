"""What an exploration will cost, before it starts: what is built, what is there, how many runs, and how long."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice

from engine.design_space.decision import FINAL_TRIALS, FINALISTS
from engine.design_space.driver import RESOLVED_AT_START
from engine.design_space.exploration_spec import ExplorationSpec
from engine.design_space.points import every_point
from engine.design_space.space import Space
from engine.design_space.trial_jobs import TrialJobs, reason_of
from engine.design_space.trials import Point
from engine.errors import InferdeckError
from engine.survey.survey import STOPS, Survey

SURVEYED = 40
"""Combinations of artifacts that are surveyed at most."""


@dataclass(frozen=True, kw_only=True)
class CostPlan:
    """The plan of an exploration."""

    points: int
    """In the whole space."""
    refused: dict[Point, str] = field(default_factory=dict)
    """Of the points that were looked at."""
    looked_at: int = 0
    builds: dict[str, float | None] = field(default_factory=dict)
    """What must be fetched or made → seconds, None where unknown."""
    is_partial: bool = False
    """Whether more combinations of artifacts exist than were surveyed."""
    there: int = 0
    """Artifacts that are in the store."""
    known: int = 0
    """Points whose figures are there already, from equal runs."""
    accuracy_runs: int = 0
    runs: int = 0
    """Short runs that fit: one for each point, and those of the baseline."""
    longer: int = 0
    """Longer runs of finalists, at most."""
    seconds: float = 0.0
    """Expected time of all, without what the budget leaves out."""
    left_out: int = 0
    """Points that do not fit the budget or the number of trials."""


def cost_plan(spec: ExplorationSpec, bench: TrialJobs, space: Space) -> CostPlan:
    """Resolve the points of a space and survey what they need. Nothing is changed."""
    points = list(islice(every_point(spec.axes), RESOLVED_AT_START))
    first = [spec.default, *(one for one in points if one != spec.default)]
    refused = {point: reason for point in first if (reason := bench.refused(point))}
    builds: dict[str, float | None] = {}
    there: set[str] = set()
    known = 0
    accuracies: set[str] = set()
    groups = _alike(space, [one for one in first if one not in refused])
    for alike in groups[:SURVEYED]:
        try:
            prepared = bench.prepared(alike[0], spec.seconds)
        except InferdeckError as error:
            refused |= dict.fromkeys(alike, reason_of(error))
            continue
        problems = [f"{node}: {seen.text}" for node, seen in prepared.seen.seen.items() if seen.state in STOPS]
        if problems:
            refused |= dict.fromkeys(alike, "; ".join(problems))
            continue
        _count(prepared.seen, builds, there)
        if spec.with_accuracy and bench.before(alike[0], None, accuracy=True) is None:
            accuracies.add(bench.accuracy_key(alike[0]))
        known += sum(bench.before(point, spec.seconds) is not None for point in alike[:SURVEYED])
    return _timed(
        spec,
        CostPlan(
            points=spec.size,
            refused=refused,
            looked_at=len(first),
            builds=builds,
            is_partial=len(groups) > SURVEYED or spec.size > len(points),
            there=len(there),
            known=known,
            accuracy_runs=len(accuracies),
        ),
    )


def _alike(space: Space, points: list[Point]) -> list[list[Point]]:
    """Return points that need the same artifacts: they differ in numbers of the runs alone (sessions, max_batch)."""
    numbers = {
        name
        for name, option in space.root.options.items()
        if option.type in ("int", "float") and not space.root.groups().get(name)
    }
    groups: dict[Point, list[Point]] = {}
    for point in points:
        groups.setdefault(tuple(pair for pair in point if pair[0] not in numbers), []).append(point)
    return list(groups.values())


def _count(survey: Survey, builds: dict[str, float | None], there: set[str]) -> None:
    for node, seen in survey.seen.items():
        if seen.state in ("fetch", "build"):
            builds[seen.entry or node] = seen.seconds
        elif seen.state == "cached":
            there.add(seen.entry)


def _timed(spec: ExplorationSpec, plan: CostPlan) -> CostPlan:
    """Return the plan with the numbers of runs and the time."""
    points = max(plan.points - len(plan.refused) - plan.known, 0)
    making = sum(one or 0.0 for one in plan.builds.values()) + plan.accuracy_runs * spec.expected
    each = spec.expected
    share = points if spec.trials is None else min(points, spec.trials)
    long = each + (spec.final_seconds or 0.0)
    longer = FINAL_TRIALS * min(FINALISTS, max(points, 1)) if spec.final_seconds is not None else 0
    if spec.budget is not None:
        room = max(spec.budget - making, 0.0)
        longer = min(longer, int(room / 2 / long))
        share = min(share, int((room - longer * long) / each))
    runs = share + share // spec.baseline_every
    if spec.trials is not None:
        runs = min(runs, spec.trials)
        longer = min(longer, spec.trials - runs)
    seconds = making + runs * each + longer * long
    return replace(
        plan,
        runs=runs,
        longer=longer,
        seconds=seconds if spec.budget is None else min(seconds, spec.budget),
        left_out=points - share,
    )
