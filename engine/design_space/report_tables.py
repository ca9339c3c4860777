"""The tables and sentences of an exploration's reports: text, Markdown and HTML show the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from engine.design_space.effects import AxisEffect, Contrast
from engine.design_space.exploration import Exploration
from engine.design_space.exploration_findings import Findings, PointRow, signed
from engine.design_space.trials import Objective
from engine.explore.tables import TableRows
from engine.text import duration, figure, percent

ABSENT = "-"


def heading(asked: Exploration) -> list[str]:
    """Return what was explored, and how much of it, in lines."""
    of = f" of {asked.size:,}" if asked.size is not None else ""
    points = len(asked.points)
    budget = f" of a budget of {duration(asked.budget)}" if asked.budget is not None else ""
    objectives = ", ".join(f"{one.title} {'highest' if one.maximize else 'lowest'}" for one in asked.objectives)
    trials = f"{len(asked.trials):,} trials of {points:,}{of} points"
    return [
        f"exploration {asked.name}" + (f": {asked.state}" if asked.state else ""),
        f"objectives: {objectives}",
        f"{trials}, {duration(asked.measuring_seconds)} of measuring{budget}",
    ]


def point_table(found: Findings, rows: Sequence[PointRow]) -> tuple[TableRows, list[int]]:
    """Return a table of points, and which of its columns are numbers; axes without a difference are left out."""
    asked = found.exploration
    names = varied(found)
    keys = [one.key for one in asked.objectives]
    further = [one.key for one in asked.constraints if one.key not in keys]
    header = ["trial", "standing", *names, *map(_header, asked.objectives), *further, "n", "note"]
    lines = [header]
    for row in rows:
        chosen = dict(row.point)
        figures = [figure_text(row, one) for one in asked.objectives] + [figure(row.figure(key)) for key in further]
        n = row.standing.n if row.standing is not None else len(row.trials)
        number = str(row.number or "")
        choices = [chosen.get(name, ABSENT) for name in names]
        lines.append([number, row.word, *choices, *figures, str(n or ""), "; ".join(row.notes)])
    numbers = [0, *range(2 + len(names), len(header) - 1)]
    return (lines if any(row.notes for row in rows) else [line[:-1] for line in lines]), numbers


def varied(found: Findings) -> list[str]:
    """Return the axes in which the points differ."""
    names = [axis.name for axis in found.exploration.axes]
    return [name for name in names if len({dict(row.point).get(name) for row in found.rows}) > 1]


def common_line(found: Findings) -> str:
    """Return the choices that all points have in common; empty where there are none."""
    first = dict(found.rows[0].point) if found.rows else {}
    names = set(varied(found))
    same = [f"{name} {value}" for name, value in first.items() if name not in names]
    return f"same in all: {', '.join(same)}" if same else ""


def figure_text(row: PointRow, objective: Objective) -> str:
    """Return a mean with half of its interval in per cent: `1234 ±0.8 %`."""
    mean = row.figure(objective.key)
    known = row.standing.intervals.get(objective.key) if row.standing is not None else None
    if mean is None or known is None or not mean or known[0] == known[1]:
        return figure(mean)
    half = (known[1] - known[0]) / 2 / abs(mean)
    return f"{figure(mean)} ±{percent(half)} %" if half < 1 else f"{figure(mean)} ±>100 %"


def effect_table(found: Findings) -> tuple[TableRows, list[int]]:
    """Return the main effects: a row for each value of an axis, the axis that matters most first."""
    asked = found.exploration
    header = ["axis", "value", *(one.title for one in asked.objectives), "points"]
    lines = [header]
    for name, effects in effects_by_axis(found):
        for number, value in enumerate(effects[0].values):
            shares = [
                _share(one.values[number].share, one.values[number].low, one.values[number].high) for one in effects
            ]
            lines.append(["" if number else name, value.value, *shares, str(value.n)])
    return lines, list(range(2, len(header)))


def effects_by_axis(found: Findings) -> list[tuple[str, list[AxisEffect]]]:
    """Return the effects of each axis, by objective; the axis with the largest of them first."""
    groups: dict[str, list[AxisEffect]] = {}
    for effect in found.effects:
        groups.setdefault(effect.axis, []).append(effect)
    return sorted(groups.items(), key=lambda one: -max(effect.span for effect in one[1]))


def contrast_lines(found: Findings, row: PointRow) -> list[str]:
    """Return why a point is better: against the default and its neighbour on the front, where they differ."""
    lines = []
    for name, told in (("default", found.against_default(row.point)), ("neighbour", _near(found, row))):
        if told is not None and any(change.is_beyond_noise for change in told.changes.values()):
            lines.append(f"against the {name}: {choices_changed(told)}: {changes_text(found, told)}")
    return lines


def choices_changed(told: Contrast) -> str:
    """Return which choices differ: `backend openvino instead of onnxruntime`."""
    return ", ".join(f"{axis} {here or 'absent'} instead of {there or 'absent'}" for axis, here, there in told.choices)


def changes_text(found: Findings, told: Contrast) -> str:
    """Return by how much the figures differ."""
    titles = {one.key: one.title for one in found.exploration.objectives}
    parts = []
    for key, change in told.changes.items():
        if not isfinite(change.margin):
            parts.append(f"{titles[key]} {signed(change.share)} % (noise not known)")
        elif change.is_beyond_noise:
            parts.append(f"{titles[key]} {signed(change.share)} ±{percent(change.margin)} %")
        else:
            parts.append(f"{titles[key]} no difference beyond ±{percent(change.margin)} %")
    return ", ".join(parts) or "not comparable"


def _near(found: Findings, row: PointRow) -> Contrast | None:
    told = found.against_neighbour(row.point)
    return None if told is not None and told.other == found.exploration.default else told


def _share(share: float, low: float, high: float) -> str:
    if not isfinite(high):
        return f"{signed(share)} %"
    return f"{signed(share)} % ({signed(low)} to {signed(high)})"


def _header(objective: Objective) -> str:
    return objective.title if objective.title == objective.unit else f"{objective.title} {objective.unit}".strip()
