"""The report of an exploration in a format: text, CSV, JSON, Markdown or HTML."""

from __future__ import annotations

from math import isfinite
from typing import Any

import msgspec

from engine.design_space.exploration import Exploration
from engine.design_space.exploration_findings import Findings, PointRow, findings, summary
from engine.design_space.html_report import page
from engine.design_space.report_tables import (
    common_line,
    contrast_lines,
    effect_table,
    heading,
    point_table,
)
from engine.design_space.trials import Point, Trial
from engine.explore.tables import csv_text, drawn_tables, json_text
from engine.text import iso_time, shell_line

FORMATS = ("text", "csv", "json", "md", "html")
_MOST_EXPLAINED = 5


def text(exploration: Exploration) -> str:
    """Return the report for a terminal."""
    return _written(findings(exploration), "text")


def md(exploration: Exploration) -> str:
    """Return the report as Markdown."""
    return _written(findings(exploration), "md")


def html(exploration: Exploration) -> str:
    """Return the report as one HTML file with its charts in it; nothing is loaded from elsewhere."""
    return page(findings(exploration))


def csv(exploration: Exploration) -> str:
    """Return all trials as CSV, with the standing of their points."""
    found = findings(exploration)
    rows = {row.point: row for row in found.rows}
    names = [axis.name for axis in exploration.axes]
    objectives = [one.key for one in exploration.objectives]
    keys = dict.fromkeys([*objectives, *(key for trial in exploration.trials for key in trial.figures)])
    head = ["trial", "standing", "state", "purpose", "stage", "session", "started", "seconds", *names, *keys]
    lines = [[*head, "reason", "note", "job", "command"]]
    for trial in exploration.trials:
        chosen, row = dict(trial.point), rows[trial.point]
        facts = [str(trial.number), row.word, trial.state, trial.purpose, str(trial.stage), str(trial.session)]
        figures = [f"{trial.figures[key]:.9g}" if key in trial.figures else "" for key in keys]
        choices = [chosen.get(name, "") for name in names]
        ends = [trial.reason, trial.note, trial.job, _command(exploration, trial.point)]
        lines.append([*facts, iso_time(trial.started), f"{trial.seconds:.3f}", *choices, *figures, *ends])
    return csv_text(lines)


def json(exploration: Exploration) -> str:
    """Return everything as JSON: `trials` as they were made, `points` with their standing, and `front`, the best."""
    found = findings(exploration)
    asked = exploration
    return json_text(
        {
            "name": asked.name,
            "state": asked.state,
            "command": list(asked.command),
            "axes": [msgspec.to_builtins(one) for one in asked.axes],
            "objectives": [msgspec.to_builtins(one) for one in asked.objectives],
            "constraints": [msgspec.to_builtins(one) for one in asked.constraints],
            "default": None if asked.default is None else dict(asked.default),
            "size": asked.size,
            "budget_seconds": asked.budget,
            "measuring_seconds": asked.measuring_seconds,
            "machine": dict(asked.machine),
            "versions": dict(asked.versions),
            "conditions": dict(asked.conditions),
            "sessions": {str(number): iso_time(start) for number, start in asked.sessions.items()},
            "noise": dict(found.noise),
            "drift": _drift_data(found),
            "effects": [_finite(msgspec.to_builtins(one)) for one in found.effects],
            "left_out": list(asked.left_out),
            "trials": [trial_data(trial) for trial in asked.trials],
            "points": [_point_data(found, row) for row in found.rows],
            "front": [_point_data(found, row) for row in found.best],
        }
    )


def trial_data(trial: Trial) -> dict[str, Any]:
    """Return a trial as plain data."""
    return {**msgspec.to_builtins(trial), "point": dict(trial.point), "started": iso_time(trial.started)}


def _written(found: Findings, as_: str) -> str:
    lines = [f"{line}" for line in (*heading(found.exploration), *summary(found), common_line(found)) if line]
    parts = [drawn_tables((), lines, as_)]
    if found.rows:
        parts.append(drawn_tables([point_table(found, found.rows)], (), as_))
    effects, numbers = effect_table(found)
    if len(effects) > 1:
        note = "main effects: against the average of an axis's values, other choices being equal (95 % interval)"
        parts += [drawn_tables((), [note], as_), drawn_tables([(effects, numbers)], (), as_)]
    told = [f"trial {row.number} {line}" for row in found.best[:_MOST_EXPLAINED] for line in contrast_lines(found, row)]
    commands = [
        f"again, trial {row.number}: {command}"
        for row in found.best
        if (command := _command(found.exploration, row.point))
    ]
    return "\n".join([*parts, *([drawn_tables((), lines, as_) for lines in (told, commands) if lines])])


def _point_data(found: Findings, row: PointRow) -> dict[str, Any]:
    stands = row.standing
    return {
        "trial": row.number,
        "point": dict(row.point),
        "standing": row.word,
        "means": {} if stands is None else dict(stands.means),
        "intervals": {} if stands is None else {key: list(one) for key, one in stands.intervals.items()},
        "n": 0 if stands is None else stands.n,
        "stage": 0 if stands is None else stands.stage,
        "trials": [trial.number for trial in row.trials],
        "notes": list(row.notes),
        "command": list(found.exploration.commands.get(row.point, ())),
    }


def _drift_data(found: Findings) -> dict[str, Any]:
    drift = found.drift
    return {
        "baseline": None if drift.point is None else dict(drift.point),
        "is_known": drift.is_known,
        "sessions": [_finite({**msgspec.to_builtins(one), "has_drifted": one.has_drifted}) for one in drift.sessions],
        "trials_not_compared": sorted(drift.apart),
    }


def _finite(data: Any) -> Any:
    """Return plain data without infinite numbers, which JSON doesn't have."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not isfinite(data) else data


def _command(exploration: Exploration, point: Point) -> str:
    words = exploration.commands.get(point)
    return shell_line(["inferdeck", *words]) if words else ""
