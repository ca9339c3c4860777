"""Drift: whether the machine gave other figures later, by the trials of the baseline, and what can't be compared then.

The noise s is that within a session: pooled from the repeats of other points in it and, where these are few, from the
differences of successive trials of the baseline, Σ (x2 - x1)² / 2, which a slow drift hardly changes. A session has
drifted if the mean of its baseline trials differs from that of the session with most trials by more than
t · s · √(1/n + 1/m). Within a session a stretch has drifted if the baseline trial at its end differs from their median
by more than t · s · √(1 + 1.57 / n). The quantile t is for the confidence divided among all these tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from engine.design_space.estimates import RelativeChange, by_point_and_stage
from engine.design_space.exploration import CONFIDENCE
from engine.design_space.trials import Objective, Point, Trial
from engine.explore.student import student

_OF_MEDIAN = 1.57
"""Variance of a median against that of a mean, π / 2."""
_FEW = 50
"""Trials of the baseline with which a single one that has drifted would hide in its own noise."""
_ENOUGH = 4
"""Degrees of freedom with which the repeats of other points tell the noise alone."""


@dataclass(frozen=True)
class SessionDrift:
    """The baseline of one session against that of the session with most trials."""

    session: int
    n: int
    """Trials of the baseline in it."""
    changes: Mapping[str, RelativeChange]
    """By the objective's key; empty for the session that the others are compared with."""

    @property
    def has_drifted(self) -> bool:
        """Whether any figure changed by more than noise."""
        return any(one.is_beyond_noise for one in self.changes.values())


@dataclass(frozen=True)
class BaselineTrial:
    """A trial of the baseline against the median of its session."""

    trial: Trial
    changes: Mapping[str, RelativeChange]

    @property
    def has_drifted(self) -> bool:
        """Whether any figure differs by more than noise."""
        return any(one.is_beyond_noise for one in self.changes.values())


@dataclass(frozen=True)
class Drift:
    """What the baseline tells."""

    point: Point | None
    sessions: tuple[SessionDrift, ...] = ()
    trials: tuple[BaselineTrial, ...] = ()
    apart: frozenset[int] = frozenset()
    """Numbers of the trials that can't be compared with the others."""
    is_known: bool = False
    """Whether there are repeats enough to tell."""


def drift(trials: Sequence[Trial], objectives: Sequence[Objective], baseline: Point | None) -> Drift:
    """Return how the baseline changed; only its short trials are compared."""
    shortest = min((trial.stage for trial in trials if trial.point == baseline), default=0)
    keys = [one.key for one in objectives]
    sessions: dict[int, list[Trial]] = {}
    for trial in trials:
        if trial.point == baseline and trial.stage == shortest and all(key in trial.figures for key in keys):
            sessions.setdefault(trial.session, []).append(trial)
    here = [trial for found in sessions.values() for trial in found]
    if baseline is None or len(here) < 2:
        return Drift(baseline)
    groups, series = _repeated(trials, objectives, baseline), list(sessions.values())
    tests = len(keys) * (len(sessions) - 1 + len(here))

    def widths(without: int = 0) -> dict[str, float]:
        found = {key: _width(key, groups, series, tests, without) for key in keys}
        return {key: width for key, width in found.items() if width is not None}

    if len(overall := widths()) < len(keys):
        return Drift(baseline)
    counts = {session: sum(trial.session == session for trial in trials) for session in sessions}
    most = sessions[max(counts, key=lambda session: counts[session])]
    by_session = tuple(_session(number, found, most, overall) for number, found in sorted(sessions.items()))
    alone = len(here) <= _FEW
    levels = {
        session: {key: median(one.figures[key] for one in found) for key in keys} for session, found in sessions.items()
    }
    by_trial = tuple(
        _trial(one, levels[one.session], len(sessions[one.session]), widths(one.number) if alone else overall)
        for one in here
    )
    apart = {one.session for one in by_session if one.has_drifted}
    numbers = {trial.number for trial in trials if trial.session in apart}
    numbers |= {number for stretch in _drifted_stretches(trials, by_trial) for number in stretch}
    return Drift(baseline, by_session, by_trial, frozenset(numbers), is_known=True)


def comparable(trials: Sequence[Trial], found: Drift) -> list[Trial]:
    """Return the trials that were made under the same conditions."""
    return [trial for trial in trials if trial.number not in found.apart]


def _session(
    number: int, here: Sequence[Trial], reference: Sequence[Trial], widths: Mapping[str, float]
) -> SessionDrift:
    if here is reference:
        return SessionDrift(number, len(here), {})
    changes = {}
    for key, width in widths.items():
        level = fmean(trial.figures[key] for trial in reference)
        mean = fmean(trial.figures[key] for trial in here)
        changes[key] = RelativeChange(
            mean / level - 1 if level else 0.0, width * (1 / len(here) + 1 / len(reference)) ** 0.5
        )
    return SessionDrift(number, len(here), changes)


def _trial(trial: Trial, levels: Mapping[str, float], n: int, widths: Mapping[str, float]) -> BaselineTrial:
    changes = {}
    for key, width in widths.items():
        share = trial.figures[key] / levels[key] - 1 if levels[key] else 0.0
        changes[key] = RelativeChange(share, width * (1 + _OF_MEDIAN / n) ** 0.5)
    return BaselineTrial(trial, changes)


def _drifted_stretches(trials: Sequence[Trial], baseline: Sequence[BaselineTrial]) -> Iterator[list[int]]:
    """Yield the numbers of the trials from the one behind the previous baseline trial to one that has drifted."""
    has_drifted = {one.trial.number: one.has_drifted for one in baseline}
    for session in dict.fromkeys(trial.session for trial in trials):
        stretch = []
        for trial in trials:
            if trial.session == session:
                stretch.append(trial.number)
                if trial.number in has_drifted:
                    if has_drifted[trial.number]:
                        yield stretch
                    stretch = []


def _width(
    key: str,
    groups: Sequence[Sequence[Trial]],
    series: Sequence[Sequence[Trial]],
    tests: int,
    without: int = 0,
) -> float | None:
    """Return t · s of a figure, relative; None where the noise is not known.

    `groups` are the repeats of other points and `series` the trials of the baseline, each of one session; `without` is
    the number of a trial that is left out of the baseline's, because it is judged.
    """
    squares, freedom = 0.0, 0
    for group in groups:
        values = [trial.figures[key] for trial in group]
        mean = fmean(values)
        squares += sum((value / mean - 1) ** 2 for value in values) if mean else 0.0
        freedom += len(values) - 1
    if freedom < _ENOUGH:
        for one in series:
            values = [trial.figures[key] for trial in one if trial.number != without]
            mean = fmean(values) if values else 0.0
            squares += sum(((after - before) / mean) ** 2 / 2 for before, after in pairwise(values)) if mean else 0.0
            freedom += max(len(values) - 1, 0)
    return (squares / freedom) ** 0.5 * student(freedom, 1 - (1 - CONFIDENCE) / tests) if freedom else None


def _repeated(trials: Sequence[Trial], objectives: Sequence[Objective], baseline: Point) -> list[list[Trial]]:
    """Return the repeats within a session of other points."""
    found = []
    for session in {trial.session for trial in trials}:
        groups = by_point_and_stage(
            (one for one in trials if one.session == session and one.point != baseline), objectives
        )
        found += [group for stages in groups.values() for group in stages.values() if len(group) > 1]
    return found
