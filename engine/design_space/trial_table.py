"""The trials of an exploration as a table: columns to show, sort and filter by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.design_space.exploration import Exploration
from engine.design_space.exploration_findings import Findings, PointRow
from engine.design_space.exploration_words import trial_kind
from engine.design_space.trials import Objective, Trial
from engine.errors import UsageError, nearest
from engine.explore.filters import FilterLanguage
from engine.explore.layout import Narrowing
from engine.explore.table_columns import TableColumn
from engine.text import duration, figure, percent, time_of_day

AXES, OBJECTIVES = "axes", "objectives"
"""Stand for all axes in which the points differ, and for all objectives, where columns are chosen."""
USUAL = ("trial", "standing", AXES, OBJECTIVES, "state", "kind", "reason", "seconds")
"""Columns that are shown unless others were chosen."""
CHOICES: Mapping[str, str] = {
    "trial": "trial",
    "standing": "standing",
    AXES: "axes: the choices in which the points differ",
    OBJECTIVES: "objectives, with the interval of the point's mean",
    "other": "other figures: those of constraints",
    "n": "n: trials of the point that count",
    "state": "state",
    "kind": "kind: repeat, baseline, longer run, measured before",
    "reason": "reason of the state",
    "seconds": "seconds",
    "session": "session",
    "when": "when",
    "job": "job",
    "note": "note: what may have disturbed it",
}
"""What can be chosen → how it is called."""
ALWAYS = ("trial",)


@dataclass(frozen=True)
class TrialRow:
    """A trial, and what is known of its point; None until that was computed."""

    trial: Trial
    stands: PointRow | None = None

    @property
    def standing(self) -> str:
        """The standing of its point or, where it has none, the point's state; empty until that was computed."""
        return self.stands.word if self.stands is not None else ""

    def figure_text(self, key: str) -> str:
        """Return its figure, with half of the interval of its point's mean in per cent: `1234 ±0.8 %`."""
        found = self.trial.figures.get(key)
        if found is None:
            return ""
        standing = self.stands.standing if self.stands is not None else None
        known = standing.intervals.get(key) if standing is not None else None
        mean = standing.means.get(key) if standing is not None else None
        if known is None or not mean or known[0] == known[1]:
            return figure(found)
        return f"{figure(found)} ±{percent((known[1] - known[0]) / 2 / mean)}%"


TrialColumn = TableColumn[TrialRow]


def trial_rows(exploration: Exploration, found: Findings | None = None) -> list[TrialRow]:
    """Return a row for each trial, the newest first."""
    points = {row.point: row for row in found.rows} if found is not None else {}
    return [TrialRow(trial, points.get(trial.point)) for trial in reversed(exploration.trials)]


def trial_columns(exploration: Exploration, *, units: bool = True) -> dict[str, TrialColumn]:
    """Return the columns by their keys, in the order of the table; an axis or figure by its own name.

    `units`: whether the headers of objectives have them.
    """
    keys = [one.key for one in exploration.objectives]
    others = dict.fromkeys(one.key for one in exploration.constraints if one.key not in keys)
    found = [
        _number("trial", "trial", lambda row: row.trial.number, lower=True),
        _fact("standing", "standing", lambda row: row.standing),
        *(_axis(axis.name, is_number=axis.is_number) for axis in exploration.axes),
        *(_objective(one, units=units) for one in exploration.objectives),
        *(_figure(key, key, lower=False) for key in others),
        _number("n", "n", lambda row: row.stands.standing.n if row.stands and row.stands.standing else None),
        _fact("state", "state", lambda row: row.trial.state),
        _fact("kind", "kind", lambda row: trial_kind(row.trial)),
        _fact("reason", "reason", lambda row: row.trial.reason),
        _number("seconds", "seconds", lambda row: row.trial.seconds or None, duration, lower=True),
        _number("session", "session", lambda row: row.trial.session or None),
        TableColumn("when", "when", _when, lambda row: row.trial.started),
        _fact("job", "job", lambda row: row.trial.job),
        _fact("note", "note", lambda row: row.trial.note),
    ]
    return {one.key: one for one in found}


