"""What is measured next: the default, known good points, the sampler's, repeats, and longer trials of the finalists.

A pure function of the trials so far and of the time that is left, so that an interrupted exploration goes on as if it
had not been, and the benchmark replays what the product does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from engine.design_space.drift import comparable, drift
from engine.design_space.exploration import CONFIDENCE
from engine.design_space.front import Standing, standing
from engine.design_space.repeats import PRECISION, worth_repeating
from engine.design_space.samplers import next_points
from engine.design_space.trials import Axis, Constraint, Objective, Point, Trial

_REPEATS_SHARE = 0.15
"""Of the trials while there are new points to measure."""
_LAST_SHARE = 0.2
"""Of the time for short trials, at its end, in which repeats go first."""
_FIRST_REPEAT = 6
"""Points measured before the first repeat: earlier the front is not yet worth it."""
_AGAIN = 2
"""Trials in which a point may be caught by drift."""

Purpose = Literal["search", "repeat", "baseline"]


@dataclass(frozen=True)
class Planned:
    """A trial to be made."""

    point: Point
    purpose: Purpose
    stage: int
    why: str
    """In words, as shown."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What an exploration is and how it is searched; all of it is fixed when it starts."""

    axes: tuple[Axis, ...]
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()
    sampler: str = "sobol"
    seed: int = 1
    default: Point | None = None
    known_good: tuple[Point, ...] = ()
    stage_seconds: tuple[float, ...] = (10.0,)
    """Expected seconds of a trial of each stage, until trials tell; one stage: no longer trials of finalists."""
    baseline_every: int = 10
    """Trials from one of the baseline to the next."""
    finalists: int = 5
    """Points of the front that get longer trials, at most."""
    final_trials: int = 2
    """Trials of each finalist in each longer stage."""
    confidence: float = CONFIDENCE
    precision: float = PRECISION


def next_trials(
    policy: Policy,
    history: Sequence[Trial],
    valid: Callable[[Point], bool],
    remaining: float | None = None,
    session: int = 0,
    running: Sequence[Planned] = (),
    count: int = 1,
) -> list[Planned]:
    """Return at most `count` trials to be made next, in this order; fewer where nothing else is worth the time.

    `remaining` are the seconds left, None for no limit. `session` is the one that goes on now: its first trial is of
    the baseline. `running` are trials that have begun on other machines.
    """
    planned: list[Planned] = []
    left = remaining
    while len(planned) < count:
        step = _Step(policy, history, [*running, *planned], valid, left, session)
        one = step.next()
        if one is None:
            break
        planned.append(one)
        if left is not None:
            left -= step.seconds(one.stage)
    return planned


def baseline(history: Sequence[Trial], default: Point | None) -> Point | None:
    """Return the point whose trials tell drift: the default, or where that gives no figures the first that did."""
    gave = list(dict.fromkeys(trial.point for trial in history if trial.figures))
    tried = {trial.point for trial in history}
    return default if default in gave or (default is not None and default not in tried) else next(iter(gave), None)


