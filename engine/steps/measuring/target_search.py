"""Search for one scenario's target: choose trials and evaluate them, within a time budget.

Server: the highest rate that LoadGen calls valid (engine.tuning.search). Offline and the Stream scenarios have no
latency constraint: their throughput or latency is measured until two runs agree.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from math import inf
from statistics import median
from typing import Final, NamedTuple

from engine import events
from engine.errors import RunError
from engine.mlperf import DETAIL_LOG, FACTS
from engine.profile.rounds import Round
from engine.profile.run_rules import resolve_rules
from engine.step import Step
from engine.steps.measuring.run_options import TargetOptions
from engine.steps.measuring.target import latency_constraint_ms, measured_target, server_rate
from engine.steps.measuring.trial import MODE, TrialResult, Trials
from engine.tuning.search import Aim, RateTrial, found, next_rate, settled, spread
from engine.tuning.tuned import Tuned

TRIALS: Final = 12
"""Fraction of the time budget that one trial may take: undisturbed, a search ends after five to ten trials, and each
loads the model again."""

REPEATS: Final = 3
"""Maximum number of repeats of a figure without a latency constraint."""

STEADY: Final = 1001
"""Queries of a Server trial where time allows: three of them may be late, so that no single burst decides."""

SPAN: Final = 64
"""Factor from the start at which the search gives up."""

OFFLINE_MARGIN: Final = 1.02
"""Factor above the fastest run. LoadGen asks for 1.1 * duration * target samples in its one query, and the rules want
the query to last that duration (v2.1): with this target a run may be 12 % faster and still be long enough."""

TAIL_OF_MEAN: Final = 1.5
"""Maximum ratio of percentile to mean. LoadGen prepares twice the queries that fit at the expected latency and fails
when they run out, so a percentile further above the mean is unusable as the expected latency."""

MORE_TIME: Final = "--adr.target.seconds=SECONDS"


class SearchResult(NamedTuple):
    """Result of a search."""

    target: float
    trials: tuple[TrialResult, ...]
    repeats: int
    refused: float | None = None
    spread: float | None = None


class SearchOptions(TargetOptions, frozen=True, kw_only=True):
    """What is searched, for how long and how closely."""

    seconds: float
    """Time for all trials, in seconds."""
    resolution: float
    """Server: the largest ratio, less one, of an invalid rate to the highest valid one; otherwise the largest relative
    difference of two runs."""


class Search:
    """One search: its time budget, and its trials so far."""

    def __init__(self, step: Step, rules: Round, unit: str) -> None:
        self._step = step
        self._options = step.read_options(SearchOptions)
        self._rules = rules
        self._ruled = resolve_rules(rules, self._options.benchmark, self._options.scenario)
        self._unit = unit
        self._seconds = self._options.seconds
        self._started = time.monotonic()
        self._trials = Trials(step, rules, unit)
        self._overhead = 0.0
        self.trials: list[TrialResult] = []
        self.trial_seconds = self._seconds / TRIALS

    def highest_rate(self) -> SearchResult:
        """Search the highest valid rate of Server."""
        aim = self._aim()
        trials: list[RateTrial] = []
        while (rate := self._next(trials, aim)) is not None:
            trial = self._run(rate, self._lasting(rate), self._fewest)
            trials.append(RateTrial(rate=rate, valid=trial.valid, figure=trial.latency_ms))
            self._step.emit(measured_event(self._step, "target", rate, self._unit, trial.valid))
        outcome = found(trials)
        if outcome.rate is None:
            raise self._nothing(trials)
        untried = next_rate(trials, aim)
        if untried is not None and untried != outcome.rate:
            text = f"the time is up: {outcome.rate:g} queries/s was valid, {_beyond(untried, outcome.refused)}"
            self._step.warn(text, remedy=MORE_TIME)
        return SearchResult(outcome.rate, tuple(self.trials), outcome.repeats, outcome.refused, outcome.spread)

    def measured(self) -> SearchResult:
        """Measure what Offline, SingleStream or MultiStream reaches, repeatedly until two runs agree."""
        scenario = self._options.scenario
        target = measured_target(self._options, self._tuned, self._rules)
        figures: list[float] = []
        while not settled(figures, self._options.resolution, REPEATS):
            if self.trials and self._left() < self.trials[-1].seconds:
                break
            trial = self._run(target, self.trial_seconds, self._queries(target))
            figures.append(_figure(scenario, trial))
            self._step.emit(
                measured_event(self._step, FACTS[scenario].result_name, figures[-1], self._unit, trial.valid)
            )
            target = _target(scenario, self.trials)
        apart = spread(figures) or 0.0
        if apart > self._options.resolution:
            self._step.warn(f"{len(figures)} runs differ by {apart:.0%}: is other work on the machine?")
        return SearchResult(target, tuple(self.trials), len(figures), spread=spread(figures))

    def _aim(self) -> Aim:
        """Return where to search, given the latency constraint in ms. Raises RunError where no rate can be valid."""
        tuned = self._tuned
        constraint_ms = latency_constraint_ms(self._options, self._rules)
        alone_ms = tuned.trial("SingleStream").query_ms
        if alone_ms > constraint_ms:
            raise RunError(
                f"Server can't be valid: one sample takes {alone_ms:.3g} ms, the constraint is {constraint_ms:g} ms",
                "a faster model or more threads in a session (--intra_op_threads); or leave Server out",
            )
        rate = tuned.trial("Server").samples_per_second
        least = self._least
        lowest = 2 * least / self._seconds  # a trial and its repeat
        if rate < lowest:
            raise RunError(
                f"a Server trial takes {least / rate:.0f} s at the {rate:.3g} samples/s that were measured: "
                f"the search has {self._seconds:g} s, and needs a trial and its repeat at least",
                f"give it more time ({MORE_TIME}), or leave Server out",
            )
        queries = max(self._fewest, round(self.trial_seconds * rate))
        start = server_rate(self._options, tuned, self._rules, queries)
        lowest_tried, highest = max(start / SPAN, lowest), max(start, lowest) * SPAN
        return Aim(
            start=start,
            lowest=lowest_tried,
            highest=highest,
            resolution=self._options.resolution,
            constraint_ms=constraint_ms,
        )

    def _nothing(self, trials: Sequence[RateTrial]) -> RunError:
        constraint_ms = latency_constraint_ms(self._options, self._rules)
        rates = [trial.rate for trial in trials]
        tried = f"in {len(trials)} trials from {min(rates):g} to {max(rates):g} queries/s"
        if any(trial.valid for trial in trials):
            what = f"no rate was valid within {constraint_ms:g} ms at each attempt: {tried} some contradict others"
            return RunError(what, f"keep other work off the machine, and give the search more time: {MORE_TIME}")
        remedy = f"more time reaches lower rates ({MORE_TIME}); a faster model or other workers; or leave Server out"
        return RunError(f"no rate was valid within {constraint_ms:g} ms {tried}", remedy)

    def _next(self, trials: list[RateTrial], aim: Aim) -> float | None:
        """Return the next rate to try, reserving time for repeating a valid one; None when done or out of time."""
        rate, holding = next_rate(trials, aim), found(trials).rate
        if rate is not None and holding is not None and self._left() < self._cost(rate) + self._cost(holding):
            rate = next_rate(trials, aim, last=True)
        return None if rate is None or (trials and self._left() < self._cost(rate)) else rate

    def _cost(self, rate: float) -> float:
        return self._overhead + self._lasting(rate)

    def _lasting(self, rate: float) -> float:
        return max(self.trial_seconds, self._fewest / rate)

    @cached_property
    def _tuned(self) -> Tuned:
        return self._step.inputs["workers"].read(Tuned)

    @property
    def _least(self) -> int:
        """Return the minimum number of queries that Server's early stopping needs."""
        return self._ruled.fewest_queries or 1

    @cached_property
    def _fewest(self) -> int:
        """Return the minimum number of queries of a Server trial: STEADY if half of TRIALS of them fit the time."""
        least = self._least
        steady_seconds = TRIALS / 2 * STEADY / self._tuned.trial("Server").samples_per_second
        return max(least, STEADY) if steady_seconds <= self._seconds else least

    def _queries(self, latency_ms: float) -> int | None:
        """Return the number of queries of a Stream trial; None leaves it to early stopping's minimum."""
        fewest = self._ruled.fewest_queries
        fitting = int(self._seconds / REPEATS / (latency_ms / 1000)) if self._unit == "ms" else None
        return None if not fewest or not fitting or fitting >= fewest else max(fitting, 1)

    def _left(self) -> float:
        return self._seconds - (time.monotonic() - self._started)

    def _run(self, target: float, seconds: float, queries: int | None = None) -> TrialResult:
        trial = self._trials.run(target, seconds, queries)
        self.trials.append(trial)
        if trial.report is not None:
            self._overhead = max(self._overhead, trial.seconds - trial.report.seconds)
        self._step.progress(round(self._seconds - self._left(), 1), self._seconds, "seconds")
        return trial


