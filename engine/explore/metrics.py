"""Metrics of a run, each a class with its name, units, direction and formula.

Tables, charts, comparisons and exports are generated from these, so a new metric needs only a new class.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, ClassVar, Literal

from engine import text

Readings = Mapping[str, Any]
"""Values that a run recorded, by name: the detail log's keys, `run.*` of run.json, `score.*` of the accuracy step."""

DICE = "DICE"
"""Metric of a scoring step whose figure is no percentage."""

Better = Literal["higher", "lower", ""]

_SCALES = {
    ("ns", "ms"): 1e-6,
    ("us", "ms"): 1e-3,
    ("ms", "s"): 1e-3,
    ("s", "ms"): 1e3,
    ("B", "MB"): 1e-6,
    ("share", "%"): 100.0,
}
"""(unit, display unit) → factor; absent for units that are displayed as stored."""


class RunMetric:
    """A metric; its formula and source are in the docstring of the subclass."""

    key: ClassVar[str]
    header: ClassVar[str]
    short: ClassVar[str]
    """Header of a narrow column."""
    unit: ClassVar[str]
    """Unit of the stored figure."""
    display: ClassVar[str] = ""
    """Display unit; empty where it is `unit`."""
    better: ClassVar[Better] = ""
    """Better direction; empty where there is none."""
    across: ClassVar[bool] = False
    """Whether it is comparable across scenarios."""

    def read(self, readings: Readings) -> float | None:
        """Return the figure in `unit`; None where the run has none."""
        raise NotImplementedError

    @property
    def display_unit(self) -> str:
        """The display unit."""
        return self.display or self.unit

    @property
    def title(self) -> str:
        """Header with the unit: p99 latency ms."""
        return f"{self.header} {self.display_unit}".strip()

    def shown(self, figure: float) -> float:
        """Return the figure in the display unit."""
        return figure * _SCALES.get((self.unit, self.display_unit), 1.0)

    def text(self, figure: float | None) -> str:
        """Return the figure in the display unit as text, with four significant digits; a dash where there is none."""
        return text.figure(None if figure is None else self.shown(figure))


class SamplesPerSecond(RunMetric):
    """Samples answered per second of the run.

    Offline `result_samples_per_second`; Server `result_completed_samples_per_sec`; SingleStream
    `result_qps_with_loadgen_overhead`; MultiStream samples per query over the mean latency of a query, for its queries
    follow each other (inferred results, submission rules v2.1). Source: LoadGen's detail log.
    """

    key, header, short = "samples_per_second", "throughput", "samples/s"
    unit, better = "samples/s", "higher"
    across = True

    def read(self, readings: Readings) -> float | None:
        """Read the key of the scenario."""
        for key in (
            "result_samples_per_second",
            "result_completed_samples_per_sec",
            "result_qps_with_loadgen_overhead",
        ):
            if (found := number(readings, key)) is not None:
                return found
        latency, samples = number(readings, "result_mean_query_latency_ns"), number(readings, _PER_QUERY)
        return 1e9 * samples / latency if latency and samples else None


_PER_QUERY = "effective_samples_per_query"


class ScheduledRate(RunMetric):
    """Scheduled queries per second: Server's result.

    `result_scheduled_samples_per_sec` of LoadGen's detail log (v2.1 rules, metric of Server).
    """

    key, header, short = "scheduled_rate", "scheduled", "queries/s"
    unit, better = "queries/s", "higher"

    def read(self, readings: Readings) -> float | None:
        """Read LoadGen's figure."""
        return number(readings, "result_scheduled_samples_per_sec")


class _Estimate(RunMetric):
    """Early-stopping estimate of a latency percentile, from LoadGen's detail log; 0 means that there were too few
    queries."""

    unit, display, better = "ns", "ms", "lower"
    name: ClassVar[str]

    def read(self, readings: Readings) -> float | None:
        """Read LoadGen's figure; 0 is None."""
        return number(readings, self.name) or None


class Estimate90(_Estimate):
    """The result of SingleStream: `early_stopping_latency_ss` (v2.1 rules, 90th percentile latency)."""

    key, header, short, name = "estimate_90", "p90 estimate", "est p90", "early_stopping_latency_ss"


