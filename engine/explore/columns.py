"""Columns of run lists, shared by the screen, the command line and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import UsageError, nearest
from engine.explore.metrics import METRICS, Metric
from engine.explore.runs import Run, day


@dataclass(frozen=True)
class Column:
    """A column: what it shows of a run."""

    key: str
    header: str
    text: Callable[[Run], str]
    value: Callable[[Run], Any]
    """Return the value to sort by and to export."""
    number: bool = False
    """Right-aligned; sorted best first."""
    lower: bool = False
    """Whether lower is better."""


def _fact(key: str, header: str, text: Callable[[Run], str]) -> Column:
    return Column(key, header, text, text)


def _scored(run: Run) -> str:
    """Return the number of samples of an accuracy as text: `18`, or `18 of 20` where more samples have labels."""
    if not run.samples:
        return ""
    return f"{run.samples} of {run.labelled}" if run.labelled > run.samples else str(run.samples)


def _figure(metric: Metric) -> Column:
    unit = "" if metric.short == metric.display_unit else f" {metric.display_unit}"
    return Column(
        key=metric.key,
        header=f"{metric.short}{unit}",
        text=lambda run: metric.text(run.figures.get(metric.key)),
        value=lambda run: None if metric.key not in run.figures else metric.shown(run.figures[metric.key]),
        number=True,
        lower=metric.better == "lower",
    )


FACTS: tuple[Column, ...] = (
    _fact("run", "run", lambda run: run.id),
    Column("when", "when", lambda run: day(run.when), lambda run: run.when),
    _fact("benchmark", "benchmark", lambda run: run.benchmark),
    _fact("system", "system", lambda run: run.sut),
    _fact("model", "model", lambda run: run.model_name),
    _fact("backend", "backend", lambda run: f"{run.backend} {run.backend_version}".strip()),
    _fact("scenario", "scenario", lambda run: run.scenario),
    _fact("mode", "mode", lambda run: run.mode),
    _fact("style", "style", lambda run: run.style),
    _fact("choices", "choices", lambda run: run.choices_text()),
)
SCORED = _fact("scored", "scored", _scored)
STATE: tuple[Column, ...] = (
    Column("state", "state", lambda run: run.verdict, lambda run: run.state),
    _fact("disturbed", "disturbed", lambda run: run.disturbed),
    _fact("why", "why", lambda run: run.why),
)
FIGURES: tuple[Column, ...] = tuple(_figure(metric) for metric in METRICS)
COLUMNS: Mapping[str, Column] = {column.key: column for column in (*FACTS, *FIGURES, SCORED, *STATE)}

LISTED = (
    *("run", "when", "model", "backend", "style", "choices"),
    *("samples_per_second", "latency_p99", "accuracy", "scored", "state", "why"),
)
"""Columns of the list on the screen and the command line."""


def column(name: str) -> Column:
    """Return a column by key or header, in any spelling. Raises UsageError with the nearest."""
    wanted = name.lower().replace("-", "_")
    for one in COLUMNS.values():
        if wanted in (one.key, one.header.lower(), one.header.lower().partition(" ")[0]):
            return one
    raise UsageError(
        f"there is no column '{name}'", nearest(wanted, [*COLUMNS, *(one.header for one in COLUMNS.values())])
    )


def ordered(runs: Iterable[Run], by: Column, *, reverse: bool = False) -> list[Run]:
    """Sort runs by a column: texts alphabetically, figures best first, times newest first.

    Runs without a value come last in either direction; the sort is stable.
    """
    listed = list(runs)
    known = [run for run in listed if by.value(run) not in (None, "")]
    high_first = (by.number and not by.lower) or by.key == "when"
    known.sort(key=by.value, reverse=high_first != reverse)
    return known + [run for run in listed if by.value(run) in (None, "")]