def _beyond(untried: float, refused: float | None) -> str:
    """Return what is unknown above the rate that was found; `untried` is the next rate that would have been tried."""
    if refused is None:
        return "no higher rate failed: they are untried"
    return f"{refused:g} failed, {'which is doubtful' if untried == refused else 'rates in between are untried'}"


def measured_event(step: Step, metric: str, value: float, unit: str, valid: bool | None) -> events.Measured:
    """Return the event of one trial, or of the result of all."""
    return events.Measured(
        at=time.time(),
        step=step.id,
        scenario=step.read_options(TargetOptions).scenario,
        mode=MODE,
        metric=metric,
        value=value,
        unit=unit,
        valid=valid,
    )


def _figure(scenario: str, trial: TrialResult) -> float:
    figure = trial.samples_per_second if scenario == "Offline" else trial.latency_ms
    if figure is None:
        raise RunError("LoadGen's log of a trial has no figure", f"see {DETAIL_LOG} in the step's output")
    return figure


def _target(scenario: str, trials: list[TrialResult]) -> float:
    """Return the target to save, from the trials so far, rounded to four digits."""
    figures = [_figure(scenario, trial) for trial in trials]
    if scenario == "Offline":
        return float(f"{OFFLINE_MARGIN * max(figures):.4g}")
    latency = min(median(figures), TAIL_OF_MEAN * min(trial.mean_ms or inf for trial in trials))
    return float(f"{latency:.4g}")