class Estimate99(_Estimate):
    """The result of MultiStream: `early_stopping_latency_ms`, where `ms` is MultiStream and the value is in ns."""

    key, header, short, name = "estimate_99", "p99 estimate", "est p99", "early_stopping_latency_ms"


class _Latency(RunMetric):
    """A latency reported by LoadGen: per query in MultiStream, per sample elsewhere.

    None in Offline: all samples are issued at once, so latency there only reflects a position in the queue.
    """

    unit, display, better = "ns", "ms", "lower"
    names: ClassVar[tuple[str, ...]]

    def read(self, readings: Readings) -> float | None:
        """Read the latency of whole queries where there is one."""
        if readings.get("effective_scenario") == "Offline":
            return None
        return next((found for name in self.names if (found := number(readings, name)) is not None), None)


class MeanLatency(_Latency):
    """Mean latency: `result_mean_query_latency_ns` in MultiStream, `result_mean_latency_ns` elsewhere."""

    key, header, short = "latency_mean", "mean latency", "mean"
    names = ("result_mean_query_latency_ns", "result_mean_latency_ns")


class _Percentile(_Latency):
    """A percentile of the latency: `result_P_percentile_latency_ns`, in MultiStream `..._per_query_latency_ns`."""

    fraction: ClassVar[float]

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The detail log's keys for this percentile."""
        start = f"result_{100 * self.fraction:.2f}_percentile_"
        return (f"{start}per_query_latency_ns", f"{start}latency_ns")


class P50(_Percentile):
    """Median latency, as LoadGen reports it."""

    key, header, short, fraction = "latency_p50", "median latency", "p50", 0.5


class P90(_Percentile):
    """90th percentile latency, as LoadGen reports it."""

    key, header, short, fraction = "latency_p90", "p90 latency", "p90", 0.9


class P95(_Percentile):
    """95th percentile latency, as LoadGen reports it."""

    key, header, short, fraction = "latency_p95", "p95 latency", "p95", 0.95


class P99(_Percentile):
    """99th percentile latency, as LoadGen reports it."""

    key, header, short, fraction = "latency_p99", "p99 latency", "p99", 0.99


class P999(_Percentile):
    """99.9th percentile latency, as LoadGen reports it."""

    key, header, short, fraction = "latency_p999", "p99.9 latency", "p99.9", 0.999


class OverBound(RunMetric):
    """Fraction of Server's queries that took longer than the latency constraint.

    `result_overlatency_query_count` / `result_query_count` of LoadGen's detail log; the rules allow 1 - percentile.
    """

    key, header, short = "over_bound", "over constraint", "over"
    unit, better = "%", "lower"

    def read(self, readings: Readings) -> float | None:
        """Divide LoadGen's counts."""
        over, queries = number(readings, "result_overlatency_query_count"), number(readings, "result_query_count")
        return None if over is None or not queries else 100 * over / queries


class Accuracy(RunMetric):
    """Accuracy of the accuracy run in per cent, by the benchmark's own metric: the figure in accuracy.txt."""

    key, header, short = "accuracy", "accuracy", "acc"
    unit, better = "%", "higher"
    across = True

    def read(self, readings: Readings) -> float | None:
        """Read the scoring step's figure."""
        return None if readings.get("score.metric") == DICE else number(readings, "score.value")


class DiceScore(RunMetric):
    """Mean Dice score of a segmentation, from 0 to 1: the figure in accuracy.txt (accuracy_kits.py of v2.1)."""

    key, header, short = "dice", "Dice score", "Dice"
    unit, better = "", "higher"
    across = True

    def read(self, readings: Readings) -> float | None:
        """Read the scoring step's figure."""
        return number(readings, "score.value") if readings.get("score.metric") == DICE else None


class WordErrorRate(RunMetric):
    """Words that were recognised wrongly, left out or put in, in per cent of the words that were said.

    More than 100 % where more was put in than was said; the accuracy is 100 % less this (accuracy_eval.py of v2.1).
    """

    key, header, short = "wer", "word error rate", "WER"
    unit, better = "%", "lower"
    across = True

    def read(self, readings: Readings) -> float | None:
        """Read the scoring step's figure."""
        return number(readings, "score.wer")


