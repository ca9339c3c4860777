"""The search of one scenario's target: which trials to run, and what to make of them, within the time that it has.

Server: the highest rate that LoadGen calls valid (engine.tuning.search). Offline and the Stream scenarios have no
bound to meet: what they reach is measured until two runs agree.
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
from engine.profile.run_rules import resolve
from engine.step import Step
from engine.steps.measuring.target import latency_constraint_ms, measured_target, server_rate
from engine.steps.measuring.trial import MODE, Ran, Trials
from engine.tuning.search import Aim, RateTrial, found, next_rate, settled, spread
from engine.tuning.tuned import Tuned

TRIALS: Final = 12
"""A trial may take this part of the time: where nothing disturbs, a search is over after five to ten, and each loads
the model anew."""

REPEATS: Final = 3
"""How often a figure without a bound is measured at the most."""

STEADY: Final = 1001
"""Queries of a Server trial where the time allows it: three of them may be late, so that no single burst decides."""

SPAN: Final = 64
"""How far from the start the search goes before it gives up."""

OFFLINE_MARGIN: Final = 1.02
"""Above the fastest run. LoadGen asks for 1.1 * duration * target samples in its one query, and the rules want the
query to last that duration (v2.1): with this target a run may come out 12 % faster and still be long enough."""

TAIL_OF_MEAN: Final = 1.5
"""LoadGen prepares twice the queries that fit at the expected latency and fails when they run out: a percentile that is
further above the mean than this is no latency to expect."""

MORE_TIME: Final = "--adr.target.seconds=SECONDS"


class Outcome(NamedTuple):
    """What a search ends with."""

    target: float
    trials: tuple[Ran, ...]
    repeats: int
    refused: float | None = None
    spread: float | None = None


class Search:
    """One search: the time that it has, and its trials so far."""

    def __init__(self, step: Step, rules: Round, unit: str) -> None:
        self._step = step
        self._rules = rules
        self._ruled = resolve(rules, step.options["benchmark"], step.options["scenario"])
        self._unit = unit
        self._seconds = float(step.options["seconds"])
        self._started = time.monotonic()
        self._trials = Trials(step, rules, unit)
        self._overhead = 0.0
        self.ran: list[Ran] = []
        self.trial_seconds = self._seconds / TRIALS

    def highest_rate(self) -> Outcome:
        """Search the highest valid rate of Server."""
        aim = self._aim()
        trials: list[RateTrial] = []
        while (rate := self._next(trials, aim)) is not None:
            ran = self._run(rate, self._lasting(rate), self._fewest)
            trials.append(RateTrial(rate=rate, valid=ran.valid, figure=ran.latency_ms))
            self._step.emit(told(self._step, "target", rate, self._unit, ran.valid))
        outcome = found(trials)
        if outcome.rate is None:
            raise self._nothing(trials)
        untried = next_rate(trials, aim)
        if untried is not None and untried != outcome.rate:
            text = f"the time is up: {outcome.rate:g} queries/s was valid, {_beyond(untried, outcome.refused)}"
            self._step.warn(text, remedy=MORE_TIME)
        return Outcome(outcome.rate, tuple(self.ran), outcome.repeats, outcome.refused, outcome.spread)

    def measured(self) -> Outcome:
        """Measure what Offline, SingleStream or MultiStream reaches, again until two runs agree."""
        scenario = self._step.options["scenario"]
        target = measured_target(self._step.options, self._tuned, self._rules)
        figures: list[float] = []
        while not settled(figures, float(self._step.options["resolution"]), REPEATS):
            if self.ran and self._left() < self.ran[-1].seconds:
                break
            ran = self._run(target, self.trial_seconds, self._queries(target))
            figures.append(_figure(scenario, ran))
            self._step.emit(told(self._step, FACTS[scenario].result_name, figures[-1], self._unit, ran.valid))
            target = _target(scenario, self.ran)
        apart = spread(figures) or 0.0
        if apart > float(self._step.options["resolution"]):
            self._step.warn(f"{len(figures)} runs differ by {apart:.0%}: is other work on the machine?")
        return Outcome(target, tuple(self.ran), len(figures), spread=spread(figures))

    def _aim(self) -> Aim:
        """Return where to search, within the bound in ms. Raises RunError where no rate can be valid."""
        tuned = self._tuned
        constraint_ms = latency_constraint_ms(self._step.options, self._rules)
        alone_ms = tuned.trial("SingleStream").batch_ms
        if alone_ms > constraint_ms:
            raise RunError(
                f"Server is impossible here: a sample alone takes {alone_ms:.3g} ms, the bound is {constraint_ms:g} ms",
                "a faster model or more threads in a session (--intra_op_threads); or leave Server out",
            )
        rate = tuned.trial("Server").samples_per_second
        least = self._least
        lowest = 2 * least / self._seconds  # a trial and its repeat
        if rate < lowest:
            raise RunError(
                f"a Server trial takes {least / rate:.0f} s at the {rate:.3g} samples/s that were measured: "
                f"the search has {self._seconds:g} s, and needs a trial and its repeat at the least",
                f"give it more time ({MORE_TIME}), or leave Server out",
            )
        queries = max(self._fewest, round(self.trial_seconds * rate))
        start = server_rate(self._step.options, tuned, self._rules, queries)
        resolution = float(self._step.options["resolution"])
        lowest_tried, highest = max(start / SPAN, lowest), max(start, lowest) * SPAN
        return Aim(
            start=start, lowest=lowest_tried, highest=highest, resolution=resolution, constraint_ms=constraint_ms
        )

    def _nothing(self, trials: Sequence[RateTrial]) -> RunError:
        constraint_ms = latency_constraint_ms(self._step.options, self._rules)
        rates = [trial.rate for trial in trials]
        tried = f"in {len(trials)} trials from {min(rates):g} to {max(rates):g} queries/s"
        if any(trial.valid for trial in trials):
            what = f"no rate was valid within {constraint_ms:g} ms at each attempt: {tried} some contradict others"
            return RunError(what, f"keep other work off the machine, and give the search more time: {MORE_TIME}")
        remedy = f"more time reaches lower rates ({MORE_TIME}); a faster model or other workers; or leave Server out"
        return RunError(f"no rate was valid within {constraint_ms:g} ms {tried}", remedy)

    def _next(self, trials: list[RateTrial], aim: Aim) -> float | None:
        """Return the rate to try, keeping time for the repeat of what holds; None when done or out of time."""
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
        """How many queries Server's early stopping needs at the least."""
        return self._ruled.fewest_queries or 1

    @cached_property
    def _fewest(self) -> int:
        """How many queries a trial of Server has at the least: STEADY where half of TRIALS of them fit the time."""
        least = self._least
        steady_seconds = TRIALS / 2 * STEADY / self._tuned.trial("Server").samples_per_second
        return max(least, STEADY) if steady_seconds <= self._seconds else least

    def _queries(self, latency_ms: float) -> int | None:
        """Return how many queries a trial of a Stream scenario can have; None leaves it to early stopping's least."""
        fewest = self._ruled.fewest_queries
        fitting = int(self._seconds / REPEATS / (latency_ms / 1000)) if self._unit == "ms" else None
        return None if not fewest or not fitting or fitting >= fewest else max(fitting, 1)

    def _left(self) -> float:
        return self._seconds - (time.monotonic() - self._started)

    def _run(self, target: float, seconds: float, queries: int | None = None) -> Ran:
        ran = self._trials.run(target, seconds, queries)
        self.ran.append(ran)
        if ran.report is not None:
            self._overhead = max(self._overhead, ran.seconds - ran.report.seconds)
        self._step.progress(round(self._seconds - self._left(), 1), self._seconds, "seconds")
        return ran


