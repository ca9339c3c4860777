"""Objectives and constraints: what they are called, what they mean, and what finished runs say about them.

A key is a scenario (its result by the rules), a metric (peak_memory), or a metric of one scenario
(Server.latency_p99).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from engine.design_space.trials import Constraint, Objective, Trial
from engine.errors import UsageError, nearest
from engine.explore.metrics import BY_KEY, RESULT, SCORES, RunMetric
from engine.explore.runs import Run
from engine.text import short_figure

_LIMIT = re.compile(r"\s*([\w.]+?)\s*(>=|<=|≥|≤)\s*([0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)\s*(%?)\s*", re.IGNORECASE)
_WAYS = ("max", "min")


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A constraint as it was asked for."""

    key: str
    at_least: bool
    bound: float
    """In the unit of the figure, or per cent of a reference."""
    percent: bool = False
    """Whether the bound is in per cent of `reference`, or else of the default point's figure."""
    reference: float | None = None
    why: str = ""
    """Where it was not asked for: the rule that demands it."""

    @property
    def text(self) -> str:
        """The constraint as it is written."""
        return f"{self.key}{'>=' if self.at_least else '<='}{self.bound:g}{'%' * self.percent}"


def objectives_of(texts: Iterable[str]) -> tuple[Objective, ...]:
    """Read objectives: `Offline`, `max:KEY`, `min:KEY`. Raises UsageError for an unknown one, or one given twice."""
    found: dict[str, Objective] = {}
    for text in (one.strip() for line in texts for one in line.split(",")):
        if not text:
            continue
        way, colon, key = text.rpartition(":")
        if colon and way not in _WAYS:
            raise UsageError(f"'{text}' is not an objective", "write KEY, max:KEY or min:KEY")
        metric, scenario = metric_of(key)
        if not way and not metric.better:
            raise UsageError(f"is more {key} better, or less?", f"write max:{key} or min:{key}")
        if key in found:
            raise UsageError(f"the objective '{key}' is given twice", "keep one of them")
        title = scenario if scenario == key else " ".join(filter(None, (scenario, metric.header)))
        maximize = way == "max" if way else metric.better == "higher"
        found[key] = Objective(key=key, title=title, unit=metric.display_unit, maximize=maximize)
    if not found:
        raise UsageError("there is no objective", f"write --objective={next(iter(RESULT))}, for example")
    return tuple(found.values())


def limits_of(texts: Iterable[str]) -> tuple[Limit, ...]:
    """Read constraints: `accuracy>=99%`, `Server.latency_p99<=15`. Raises UsageError for one that can't be read."""
    found = []
    for text in texts:
        match = _LIMIT.fullmatch(text)
        if match is None:
            raise UsageError(f"'{text}' is not a constraint", "write KEY>=N, KEY<=N or KEY>=N%: accuracy>=99%")
        key, sign, number, percent = match.groups()
        metric_of(key)
        found.append(Limit(key=key, at_least=sign in (">=", "≥"), bound=float(number), percent=bool(percent)))
    return tuple(found)


def metric_of(key: str) -> tuple[RunMetric, str]:
    """Return the metric of a key, and its scenario; empty where it is of none. Raises UsageError for an unknown key."""
    if key in RESULT:
        return RESULT[key], key
    scenario, dot, name = key.rpartition(".")
    if name in BY_KEY and (not dot or scenario in RESULT):
        return BY_KEY[name], scenario
    raise UsageError(f"there is no metric '{key}'", nearest(key, (*RESULT, *BY_KEY)))


def scenarios_of(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the scenarios that must be measured for these keys, in the rules' order."""
    wanted = {metric_of(key)[1] for key in keys}
    return tuple(name for name in ("SingleStream", "MultiStream", "Server", "Offline") if name in wanted)


def needs_accuracy(keys: Iterable[str]) -> bool:
    """Return whether a key is a figure of the accuracy run."""
    return any(metric_of(key)[0].key in SCORES for key in keys)


def constraints(limits: Iterable[Limit], default: Mapping[str, float]) -> tuple[Constraint, ...]:
    """Return the constraints in the unit of their figures; `default` are the figures of the default point.

    One in per cent of a figure that is not there yet is left out.
    """
    found = []
    for limit in limits:
        of = limit.reference if limit.reference is not None else default.get(limit.key)
        if not limit.percent:
            found.append(Constraint(key=limit.key, at_least=limit.at_least, bound=limit.bound))
        elif of is not None:
            found.append(Constraint(key=limit.key, at_least=limit.at_least, bound=of * limit.bound / 100))
    return tuple(found)


def with_constraints(trial: Trial, bounds: Sequence[Constraint]) -> Trial:
    """Return a trial with the state that follows from LoadGen's verdict and the constraints."""
    if trial.state in ("failed", "refused", "breaks"):
        return trial
    for one in bounds:
        figure = trial.figures.get(one.key)
        if figure is not None and not one.holds(figure):
            sign = "below" if one.at_least else "above"
            unit = metric_of(one.key)[0].display_unit
            reason = f"{one.key} {short_figure(figure)} {unit} is {sign} {short_figure(one.bound)} {unit}"
            return msgspec.structs.replace(trial, state="breaks", reason=reason)
    return trial


def figures(runs: Sequence[Run], keys: Iterable[str]) -> dict[str, float]:
    """Return the figures of finished runs by key, in the display unit of the metric."""
    found: dict[str, float] = {}
    for key in keys:
        metric, scenario = metric_of(key)
        kind = "accuracy" if metric.key in SCORES else "performance"
        values = [
            run.figures[metric.key]
            for run in runs
            if run.mode == kind and run.scenario == (scenario or run.scenario) and metric.key in run.figures
        ]
        if values:
            # Of several scenarios the one that takes the most; of accuracies, the worst.
            found[key] = metric.shown(min(values) if metric.better == "higher" else max(values))
    return found