class MeanBatch(RunMetric):
    """Samples per batch of the backend: `samples` / `batches` of run.json."""

    key, header, short, unit = "batch_mean", "mean batch", "batch", "samples"
    across = True

    def read(self, readings: Readings) -> float | None:
        """Divide the harness's counts."""
        samples, batches = number(readings, "run.samples"), number(readings, "run.batches")
        return None if samples is None or not batches else samples / batches


class LoadSeconds(RunMetric):
    """Seconds from process start to LoadGen's start: imports, model, warm-up. `load_seconds` of run.json."""

    key, header, short = "load_seconds", "start-up", "start"
    unit, better = "s", "lower"
    across = True

    def read(self, readings: Readings) -> float | None:
        """Read the harness's figure."""
        return number(readings, "run.load_seconds")


class RunSeconds(RunMetric):
    """Seconds that LoadGen tested. `seconds` of run.json."""

    key, header, short, unit = "run_seconds", "duration", "took", "s"

    def read(self, readings: Readings) -> float | None:
        """Read the harness's figure."""
        return number(readings, "run.seconds")


class PeakMemory(RunMetric):
    """Largest resident memory of the run's process: model, samples and LoadGen's queries. `peak_memory` of run.json."""

    key, header, short = "peak_memory", "peak memory", "memory"
    unit, display, better = "B", "MB", "lower"
    across = True

    def read(self, readings: Readings) -> float | None:
        """Read the harness's figure."""
        return number(readings, "run.peak_memory")


class _PerSample(RunMetric):
    """Something that a run used, by its samples."""

    name: ClassVar[str]
    better, across = "lower", True

    def read(self, readings: Readings) -> float | None:
        """Divide the harness's figures."""
        used, samples = number(readings, self.name), number(readings, "run.samples")
        return None if used is None or not samples else used / samples


class CpuPerSample(_PerSample):
    """Processor time per sample, of all threads, the harness's own included. `cpu_seconds` / `samples` of run.json."""

    key, header, short, name = "cpu_s_per_sample", "CPU time per sample", "CPU", "run.cpu_seconds"
    unit, display = "s", "ms"


class EnergyPerSample(_PerSample):
    """Energy of the processor packages per sample (RAPL), idle power included. `joules` / `samples` of run.json."""

    key, header, short, name = "energy_per_sample", "energy per sample", "energy", "run.joules"
    unit = "J"


class ModelBytes(RunMetric):
    """Size of the model's files. `model_bytes` of run.json."""

    key, header, short = "model_bytes", "model size", "model MB"
    unit, display, better = "B", "MB", "lower"
    across = True

    def read(self, readings: Readings) -> float | None:
        """Read the harness's figure."""
        return number(readings, "run.model_bytes")


METRICS: tuple[RunMetric, ...] = (
    SamplesPerSecond(),
    ScheduledRate(),
    Estimate90(),
    Estimate99(),
    Accuracy(),
    DiceScore(),
    WordErrorRate(),
    P50(),
    P90(),
    P99(),
    P999(),
    OverBound(),
    MeanLatency(),
    P95(),
    MeanBatch(),
    PeakMemory(),
    CpuPerSample(),
    EnergyPerSample(),
    ModelBytes(),
    RunSeconds(),
    LoadSeconds(),
)
"""In display order."""

BY_KEY: Mapping[str, RunMetric] = {metric.key: metric for metric in METRICS}

SCORES = ("accuracy", "dice", "wer")
"""Metrics that an accuracy run gives."""

RESULT: Mapping[str, RunMetric] = {
    "Offline": BY_KEY["samples_per_second"],
    "Server": BY_KEY["scheduled_rate"],
    "SingleStream": BY_KEY["estimate_90"],
    "MultiStream": BY_KEY["estimate_99"],
}
"""Scenario → the metric that the rules of v2.1 rank by."""


def figures(readings: Readings) -> dict[str, float]:
    """Return every available figure by the metric's key, in the metric's unit."""
    found = {metric.key: metric.read(readings) for metric in METRICS}
    return {key: figure for key, figure in found.items() if figure is not None}


def number(readings: Readings, key: str) -> float | None:
    """Return a reading as a number; None where a damaged log holds anything else."""
    found = readings.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        number_ = float(found)
    except OverflowError:  # a whole number of hundreds of digits
        return None
    return number_ if isfinite(number_) else None
