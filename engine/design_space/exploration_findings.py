"""What an exploration found so far: its points with their standing, drift, noise and effects; all reports read this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from engine.design_space.drift import Drift, comparable, drift
from engine.design_space.effects import AxisEffect, Contrast, contrast, main_effects, neighbour
from engine.design_space.estimates import Estimates
from engine.design_space.exploration import CONFIDENCE, Exploration
from engine.design_space.front import Standing, simpler, simpler_text, standings_of
from engine.design_space.policy import baseline
from engine.design_space.trials import Constraint, Point, Trial
from engine.text import percent, short_figure

_APART = "not comparable"
_ORDER = ("on the front", "indistinguishable", "dominated", _APART, "breaks", "failed", "refused")
_NAMED = {"indistinguishable": "not to be told from the front", "breaks": "out of bounds"}


@dataclass(frozen=True)
class PointRow:
    """A point of the table."""

    number: int
    """Of its first trial: what `explore promote` takes; 0 where it was refused without one."""
    point: Point
    word: str
    """Its standing or, where it has none, the state of its last trial or `not comparable`."""
    standing: Standing | None
    trials: tuple[Trial, ...]
    notes: tuple[str, ...]

    @property
    def is_best(self) -> bool:
        """Whether nothing is surely better."""
        return self.word in ("on the front", "indistinguishable")

    def figure(self, key: str) -> float | None:
        """Return its mean or, of what has no standing, the figure of its last trial that has one."""
        if self.standing is not None and key in self.standing.means:
            return self.standing.means[key]
        return next((one.figures[key] for one in reversed(self.trials) if key in one.figures), None)


@dataclass(frozen=True)
class Findings:
    """What is known at one moment."""

    exploration: Exploration
    rows: tuple[PointRow, ...]
    """The best first; equal ones by the first objective."""
    drift: Drift
    effects: tuple[AxisEffect, ...]
    noise: Mapping[str, float]
    """Relative standard deviation of a short trial, by objective; without those where nothing was repeated."""
    trials: tuple[Trial, ...]
    """Those that can be compared."""
    estimates: Estimates

    @property
    def best(self) -> tuple[PointRow, ...]:
        """The rows that nothing is surely better than."""
        return tuple(row for row in self.rows if row.is_best)

    def against_default(self, point: Point) -> Contrast | None:
        """Return a point against the default; None where that is the same, or not known."""
        default = self.exploration.default
        return None if default is None or default == point else self._contrast(point, default)

    def against_neighbour(self, point: Point) -> Contrast | None:
        """Return a point against the most similar other one of the best."""
        standings = {row.point: row.standing for row in self.rows if row.standing is not None}
        other = neighbour(point, standings, self.exploration.objectives)
        return None if other is None else self._contrast(point, other)

    def _contrast(self, point: Point, other: Point) -> Contrast:
        return contrast(point, other, self.estimates)


def findings(exploration: Exploration) -> Findings:
    """Return what an exploration found."""
    asked = exploration
    found = drift(asked.trials, asked.objectives, baseline(asked.trials, asked.default))
    trials = comparable(asked.trials, found)
    estimates = Estimates(trials, asked.objectives, asked.constraints)
    standings = standings_of(estimates)
    better = simpler(estimates, standings, asked.default) if asked.default else {}
    groups: dict[Point, list[Trial]] = {}
    for trial in asked.trials:
        groups.setdefault(trial.point, []).append(trial)
    rows = [_row(asked, point, groups[point], standings.get(point), better.get(point), found) for point in groups]
    rows += [PointRow(0, one, "refused", None, (), (why,)) for one, why in asked.refused.items() if one not in groups]
    return Findings(
        exploration=asked,
        rows=tuple(sorted(rows, key=lambda row: _rank(row, asked))),
        drift=found,
        effects=tuple(main_effects(trials, asked.axes, asked.objectives)),
        noise=_noise(estimates),
        trials=tuple(trials),
        estimates=estimates,
    )


def summary(found: Findings) -> list[str]:
    """Return the findings in sentences, without the table."""
    asked = found.exploration
    counts = Counter(row.word for row in found.rows)
    told = ", ".join(f"{counts[word]} {_NAMED.get(word, word)}" for word in _ORDER if counts[word])
    lines = [f"{told} (confidence {CONFIDENCE:.0%})" if told else "nothing was measured yet"]
    lines += [f"constraint: {bound_text(one)}" for one in asked.constraints]
    titles = {one.key: one.title for one in asked.objectives}
    if disturbed := [trial.note for trial in found.trials if trial.note]:
        lines.append(f"{len(disturbed)} of {len(found.trials)} trials disturbed, as the last: {disturbed[-1]}")
    noise = [f"{titles[key]} {percent(value)} %" for key, value in found.noise.items()]
    unknown = [title for key, title in titles.items() if key not in found.noise]
    if noise:
        lines.append(f"noise of a trial (standard deviation): {', '.join(noise)}")
    if unknown and found.rows:
        lines.append(f"noise of {', '.join(unknown)} is not known: nothing was repeated")
    return [*lines, *_drift_lines(found), *(f"left out: {one}" for one in asked.left_out)]


def _drift_lines(found: Findings) -> list[str]:
    lines = []
    if not found.drift.is_known:
        return ["drift is not known: the baseline has too few trials"] if found.rows else []
    titles = {one.key: one.title for one in found.exploration.objectives}
    for one in found.drift.sessions:
        changes = [
            f"{titles[key]} {signed(change.share)} ±{percent(change.margin)} %"
            for key, change in one.changes.items()
            if change.is_beyond_noise
        ]
        if changes:
            lines.append(f"session {one.session} has drifted: {', '.join(changes)}; its trials are not compared")
    apart = len(found.drift.apart)
    if apart:
        lines.append(f"{apart:,} trial{'s' * (apart > 1)} of {len(found.exploration.trials)} left out for drift")
    return lines or ["no drift of the baseline beyond noise"]


def bound_text(constraint: Constraint) -> str:
    """Return a constraint as it is typed."""
    return f"{constraint.key} {'>=' if constraint.at_least else '<='} {short_figure(constraint.bound)}"


def signed(share: float) -> str:
    """Return a relative change in per cent with its sign, without the per cent sign."""
    return f"{'+' if share > 0 else '-' if share < 0 else ''}{percent(share)}"


def choices_text(point: Point) -> str:
    """Return the values of a point in a few words: those that don't tell what they are with the axis's name."""
    return " ".join(f"{name}={value}" if _tells_nothing(value) else value for name, value in point)


def _tells_nothing(value: str) -> bool:
    return value.replace(".", "").isdigit() or value in ("default", "yes", "no", "true", "false")


def _row(
    asked: Exploration,
    point: Point,
    trials: list[Trial],
    stands: Standing | None,
    better: Point | None,
    found: Drift,
) -> PointRow:
    last = trials[-1]
    notes = []
    word: str = last.state
    if stands is not None:
        word = stands.word
        longest = [trial for trial in trials if trial.stage == stands.stage and trial.number not in found.apart]
        if longest and longest[-1].state == "valid if longer" and word != "dominated":
            notes.append("valid if longer")
        if better is not None and asked.default is not None:
            notes.append(f"{simpler_text(point, better, asked.default)} ({choices_text(better)})")
    elif word in ("valid", "valid if longer"):
        word = _APART if all(trial.number in found.apart for trial in trials) else "breaks"
    if stands is None and last.reason:
        notes.append(last.reason)
    if disturbed := sum(bool(trial.note) for trial in trials):
        notes.append("disturbed" if disturbed == len(trials) else f"{disturbed} of {len(trials)} trials disturbed")
    if point == asked.default:
        notes.insert(0, "default")
    return PointRow(trials[0].number, point, word, stands, tuple(trials), tuple(notes))


def _rank(row: PointRow, asked: Exploration) -> tuple[int, float, int]:
    first = asked.objectives[0] if asked.objectives else None
    figure = row.figure(first.key) if first else None
    order = _ORDER.index(row.word) if row.word in _ORDER else len(_ORDER)
    if first is None or figure is None:
        return order, 0.0, row.number
    return order, -figure if first.maximize else figure, row.number


def _noise(found: Estimates) -> dict[str, float]:
    if not found.stages:
        return {}
    figures = found.stages[min(found.stages)]
    return {
        one.key: float(spread)
        for one, spread, freedom in zip(found.objectives, figures.noise, figures.noise_freedom, strict=True)
        if freedom
    }