def chosen_columns(exploration: Exploration, keys: Sequence[str], *, units: bool = True) -> list[TrialColumn]:
    """Return the columns that are shown, by the keys of CHOICES."""
    columns = trial_columns(exploration, units=units)
    pairs = {pair for trial in exploration.trials for pair in trial.point}
    counts = Counter(name for name, _ in pairs)
    axes = [one.name for one in exploration.axes if counts[one.name] > 1]
    objectives = [one.key for one in exploration.objectives]
    groups = {AXES: axes, OBJECTIVES: objectives, "other": [one.key for one in exploration.constraints]}
    names = dict.fromkeys(name for key in CHOICES if key in keys for name in groups.get(key, [key]))
    return [columns[name] for name in names if name in columns]


def trial_language(exploration: Exploration) -> FilterLanguage[TrialRow]:
    """Return what a filter can say about trials: `standing:front`, `sessions>2`, `state:failed`, `-repeat`."""
    columns = trial_columns(exploration)

    def column(name: str) -> TrialColumn:
        wanted = name.lower().replace("-", "_")
        for one in columns.values():
            if wanted in (one.key.lower(), one.header.lower(), one.header.lower().partition(" ")[0]):
                return one
        raise UsageError(f"there is no column '{name}'", nearest(wanted, columns))

    return FilterLanguage(column, _words, _names)


def narrowing(exploration: Exploration) -> Narrowing:
    """Return what gives way where the table is too wide."""
    axes = [one.name for one in exploration.axes]
    objectives = [one.key for one in exploration.objectives]
    return Narrowing(
        shortened={"reason": 12, "kind": 8, "note": 10, **dict.fromkeys(axes, 10)},
        dropped=(
            *("note", "when", "session", "job", "n", "seconds", "kind", "reason", "state"),
            *reversed(axes[2:]),
            *reversed(objectives[1:]),
            *(*reversed(axes[:2]), "standing", *objectives[:1]),
        ),
        kept="trial",
        never_common=frozenset(("standing", "state", "kind", "reason")),
    )


def best_text(exploration: Exploration) -> str:
    """Return the best value of the first objective among trials that keep the constraints; empty where none does."""
    first = next(iter(exploration.objectives), None)
    usable = [one for one in exploration.trials if one.state in ("valid", "valid if longer")]
    values = [one.figures[first.key] for one in usable if first is not None and first.key in one.figures]
    if first is None or not values:
        return ""
    return f"{first.title} {figure(max(values) if first.maximize else min(values))} {first.unit}".rstrip()


def _fact(key: str, header: str, text: Callable[[TrialRow], str]) -> TrialColumn:
    return TableColumn(key, header, text, text)


def _number(
    key: str,
    header: str,
    value: Callable[[TrialRow], float | None],
    text: Callable[[float], str] = str,
    *,
    lower: bool = False,
) -> TrialColumn:
    def shown(row: TrialRow) -> str:
        found = value(row)
        return "" if found is None else text(found)

    return TableColumn(key, header, shown, value, number=True, lower=lower)


def _axis(name: str, *, is_number: bool) -> TrialColumn:
    def text(row: TrialRow) -> str:
        return dict(row.trial.point).get(name, "")

    def value(row: TrialRow) -> Any:
        found = text(row)
        try:
            return float(found) if is_number else found
        except ValueError:
            return None

    return TableColumn(name, name, text, value, number=is_number, lower=True)


def _objective(one: Objective, *, units: bool) -> TrialColumn:
    header = one.title if one.title == one.unit or not units else f"{one.title} {one.unit}".strip()
    return _figure(one.key, header, lower=not one.maximize)


def _figure(key: str, header: str, *, lower: bool) -> TrialColumn:
    def text(row: TrialRow) -> str:
        return row.figure_text(key)

    return TableColumn(key, header, text, lambda row: row.trial.figures.get(key), number=True, lower=lower)


def _when(row: TrialRow) -> str:
    return time_of_day(row.trial.started)


def _names(row: TrialRow) -> set[str]:
    values: Iterable[str] = (row.standing, row.trial.state, row.trial.purpose, *(value for _, value in row.trial.point))
    return {value.lower() for value in values if value}


def _words(row: TrialRow) -> str:
    trial = row.trial
    choices = (f"{name}={value}" for name, value in trial.point)
    facts = (row.standing, trial.state, trial.reason, trial_kind(trial), trial.job, trial.note)
    return " ".join((*choices, *facts)).lower()
