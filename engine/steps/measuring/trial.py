"""One trial of a search: a short LoadGen run at a target, monitored from outside.

A Server trial that can no longer become valid is ended at once, which saves most of a search's time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any, Final

import msgspec

from engine import codec, events
from engine.facts import SamplesFacts
from engine.harness.goal import measuring
from engine.harness.spec import REPORT, RunReport
from engine.histogram import bounds
from engine.mlperf import DETAIL_LOG, NS_PER_MS
from engine.mlperf_logs import detail
from engine.profile.rounds import Round
from engine.profile.run_rules import resolve_rules
from engine.step import Step
from engine.steps.measuring.harness_process import harness
from engine.steps.measuring.run_options import TargetOptions
from engine.steps.measuring.run_outcome import cut_short
from engine.steps.measuring.run_spec import SPEC, spec
from engine.steps.measuring.run_workers import batch_ms
from engine.steps.measuring.target import latency_constraint_ms
from engine.tuning.search import tolerated

MODE: Final = "find-performance"
"""Mode that the events of a search carry in place of a run's mode."""

RUN_OPTIONS: Final[Mapping[str, Any]] = {
    "mode": "performance",
    "style": "fast",  # the fewest queries that early stopping takes, and any data set
    "max_query_count": None,
    "target_qps": None,
}

_SURELY: Final = 6
"""Standard deviations by which the number of queries may exceed its mean, since arrivals are random."""


@dataclass(frozen=True)
class TrialResult:
    """Result of a trial."""

    target: float
    valid: bool
    """LoadGen's verdict; False where the trial was ended early."""
    seconds: float
    """Seconds that the whole process took."""
    report: RunReport | None = None
    """None where the trial was ended early; so are the figures."""
    latency_ms: float | None = None
    """Latency at the scenario's percentile."""
    mean_ms: float | None = None
    samples_per_second: float | None = None
    """Offline's throughput."""


class _HopelessError(Exception):
    """The trial can no longer become valid."""


class Trials:
    """Runs the trials of one search and reports their progress; each has a folder of its own in the step's output."""

    def __init__(self, step: Step, rules: Round, unit: str) -> None:
        self._step = step
        self._options = step.read_options(TargetOptions)
        self._rules = rules
        self._ruled = resolve_rules(rules, self._options.benchmark, self._options.scenario)
        self._unit = unit
        self._warned: set[str] = set()
        self.count = 0

    def run(self, target: float, seconds: float, queries: int | None = None) -> TrialResult:
        """Run LoadGen for at least `seconds` at `target`, with at least `queries` (as early stopping needs).

        Raises RunError where the run fails other than by being invalid.
        """
        self.count += 1
        folder = self._step.output / f"trial-{self.count:02}"
        folder.mkdir(parents=True)
        run_spec = spec(self._run_step(folder, target, seconds, queries), target)
        spec_file = folder / SPEC
        spec_file.write_bytes(codec.encode(run_spec, indent=1))
        emit = self._forwarding(
            target, self._watch(target, run_spec.settings.min_duration_ms, run_spec.settings.min_query_count)
        )
        started = time.monotonic()
        try:
            emit(measuring(run_spec, self._ruled, MODE, self._step.inputs["preprocessed"].read(SamplesFacts).count))
            harness(replace(self._step, output=folder, emit=emit), spec_file, batch_ms(self._step))
        except _HopelessError:
            return TrialResult(target, valid=False, seconds=time.monotonic() - started)
        return self._read(target, folder, time.monotonic() - started)

    def _run_step(self, folder: Path, target: float, seconds: float, queries: int | None) -> Step:
        asked = {
            **self._step.options,
            **RUN_OPTIONS,
            "min_duration_ms": round(1000 * seconds),
            "min_query_count": queries,
        }
        if self._options.scenario != "Server":
            asked["target_latency_ms"] = None
        return replace(self._step, options=asked, output=folder, emit=self._forwarding(target, _ignore))

    def _forwarding(self, target: float, watch: Callable[[events.AnyEvent], None]) -> Callable[[events.AnyEvent], None]:
        """Return a function that forwards the events of a trial: its phases with its number, each warning once."""
        title = f"trial {self.count} at {target:g} {self._unit}"

        def emit(event: events.AnyEvent) -> None:
            if isinstance(event, events.Warned):
                if event.text in self._warned:
                    return
                self._warned.add(event.text)
            elif isinstance(event, events.Phase):
                event = msgspec.structs.replace(event, name=f"{title}: {event.name}")
            self._step.emit(event)
            watch(event)

        return emit

    def _watch(self, target: float, milliseconds: int, least: int) -> Callable[[events.AnyEvent], None]:
        """Return a function that ends a Server trial when more queries miss the latency constraint than may."""
        if self._options.scenario != "Server":
            return _ignore
        mean = max(target * milliseconds / 1000, least)
        allowed = tolerated(round(mean + _SURELY * sqrt(mean)), self._ruled.share) or 0
        bound_ns = latency_constraint_ms(self._options, self._rules) * NS_PER_MS
        missed = 0

        def watch(event: events.AnyEvent) -> None:
            nonlocal missed
            if isinstance(event, events.Tick):
                missed += sum(count for bucket, count in event.latencies.items() if bounds(bucket)[0] > bound_ns)
                if missed > allowed:
                    raise _HopelessError

        return watch

    def _read(self, target: float, folder: Path, seconds: float) -> TrialResult:
        log = detail.read(folder / DETAIL_LOG)
        cut = cut_short(log)
        rate = log.value("result_samples_per_second")
        percentile = f"result_{self._ruled.percentile:.2f}_percentile_latency_ns"
        if self._options.scenario == "MultiStream":
            percentile = percentile.replace("percentile_latency", "percentile_per_query_latency")
        return TrialResult(
            target,
            valid=log.value("result_validity") == "VALID" and not cut,
            seconds=seconds,
            report=codec.decode((folder / REPORT).read_bytes(), type=RunReport),
            latency_ms=_milliseconds(log, "early_stopping_latency_ss", "early_stopping_latency_ms", percentile),
            mean_ms=_milliseconds(log, "result_mean_query_latency_ns", "result_mean_latency_ns"),
            samples_per_second=float(rate) if rate else None,
        )


def _milliseconds(log: detail.Detail, *keys: str) -> float | None:
    """Return the first of these figures that the log has; 0 means that LoadGen had too few queries."""
    return next((float(value) / NS_PER_MS for key in keys if (value := log.value(key))), None)


def _ignore(_event: events.AnyEvent) -> None:
    """Ignore an event."""