def _beyond(untried: float, refused: float | None) -> str:
    """Say what is not known above the rate that was found, of which `untried` would have been tried next."""
    if refused is None:
        return "no higher one was refused: they are untried"
    return f"{refused:g} was refused, {'which is doubtful' if untried == refused else 'what lies between is untried'}"


def told(step: Step, metric: str, value: float, unit: str, valid: bool | None) -> events.Measured:
    """Return the event of one trial, or of what came of all."""
    return events.Measured(
        at=time.time(),
        step=step.id,
        scenario=step.options["scenario"],
        mode=MODE,
        metric=metric,
        value=value,
        unit=unit,
        valid=valid,
    )


def _figure(scenario: str, ran: Ran) -> float:
    figure = ran.samples_per_second if scenario == "Offline" else ran.latency_ms
    if figure is None:
        raise RunError("LoadGen's log of a trial has no figure", f"see {DETAIL_LOG} in the step's output")
    return figure


def _target(scenario: str, trials: list[Ran]) -> float:
    """Return what to configure by the trials so far: rates and latencies of four digits."""
    figures = [_figure(scenario, ran) for ran in trials]
    if scenario == "Offline":
        return float(f"{OFFLINE_MARGIN * max(figures):.4g}")
    latency = min(median(figures), TAIL_OF_MEAN * min(ran.mean_ms or inf for ran in trials))
    return float(f"{latency:.4g}")
