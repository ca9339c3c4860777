"""Charts of an exploration as data, drawn by engine/explore as SVG or in characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from engine.design_space.exploration_findings import Findings, PointRow, choices_text
from engine.design_space.trials import Objective
from engine.explore.diagrams import ChartAxis, ChartPoint, ChartSpan, Diagram, Role, Series

_MOST_CHARTS = 3
_LOG = 20.0
"""Ratio of the highest to the lowest figure from which an axis is logarithmic."""
_ROLES: Mapping[str, Role] = {"on the front": "front", "indistinguishable": "open", "dominated": "behind"}
_WORDS = ("on the front", "indistinguishable", "dominated")


def front_charts(found: Findings) -> list[Diagram]:
    """Return a chart for each pair of objectives, three at most; with one objective its figures by trial."""
    objectives = found.exploration.objectives
    if len(objectives) == 1:
        return [progress_chart(found, objectives[0])]
    return [front_chart(found, *pair) for pair in list(combinations(objectives, 2))[:_MOST_CHARTS]]


def front_chart(found: Findings, x: Objective, y: Objective) -> Diagram:
    """Return one objective against another, a series for each standing and one for points that don't count."""
    groups: dict[str, list[PointRow]] = {}
    for row in found.rows:
        if row.figure(x.key) is not None and row.figure(y.key) is not None:
            groups.setdefault(row.word if row.word in _WORDS else "out of bounds or not comparable", []).append(row)
    others = len(found.exploration.objectives) - 2
    notes = [f"better: {x.title} {_way(x)}, {y.title} {_way(y)}"]
    if others > 0:
        notes.append(f"the front is that of all objectives: a point may be on it for the other {others}")
    series = tuple(_series(word, rows, x, y, joined=not others) for word, rows in _in_order(groups))
    return Diagram(f"{y.title} against {x.title}", _axis(x, found), _axis(y, found), series, tuple(notes))


def progress_chart(found: Findings, objective: Objective) -> Diagram:
    """Return an objective by the number of the trial, and the best so far."""
    usable = {row.point for row in found.rows if row.standing is not None}
    points: list[ChartPoint] = []
    best: list[ChartPoint] = []
    for trial in found.trials:
        if trial.point in usable and objective.key in trial.figures:
            figure = trial.figures[objective.key]
            points.append((float(trial.number), figure))
            top = best[-1][1] if best else figure
            best.append((float(trial.number), max(top, figure) if objective.maximize else min(top, figure)))
    series = (Series("trials", tuple(points)), Series("best so far", tuple(best), line=True, role="front"))
    return Diagram(f"{objective.title} by trial", ChartAxis("trial"), _axis(objective, found), series)


def drift_chart(found: Findings) -> Diagram:
    """Return by how much each trial of the baseline differs from the first session's, over time, in per cent."""
    objectives = found.exploration.objectives
    trials = [one.trial for one in found.drift.trials]
    series = []
    for objective in objectives:
        first = [one.figures[objective.key] for one in trials if one.session == trials[0].session]
        level = sum(first) / len(first) if first else 0.0
        if level:
            points = tuple((one.started, 100 * (one.figures[objective.key] / level - 1)) for one in trials)
            labels = tuple(f"trial {one.number}, session {one.session}" for one in trials)
            series.append(Series(objective.title, points, line=True, labels=labels))
    return Diagram("drift of the baseline", ChartAxis("time", date=True), ChartAxis("change %"), tuple(series))


def _series(word: str, rows: Sequence[PointRow], x: Objective, y: Objective, *, joined: bool) -> Series:
    ordered = sorted(rows, key=lambda row: row.figure(x.key) or 0.0)
    role = _ROLES.get(word, "plain" if word in _WORDS else "bad")
    return Series(
        word,
        tuple((row.figure(x.key) or 0.0, row.figure(y.key) or 0.0) for row in ordered),
        line=role == "front" and joined,
        role=role,
        labels=tuple(f"{row.number}: {choices_text(row.point)}" for row in ordered),
        spans=tuple(_span(row, x, y) for row in ordered) if word in _WORDS[:2] else (),
    )


def _span(row: PointRow, x: Objective, y: Objective) -> ChartSpan:
    known = row.standing.intervals if row.standing is not None else {}
    across, up = row.figure(x.key) or 0.0, row.figure(y.key) or 0.0
    return (*known.get(x.key, (across, across)), *known.get(y.key, (up, up)))


def _in_order(groups: Mapping[str, list[PointRow]]) -> list[tuple[str, list[PointRow]]]:
    return [(word, groups[word]) for word in (*_WORDS, *(set(groups) - set(_WORDS))) if word in groups]


def _way(objective: Objective) -> str:
    return "higher" if objective.maximize else "lower"


def _axis(objective: Objective, found: Findings) -> ChartAxis:
    figures = [figure for row in found.rows if (figure := row.figure(objective.key)) is not None]
    is_wide = bool(figures) and min(figures) > 0 and max(figures) > _LOG * min(figures)
    return ChartAxis(f"{objective.title} {objective.unit}".strip(), log=is_wide)
