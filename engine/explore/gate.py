"""Conditions on changes, for scripts: `throughput<-3%` is fulfilled where throughput fell by more than 3 per cent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from engine.errors import UsageError, nearest
from engine.explore.compare import Comparison
from engine.explore.metrics import METRICS, RESULT, RunMetric

_CONDITION = re.compile(r"\s*([\w./ -]*?[\w.])\s*([<>])\s*([+-]?\d+(?:\.\d+)?)\s*(%|points)\s*")


@dataclass(frozen=True)
class ChangeLimit:
    """A limit for the change of a metric against the first run."""

    text: str
    metric: RunMetric | None
    """None for `result`: the metric of each run's scenario."""
    below: bool
    limit: float
    """A fraction, or per cent points."""
    points: bool


def conditions(texts: Iterable[str]) -> list[ChangeLimit]:
    """Parse conditions, `METRIC<-N%`, `METRIC>N%`, `accuracy<-N points`; several are separated by commas.

    Raises UsageError for one that can't be read.
    """
    return [_condition(one) for text in texts for one in text.split(",") if one.strip()]


def _condition(text: str) -> ChangeLimit:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(f"'{text}' is not a condition", "for example throughput<-3%, p99>5% or accuracy<-0.1points")
    name, sign, number, unit = found.groups()
    limit = float(number)
    points = unit == "points"
    return ChangeLimit(text.strip(), _metric(name), sign == "<", limit if points else limit / 100, points)


def _metric(name: str) -> RunMetric | None:
    wanted = name.lower().strip()
    if wanted == "result":
        return None
    for metric in METRICS:
        if wanted in (metric.key, metric.header, metric.short):
            return metric
    raise UsageError(f"there is no metric '{name}'", nearest(wanted, ["result", *(one.header for one in METRICS)]))


def failures(found: Comparison, wanted: Iterable[ChangeLimit]) -> list[str]:
    """Return a line for each condition that a run fulfils, and for each that can't be judged."""
    return [line for condition in wanted for line in _failures(found, condition)]


def _failures(found: Comparison, condition: ChangeLimit) -> Iterable[str]:
    first = found.runs[0]
    metric = condition.metric or RESULT.get(first.scenario)
    row = next((one for one in found.rows if metric is not None and one.metric.key == metric.key), None)
    for number, run in enumerate(found.runs[1:]):
        change = row.changes[number] if row is not None else None
        size = None if change is None else change.points if condition.points else change.share
        if size is None or change is None or row is None:
            yield f"{condition.text}: can't be judged, {first.id} and {run.id} do not both have a comparable figure"
        elif (size < condition.limit) if condition.below else (size > condition.limit):
            shown = f"{row.metric.shown(size):+.3g} points" if condition.points else f"{100 * size:+.3g} %"
            noise = "" if change.above_noise is not False else ", within the noise"
            yield f"{condition.text}: {row.metric.header} of {run.id} is {shown} against {first.id}{noise}"
