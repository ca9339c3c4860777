"""What a run was asked for and what it ran with: LoadGen's effective settings, sessions, threads, batch.

Settings are read and written like metrics but have no better direction: tables list them, comparisons show them where
they differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from engine import text
from engine.explore.metrics import BY_KEY, RESULT, Readings, RunMetric, number
from engine.explore.runs import Run

_RATED = ("Server", "Offline")
"""Scenarios for which LoadGen's target rate is an input; elsewhere it holds a default that nothing uses."""


class _Setting(RunMetric):
    """A value of LoadGen's detail log, `effective_...`, or of run.json."""

    name: ClassVar[str]
    scenarios: ClassVar[tuple[str, ...]] = ()
    """Scenarios in which it has a meaning; empty for all."""

    def read(self, readings: Readings) -> float | None:
        """Read the value where it has a meaning."""
        if self.scenarios and readings.get("effective_scenario") not in self.scenarios:
            return None
        return number(readings, self.name)


class AskedTarget(_Setting):
    """Server: the rate at which queries are issued; Offline: the expected rate, which sets the number of samples."""

    key, header, short, name = "target", "target", "target", "effective_target_qps"
    unit, scenarios = "queries/s", _RATED


class LatencyConstraint(_Setting):
    """Server: the latency that all but a share of the queries must keep."""

    key, header, short, name = "constraint", "latency constraint", "limit", "effective_target_latency_ns"
    unit, display, scenarios = "ns", "ms", ("Server",)


class ConstraintPercentile(_Setting):
    """Server: the share of the queries that must keep the latency constraint."""

    key, header, short, name = "percentile", "within constraint", "within", "effective_target_latency_percentile"
    unit, display, scenarios = "share", "%", ("Server",)


class MinDuration(_Setting):
    """The time for which LoadGen had to issue queries at least."""

    key, header, short, name = "min_duration", "minimum duration", "min", "effective_min_duration_ms"
    unit, display = "ms", "s"


class MinQueries(_Setting):
    """The number of queries that LoadGen had to issue at least."""

    key, header, short, name = "min_queries", "minimum queries", "min", "effective_min_query_count"
    unit = "queries"


class LoadedSamples(_Setting):
    """The number of samples in memory from which queries were drawn."""

    key, header, short, name = "loaded_samples", "samples in memory", "loaded", "effective_performance_sample_count"
    unit = "samples"


class _Workers(RunMetric):
    """A value of `workers` in run.json."""

    def read(self, readings: Readings) -> float | None:
        """Read the harness's record."""
        workers = readings.get("run.workers")
        return number(workers, self.key) if isinstance(workers, Mapping) else None


class Sessions(_Workers):
    """Copies of the model that ran at the same time."""

    key, header, short, unit = "sessions", "sessions", "sessions", "sessions"


class Threads(_Workers):
    """Threads per session."""

    key, header, short, unit = "intra_op_threads", "threads per session", "threads", "threads"


class MaxBatch(_Workers):
    """The largest batch in samples."""

    key, header, short, unit = "max_batch", "maximum batch", "batch", "samples"


class QueueWait(_Workers):
    """The time for which a batch waited for more queries."""

    key, header, short = "queue_wait_us", "queue delay", "wait"
    unit, display = "us", "ms"


SETTINGS: tuple[RunMetric, ...] = (
    AskedTarget(),
    LatencyConstraint(),
    ConstraintPercentile(),
    MinDuration(),
    MinQueries(),
    LoadedSamples(),
    Sessions(),
    Threads(),
    MaxBatch(),
    QueueWait(),
)
"""In display order."""

_P99 = BY_KEY["latency_p99"]

BY_NAME: Mapping[str, RunMetric] = {setting.key: setting for setting in SETTINGS}


def read_settings(readings: Readings) -> dict[str, float]:
    """Return every setting that is recorded, by key, in the setting's unit."""
    found = {setting.key: setting.read(readings) for setting in SETTINGS}
    return {key: value for key, value in found.items() if value is not None}


def setting_text(run: Run, key: str) -> str:
    """Return a setting of a run for display, in the display unit; empty where it is not recorded."""
    found = run.settings.get(key)
    return "" if found is None else text.short_figure(BY_NAME[key].shown(found))


def result_text(run: Run) -> str:
    """Return the metric that the rules rank the scenario by, with its unit: `2439 queries/s`; empty without one."""
    metric = RESULT.get(run.scenario)
    if metric is None or metric.key not in run.figures:
        return ""
    return f"{metric.text(run.figures[metric.key])} {metric.display_unit}"


def workers_text(run: Run) -> str:
    """Return the workers in short, `2x1 b32`: sessions, threads per session, largest batch; empty where unknown."""
    sessions, threads, batch = (setting_text(run, key) for key in ("sessions", "intra_op_threads", "max_batch"))
    return f"{sessions}x{threads} b{batch}" if sessions and threads and batch else ""


def asked_lines(run: Run) -> tuple[str, ...]:
    """Return what was asked, what was reached, and what ran, a line each; without those that are not recorded."""
    state = list(run.machine.texts()) if run.machine is not None else []
    lines = (("asked", _asked(run)), ("result", _reached(run)), ("ran on", _ran(run)), ("machine", state))
    return tuple(f"{name}: {', '.join(parts)}" for name, parts in lines if parts)


def _asked(run: Run) -> list[str]:
    constraint, share = setting_text(run, "constraint"), setting_text(run, "percentile")
    parts = [
        f"{setting_text(run, 'target')} queries/s" if run.scenario == "Server" else "",
        f"p{share} within {constraint} ms" if constraint and share else "",
        f"{setting_text(run, 'target')} samples/s expected" if run.scenario == "Offline" else "",
        f"at least {setting_text(run, 'min_duration')} s",
        f"at least {text.count(run.settings.get('min_queries', 0))} queries",
    ]
    return [part for part in parts if part and not part.startswith((" ", "at least  ", "at least 0 "))]


def _reached(run: Run) -> list[str]:
    metric = RESULT.get(run.scenario)
    result = result_text(run)
    parts = [f"{metric.header} {result}" if metric is not None and result else ""]
    if run.scenario == "Server" and "over_bound" in run.figures:
        allowed = 100 * (1 - run.settings.get("percentile", 1.0))
        over = f"{text.short_figure(run.figures['over_bound'])} % over the constraint"
        parts += [f"{over} ({text.short_figure(round(allowed, 6))} % allowed)"]
        parts += [f"p99 {_P99.text(run.figures[_P99.key])} ms" if _P99.key in run.figures else ""]
    return [part for part in parts if part]


def _ran(run: Run) -> list[str]:
    if not workers_text(run):
        return []
    sessions, threads = run.settings["sessions"], run.settings["intra_op_threads"]
    parts = [
        f"{sessions:.0f} session{'s' * (sessions != 1)} x {threads:.0f} thread{'s' * (threads != 1)}",
        f"batches of at most {setting_text(run, 'max_batch')}",
        f"queue delay {setting_text(run, 'queue_wait_us')} ms" if run.settings.get("queue_wait_us") else "",
    ]
    return [part for part in parts if part]
