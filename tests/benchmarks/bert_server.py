"""The highest rate in Server at which the harness keeps the latency constraint, by few and short trials."""

from __future__ import annotations

from engine.tuning.schedule import arrivals
from tests.benchmarks import runs
from tests.benchmarks.bert_runs import Course
from tests.benchmarks.contestants import Variant

STEP = 1.1
"""Between the rates that are tried."""
MOST = 6
"""Trials."""


def highest(course: Course, variant: Variant, queries: int, bound_ms: float) -> float:
    """Return the highest rate that was tried and kept the constraint, 0 for none: the next step did not.

    The first is what a replay of LoadGen's schedule promises where each sample takes the mean time of SingleStream.
    """
    rate, kept, missed = replayed(queries, course.single_ms(variant) / 1000, bound_ms / 1000), 0.0, 0.0
    for _ in range(MOST):
        late_ms = course.late_ms(variant, rate, queries, bound_ms)
        print(f"  server {variant.name:30}{rate:8.3f}/s, 99th percentile {late_ms:8.1f} ms", flush=True)
        kept, missed = (rate, missed) if late_ms <= bound_ms else (kept, rate)
        if kept and missed:
            break
        rate = rate * STEP if kept else rate / STEP
    return kept


def replayed(queries: int, service_s: float, bound_s: float) -> float:
    """Return a rate at which one server that takes `service_s` for each answers all but the last 1 % in `bound_s`.

    Where not even a single sample keeps the constraint, the rate is that of its service.
    """
    schedule = arrivals(runs.SEEDS["schedule_rng_seed"], queries)
    rate = 1 / service_s
    while service_s <= bound_s < _percentile(schedule, rate, service_s):
        rate /= STEP
    return rate


def _percentile(schedule: tuple[float, ...], rate: float, service_s: float) -> float:
    free, latencies = 0.0, []
    for at in schedule:
        free = max(free, at / rate) + service_s
        latencies.append(free - at / rate)
    return sorted(latencies)[int(0.99 * len(latencies))]