class _Step:
    """One decision."""

    def __init__(
        self,
        policy: Policy,
        history: Sequence[Trial],
        running: Sequence[Planned],
        valid: Callable[[Point], bool],
        remaining: float | None,
        session: int,
    ) -> None:
        self.policy, self.history, self.running = policy, history, running
        self.valid, self.remaining, self.session = valid, remaining, session
        self.made = [trial for trial in history if trial.state != "refused" and trial.purpose != "reused"]
        self.known = {trial.point for trial in history} | {one.point for one in running}
        self.baseline = baseline(history, policy.default)
        found = drift(history, policy.objectives, self.baseline)
        self.trials = comparable(history, found)
        self.is_steady = not any(one.session == session and one.has_drifted for one in found.sessions)

    def seconds(self, stage: int) -> float:
        """Return the expected seconds of a trial."""
        found = [trial.seconds for trial in self.made if trial.stage == stage and trial.seconds]
        return fmean(found) if found else self.policy.stage_seconds[stage]

    def next(self) -> Planned | None:
        """Return the trial, None where nothing is worth the time."""
        if not self._fits(0):
            return None
        search = self._search_ends_in()
        fixed = self._baseline() or self._known_good()
        if fixed is not None:
            return fixed
        if search is not None and search < self.seconds(0):
            return self._final()
        return self._short(search) or self._final()

    def _fits(self, stage: int) -> bool:
        return self.remaining is None or self.remaining >= self.seconds(stage)

    def _search_ends_in(self) -> float | None:
        """Return the seconds that are left for short trials; None for no limit."""
        if self.remaining is None:
            return None
        stages = range(1, len(self.policy.stage_seconds))
        finals = sum(self.seconds(stage) for stage in stages) * self.policy.finalists * self.policy.final_trials
        total = self.remaining + sum(trial.seconds for trial in self.made)
        done = sum(trial.seconds for trial in self.made if trial.stage)
        return self.remaining - max(min(finals, total / 3) - done, 0.0)

    def _baseline(self) -> Planned | None:
        point = self.baseline
        if point is None or any(one.purpose == "baseline" for one in self.running) or not self.valid(point):
            return None
        here = [trial for trial in self.made if trial.session == self.session]
        since = next((number for number, trial in enumerate(reversed(here)) if trial.point == point), None)
        since = None if since is None else since + len(self.running)
        if point not in self.known:
            return Planned(point, "baseline", 0, "the default first: what all others are compared with")
        if since is None:
            return Planned(point, "baseline", 0, "the baseline again: a new session may differ by drift alone")
        if since >= self.policy.baseline_every:
            return Planned(point, "baseline", 0, f"the baseline again, after {since} other trials: tells drift")
        return None

    def _known_good(self) -> Planned | None:
        fresh = (point for point in self.policy.known_good if point not in self.known and self.valid(point))
        point = next(fresh, None)
        return None if point is None else Planned(point, "search", 0, "known to be good")

    def _short(self, left: float | None) -> Planned | None:
        """Return a short trial: of a point caught by drift, a new point, or a repeat."""
        return self._caught() or (self._repeat_first(left) and self._repeat()) or self._new() or self._repeat()

    def _repeat_first(self, left: float | None) -> bool:
        short = [trial for trial in self.made if not trial.stage]
        if len({trial.point for trial in short}) < _FIRST_REPEAT:
            return False
        repeats = sum(trial.purpose == "repeat" for trial in short) + sum(
            one.purpose == "repeat" for one in self.running
        )
        spent = sum(trial.seconds for trial in short)
        is_end = left is not None and left <= _LAST_SHARE * (left + spent)
        return is_end or repeats < _REPEATS_SHARE * (len(short) + len(self.running) - _FIRST_REPEAT)

    def _repeat(self) -> Planned | None:
        policy = self.policy
        point = worth_repeating(self.trials, policy.objectives, policy.constraints, policy.confidence, policy.precision)
        if point is None or not self.valid(point) or any(one.point == point for one in self.running):
            return None
        return Planned(point, "repeat", 0, "a repeat: it could change the front")

    def _caught(self) -> Planned | None:
        if not self.is_steady:
            return None
        kept = {trial.point for trial in self.trials} | {one.point for one in self.running}
        for point in dict.fromkeys(trial.point for trial in self.history if trial.point not in kept):
            if sum(trial.point == point for trial in self.history) < _AGAIN and self.valid(point):
                return Planned(point, "repeat", 0, "again: the machine drifted while it was measured")
        return None

    def _new(self) -> Planned | None:
        policy = self.policy
        points = next_points(
            policy.sampler,
            policy.axes,
            policy.objectives,
            self.history,
            1,
            policy.seed,
            lambda point: point not in self.known and self.valid(point),
            policy.constraints,
        )
        return Planned(points[0], "search", 0, f"a new point, from {policy.sampler}") if points else None

    def _final(self) -> Planned | None:
        """Return a longer trial: all finalists in turn, one stage after the other."""
        policy = self.policy
        for stage in range(1, len(policy.stage_seconds)):
            before = [trial for trial in self.trials if trial.stage == stage - 1]
            ranked = _ranked(standing(before, policy.objectives, policy.constraints, policy.confidence), policy)
            counts = {point: self._count(point, stage) for point in ranked[: policy.finalists] if self.valid(point)}
            least = min(counts, key=lambda point: counts[point], default=None)
            if least is not None and counts[least] < policy.final_trials:
                return Planned(least, "search", stage, "a finalist, longer") if self._fits(stage) else None
        return None

    def _count(self, point: Point, stage: int) -> int:
        here = sum(trial.point == point and trial.stage == stage for trial in self.made)
        return here + sum(one.point == point and one.stage == stage for one in self.running)


def _ranked(standings: dict[Point, Standing], policy: Policy) -> list[Point]:
    """Return the points that are not dominated: those on the front first, then those with most trials."""
    order = {"on the front": 0, "indistinguishable": 1}
    found = [point for point, one in standings.items() if one.word in order]
    return sorted(found, key=lambda point: (order[standings[point].word], -standings[point].n))
