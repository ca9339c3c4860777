"""The result of a performance log, by its folder's scenario and the scenario it was run in.

The rules let an edge system infer a scenario from another one's log: the folder then holds a copy of that log, and the
result is computed from it (submission rules v2.1, inferred results; the formulas are those of its checker).
"""

import math
from collections.abc import Callable

import msgspec

from engine.errors import DataError
from engine.mlperf import FACTS, NS_PER_MS
from engine.mlperf_logs.detail import Detail


class Metric(msgspec.Struct, frozen=True):
    """A result."""

    value: float
    unit: str
    """`Samples/s` and `Queries/s`: higher is better. `Latency (ms)`: lower is better."""
    inferred: bool
    """Whether the log was run in another scenario than the folder's."""


def _number(detail: Detail, key: str) -> float:
    value = detail.value(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        found = "has no" if value is None else f"gives {value!r} for"
        raise DataError(
            f"the detail log {found} {key}", "run the performance mode again: the log is of a run that failed"
        )
    return float(value)


def _percentile_of_single(detail: Detail) -> float:
    """Return the latency in ms of one sample at MultiStream's percentile."""
    latency = _number(detail, "early_stopping_latency_ms")
    if latency == 0:
        raise DataError(
            "the SingleStream log has too few queries for a 99th percentile, so MultiStream can't be inferred from it",
            "run SingleStream with more queries, so that LoadGen estimates its 99th percentile",
        )
    return latency / NS_PER_MS


def _offline_from_multi(detail: Detail) -> float:
    query_ms = _number(detail, "result_mean_query_latency_ns") / NS_PER_MS
    samples = _number(detail, "effective_samples_per_query") * 1000
    return samples / query_ms if query_ms else math.inf


_FORMULAS: dict[tuple[str, str], Callable[[Detail], float]] = {
    ("Offline", "Offline"): lambda log: _number(log, "result_samples_per_second"),
    ("Server", "Server"): lambda log: _number(log, "result_scheduled_samples_per_sec"),
    ("SingleStream", "SingleStream"): lambda log: _number(log, "early_stopping_latency_ss") / NS_PER_MS,
    # `ms` in the key means MultiStream; the value is in nanoseconds
    ("MultiStream", "MultiStream"): lambda log: _number(log, "early_stopping_latency_ms") / NS_PER_MS,
    ("Offline", "SingleStream"): lambda log: _number(log, "result_qps_without_loadgen_overhead"),
    ("Offline", "MultiStream"): _offline_from_multi,
    ("MultiStream", "SingleStream"): _percentile_of_single,
}
"""(scenario of the folder, scenario of the log) → its formula, for one sample per query of MultiStream."""

UNITS = {name: facts.unit for name, facts in FACTS.items()}


def metric(detail: Detail, scenario: str, samples_per_query: int, key: str = "") -> Metric:
    """Return the result of a performance log in the folder of `scenario`.

    `samples_per_query` is that of MultiStream in the round: a query inferred from SingleStream takes so many times its
    latency. `key` is the result's in the round, if it is not v2.1's. Raises DataError if the log lacks a needed value,
    or is of a scenario from which this one can't be inferred.
    """
    ran = detail.value("effective_scenario")
    if key and ran == scenario:
        value = _number(detail, key)
        return Metric(value / NS_PER_MS if FACTS[scenario].streams else value, UNITS[scenario], inferred=False)
    formula = _FORMULAS.get((scenario, ran)) if isinstance(ran, str) else None
    if formula is None:
        raise DataError(
            f"a log of scenario {ran} can't be used for {scenario}", f"put a log of a {scenario} run into this folder"
        )
    times = samples_per_query if (scenario, ran) == ("MultiStream", "SingleStream") else 1
    return Metric(times * formula(detail), UNITS[scenario], inferred=ran != scenario)
