"""Columns of run lists, shared by the screen, the command line and exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.errors import UsageError, nearest
from engine.explore.asked import SETTINGS, result_text, setting_text, workers_text
from engine.explore.metrics import METRICS, RESULT, RunMetric
from engine.explore.runs import Run, day
from engine.explore.table_columns import TableColumn
from engine.text import percent

Column = TableColumn[Run]


def _fact(key: str, header: str, text: Callable[[Run], str]) -> Column:
    return Column(key, header, text, text)


def _scored(run: Run) -> str:
    """Return the number of samples of an accuracy as text: `18`, or `18 of 20` where more samples have labels."""
    if not run.samples:
        return ""
    return f"{run.samples} of {run.labelled}" if run.labelled > run.samples else str(run.samples)


def _figure(metric: RunMetric) -> Column:
    unit = "" if metric.display_unit in ("", metric.short) else f" {metric.display_unit}"
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
    _fact("workers", "workers", workers_text),
)


def _spread(run: Run) -> float | None:
    metric = RESULT.get(run.scenario)
    if metric is None or metric.key not in run.spread or not run.figures.get(metric.key):
        return None
    return 100 * run.spread[metric.key] / run.figures[metric.key]


def _spread_text(run: Run) -> str:
    found = _spread(run)
    if found is None:
        return "too few" if run.repeats else ""
    return percent(found / 100)


def _setting(setting: RunMetric) -> Column:
    unit = f" {setting.display_unit}" if setting.display_unit in ("ms", "s", "%") else ""
    return Column(
        key=setting.key,
        header=f"{setting.header}{unit}",
        text=lambda run: setting_text(run, setting.key),
        value=lambda run: None if setting.key not in run.settings else setting.shown(run.settings[setting.key]),
        number=True,
    )


RESULTS = Column("result", "result", result_text, lambda run: run.result, number=True)
"""The metric of the rules, in the unit of the scenario."""
CHANGE = Column(
    "change",
    "vs pin %",
    lambda run: "pinned" if run.pinned else "" if run.change is None else f"{run.change:+.1f}",
    lambda run: run.change,
    number=True,
)
COUNT = Column(
    "n",
    "n",
    lambda run: str(len(run.repeats)) if run.repeats else "",
    lambda run: len(run.repeats) or None,
    number=True,
)
SPREAD = Column("spread", "spread %", _spread_text, _spread, number=True, lower=True)
"""Sample standard deviation of the result over repeats, relative to their mean."""
SCORED = _fact("scored", "scored", _scored)
STATE: tuple[Column, ...] = (
    Column("state", "state", lambda run: run.verdict, lambda run: run.state),
    _fact("disturbed", "disturbed", lambda run: run.disturbed),
    _fact("why", "why", lambda run: run.why),
)
FIGURES: tuple[Column, ...] = tuple(_figure(metric) for metric in METRICS)
ASKED: tuple[Column, ...] = tuple(_setting(setting) for setting in SETTINGS)
COLUMNS: Mapping[str, Column] = {
    column.key: column for column in (*FACTS, RESULTS, CHANGE, COUNT, SPREAD, *FIGURES, SCORED, *ASKED, *STATE)
}

LISTED = (
    *("run", "when", "benchmark", "system", "model", "backend", "style", "choices", "workers", "target"),
    *(
        "result",
        "change",
        "n",
        "spread",
        "samples_per_second",
        "latency_p99",
        "accuracy",
        "dice",
        "scored",
        "state",
        "why",
    ),
)
"""Columns of the list on the screen and the command line, where there is room for all of them."""


def column(name: str) -> Column:
    """Return a column by key or header, in any spelling. Raises UsageError with the nearest."""
    wanted = name.lower().replace("-", "_")
    for one in COLUMNS.values():
        if wanted in (one.key, one.header.lower(), one.header.lower().partition(" ")[0]):
            return one
    raise UsageError(
        f"there is no column '{name}'", nearest(wanted, [*COLUMNS, *(one.header for one in COLUMNS.values())])
    )


def columns(names: str) -> list[Column]:
    """Return columns by their names, which commas separate. Raises UsageError with the nearest for an unknown one."""
    return [column(name.strip()) for name in names.split(",") if name.strip()]
