"""What the side-by-side benchmark measures: its parts, in each of which all take turns.

What a part lacks is measured, what it has already is left alone; a round or a trial is begun where it still fits the
time that this call has.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from typing import Any

from engine.backends.base import BackendOptions
from engine.harness.cores import physical, usable
from engine.harness.spec import Workers
from engine.mlperf import Scenario
from engine.tuning.search import Aim, RateTrial, found, next_rate
from engine.tuning.tune import choose_workers
from tests.benchmarks import contestants, runs
from tests.benchmarks.contestants import Candidate, Course, Variant
from tests.benchmarks.kept import BASELINE, Bare, Kept, Tuning, bare, ours, save

PARTS = ("bare", "tune", "offline", "single", "multi", "server")

BATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
SWEEP_SECONDS = 0.8
"""For each way of the exhaustive search."""
FINALISTS = 3
"""The best bare loops, which take turns with the harness."""
ALONE = 2
"""Of one session and one sample, so many: the sweep is short, and something else may have disturbed it."""

BASELINE_SHARE = 0.73
"""Of the bare best, where the baseline's Offline has not been measured."""
START_SHARE = 0.6
"""Of the own Offline rate, where each search in Server begins."""
SPAN = 8
MOST_TRIALS = 16

START_SECONDS = 3.0
"""Of a process, before it measures."""
SWEEP_ESTIMATE = 80.0
TUNE_OVERHEAD = 10.0
"""Of loading the model, and of the measurement that goes on when the time ends."""

Measures = dict[str, Callable[[], Mapping[str, float]]]


class TimeIsUpError(Exception):
    """What comes next no longer fits the time of this call."""


class Session:
    """One call of the command: what is measured, how, and what is known so far."""

    def __init__(self, given: argparse.Namespace, course: Course, variants: list[Variant], kept: Kept) -> None:
        self.course = course
        self.variants = variants
        self.reference = Variant("fp32", "onnxruntime", variants[0].model)
        self.kept = kept
        self._given = given
        self._until = time.monotonic() + 60 * given.minutes if given.minutes else inf

    def run(self, part: str) -> None:
        """Measure what is lacking of one part. Raises TimeIsUpError where not all of it fits this call."""
        print(f"-- {part}", flush=True)
        getattr(self, part)()

    def bare(self) -> None:
        """Search the best bare loop of each variant, of the baseline's backend too: all splits, all batches."""
        for variant in dict.fromkeys([self.reference, *self.variants]):
            if variant.name in self.kept.sweeps:
                continue
            self._need(SWEEP_ESTIMATE)
            candidates = []
            for sessions, threads in _splits():
                candidate = Candidate(sessions, threads, 1)
                for one in self.course.bare(variant, candidate, BATCHES, SWEEP_SECONDS):
                    tried = candidate._replace(batch=int(one["batch"]))
                    candidates.append(Bare(tried, one["samples_per_second"], one["mean_ms"]))
            self.kept.sweeps[variant.name] = candidates
            best = self._finalists(variant)
            print(f"{variant.name}: " + ", ".join(f"{one.candidate} {one.samples_per_second:.2f}/s" for one in best))
            save(self.kept, self._given.json)

    def tune(self) -> None:
        """Let engine.tuning.tune choose the workers."""
        for variant in self.variants:
            if variant.name in self.kept.tuned:
                continue
            self._need(self._given.tune_seconds + TUNE_OVERHEAD)
            started = time.monotonic()
            tuned = choose_workers(
                importlib.import_module(variant.module),
                variant.model,
                BackendOptions(outputs=(self.course.output,), extra=variant.settings),
                seconds=self._given.tune_seconds,
                samples_per_query=8,
                latency_constraint_ms=self.course.bound_ms,
                share=0.99,
            )
            seconds = time.monotonic() - started
            rate = max(trial.samples_per_second for trial in tuned.table)
            self.kept.tuned[variant.name] = Tuning(tuned.workers, rate, seconds)
            chosen = ", ".join(
                f"{scenario} {contestants.candidate(workers)}"
                f"{f' wait {wait} us' if (wait := workers.queue_wait_us) else ''}"
                for scenario, workers in tuned.workers.items()
            )
            print(f"{variant.name}: {seconds:.0f} s; {chosen}", flush=True)
            save(self.kept, self._given.json)

    def offline(self) -> None:
        """Samples/s of the harness, the baseline and the best bare loops, and of the one that tuning chose."""
        measures: Measures = {BASELINE: self._loadgen(self.reference, None, "Offline", self._baseline_rate())}
        for variant in self.variants:
            tuned = self.kept.tuned[variant.name]
            workers = tuned.workers["Offline"]
            measures[ours(variant)] = self._loadgen(variant, workers, "Offline", tuned.samples_per_second)
        for variant in dict.fromkeys([self.reference, *self.variants]):
            candidates = [one.candidate for one in self._finalists(variant)]
            if variant.name in self.kept.tuned:
                candidates.append(contestants.candidate(self.kept.tuned[variant.name].workers["Offline"]))
            for candidate in dict.fromkeys(candidates):
                measures[bare(variant.name, candidate)] = self._bare(
                    variant, candidate, self.course.seconds / 2, "offline"
                )
        self._in_turn(measures, "offline")

    def single(self) -> None:
        """SingleStream: the mean and the 90th percentile in ms."""
        measures = {BASELINE: self._loadgen(self.reference, None, "SingleStream", self._alone_ms(self.reference) / 2)}
        for variant in self.variants:
            workers = self.kept.tuned[variant.name].workers["SingleStream"]
            measures[ours(variant)] = self._loadgen(variant, workers, "SingleStream", self._alone_ms(variant) / 2)
            for one in sorted(self._alone(variant), key=lambda one: one.mean_ms)[:ALONE]:
                measures[bare(variant.name, one.candidate)] = self._bare(
                    variant, one.candidate, self.course.seconds, "single mean"
                )
        self._in_turn(measures, "single mean")

    def multi(self) -> None:
        """MultiStream: the 99th percentile of the queries of eight in ms."""
        measures: Measures = {}
        for variant in dict.fromkeys([self.reference, *self.variants]):
            expected_ms = 4 * 1000 / max(one.samples_per_second for one in self.kept.sweeps[variant.name])
            if variant == self.reference:
                measures[BASELINE] = self._loadgen(variant, None, "MultiStream", expected_ms)
            if variant in self.variants:
                workers = self.kept.tuned[variant.name].workers["MultiStream"]
                measures[ours(variant)] = self._loadgen(variant, workers, "MultiStream", expected_ms)
        self._in_turn(measures, "multi p99")

    def server(self) -> None:
        """Search the highest rate that LoadGen calls valid, of all in turn: a trial of one, a trial of the next."""
        rates = {BASELINE: self._baseline_rate()}
        runners: dict[str, tuple[Variant, Workers | None]] = {BASELINE: (self.reference, None)}
        for variant in self.variants:
            tuned, who = self.kept.tuned[variant.name], ours(variant)
            rates[who] = self.kept.typical("offline", who) or tuned.samples_per_second
            runners[who] = (variant, tuned.workers["Server"])
        for number in range(self._given.searches):
            searches = {
                who: self._search(who, *runner, self.kept.typical("server", who) or START_SHARE * rates[who])
                for who, runner in runners.items()
                if len(self.kept.searches.get(who, ())) <= number
            }
            while searches:
                searches = {who: search for who, search in searches.items() if next(search, None) is not None}

    def _search(self, who: str, variant: Variant, workers: Workers | None, start: float) -> Iterator[RateTrial]:
        """Yield trials until the highest valid rate is known, and keep them."""
        trials = self.kept.begun.setdefault(who, [])
        if trials:
            start = trials[0].rate
        aim = Aim(
            start=start,
            lowest=start / SPAN,
            highest=start * SPAN,
            resolution=self._given.resolution,
            constraint_ms=self.course.bound_ms,
        )
        while (left := MOST_TRIALS - len(trials)) and (rate := next_rate(trials, aim, last=left == 1)) is not None:
            self._need(START_SECONDS + max(self._given.server_seconds, self._given.server_queries / rate))
            run = self._loadgen(variant, workers, "Server", rate)
            values = runs.undisturbed(run, self._given.attempts)
            trials.append(RateTrial(rate=rate, valid=bool(values["valid"]), figure=values["server p99"]))
            verdict = "valid" if trials[-1].valid else "invalid"
            print(f"  {who:26}{rate:10.2f}/s {verdict:8}p99 {values['server p99']:7.1f} ms", flush=True)
            save(self.kept, self._given.json)
            yield trials[-1]
        self.kept.searches.setdefault(who, []).append(self.kept.begun.pop(who))
        self.kept.add(who, {"server": found(trials).rate or 0.0})
        save(self.kept, self._given.json)

    def _in_turn(self, measures: Measures, figure: str) -> None:
        """Measure rounds until there are as many as wanted. A round is kept when it is whole."""
        have = min(len(self.kept.figures.get(figure, {}).get(who, ())) for who in measures)
        takes = len(measures) * (START_SECONDS + self._given.seconds)
        for number in range(have, self._given.repeats):
            self._need(takes)
            started = time.monotonic()
            values = {}
            for who, measure in measures.items():
                values[who] = runs.undisturbed(measure, self._given.attempts)
                shown = "  ".join(f"{name} {value:.3f}" for name, value in values[who].items())
                print(f"  {number + 1} {who:36}{shown}", flush=True)
            takes = time.monotonic() - started
            for who, found_now in values.items():
                self.kept.add(who, found_now)
            save(self.kept, self._given.json)

    def _need(self, seconds: float) -> None:
        if time.monotonic() + seconds > self._until:
            raise TimeIsUpError(f"what comes next takes about {seconds:.0f} s")

    def _loadgen(
        self, variant: Variant, workers: Workers | None, scenario: Scenario, target: float
    ) -> Callable[[], Mapping[str, float]]:
        """Return a run of the harness, or of the baseline where there are no workers; it returns its figures."""
        module = contestants.HARNESS if workers else contestants.BASELINE
        shared_out = workers or Workers(sessions=1, intra_op_threads=1, max_batch=1)  # what the baseline does not read
        given = self._given
        least = {"min_duration_ms": round(1000 * given.server_seconds), "min_query_count": given.server_queries}

        def measure() -> Mapping[str, float]:
            more = least if scenario == "Server" else {}
            values = self.course.run(module, variant, scenario, shared_out, target, **more)
            return FIGURES[scenario](values)

        return measure

    def _bare(
        self, variant: Variant, candidate: Candidate, seconds: float, figure: str
    ) -> Callable[[], Mapping[str, float]]:
        name = "mean_ms" if figure == "single mean" else "samples_per_second"
        return lambda: {figure: self.course.bare(variant, candidate, [candidate.batch], seconds)[0][name]}

    def _finalists(self, variant: Variant) -> list[Bare]:
        return sorted(self.kept.sweeps[variant.name], key=lambda one: -one.samples_per_second)[:FINALISTS]

    def _alone(self, variant: Variant) -> Iterable[Bare]:
        return [
            one for one in self.kept.sweeps[variant.name] if (one.candidate.sessions, one.candidate.batch) == (1, 1)
        ]

    def _alone_ms(self, variant: Variant) -> float:
        return min(one.mean_ms for one in self._alone(variant))

    def _baseline_rate(self) -> float:
        best = max(one.samples_per_second for one in self.kept.sweeps[self.reference.name])
        return self.kept.typical("offline", BASELINE) or BASELINE_SHARE * best


def _milliseconds(values: Mapping[str, Any], key: str) -> float:
    return float(values[f"result_{key}_ns"]) / 1e6


FIGURES: Mapping[Scenario, Callable[[Mapping[str, Any]], Mapping[str, float]]] = {
    "Offline": lambda values: {"offline": float(values["result_samples_per_second"])},
    "SingleStream": lambda values: {
        "single mean": _milliseconds(values, "mean_latency"),
        "single p90": _milliseconds(values, "90.00_percentile_latency"),
    },
    "MultiStream": lambda values: {"multi p99": _milliseconds(values, "99.00_percentile_per_query_latency")},
    "Server": lambda values: {
        "valid": float(values["result_validity"] == "VALID"),
        "server p99": _milliseconds(values, "99.00_percentile_latency"),
    },
}
"""Scenario → the figures in a detail log."""


def _splits() -> list[tuple[int, int]]:
    """Return sessions × threads up to twice the cores."""
    cores = len(physical(usable()))
    powers = [2**power for power in range(cores.bit_length()) if 2**power <= cores]
    sizes = sorted({*powers, cores})
    return [(sessions, threads) for sessions in sizes for threads in sizes if sessions * threads <= 2 * cores]
