"""Predict a running measurement: end conditions, time left, and provisional verdict.

LoadGen alone decides, by its own clock and all queries, when the run is over. This prediction follows the same
conditions (loadgen results.cc: MinDurationMet, MinQueriesMet, PerfConstraintsMet).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.jobs.fold import Measurement
from engine.text import milliseconds

Kind = Literal["time", "queries", "samples", "latency"]

EARLY_SECONDS = 2.0
"""Seconds before which a rate is not meaningful."""


@dataclass(frozen=True)
class RunCondition:
    """A condition at the end of the run: at least `want` of time or queries, at most `want` of latency."""

    kind: Kind
    have: float | None
    """Current value in seconds, queries, samples or nanoseconds; None where unknown."""
    want: float

    @property
    def met(self) -> bool:
        """Whether it is met now."""
        if self.have is None:
            return False
        return self.have <= self.want if self.kind == "latency" else self.have >= self.want


@dataclass(frozen=True)
class Outlook:
    """Prediction for a measurement."""

    conditions: tuple[RunCondition, ...]
    share: float
    """Progress towards the end, 0 to 1."""
    left: float | None
    """Seconds to the end at the present rate; None where unknown."""
    course: Literal["VALID", "INVALID", "early", "none"]
    """`early`: too little is known yet. `none`: an accuracy run, which has no verdict."""
    reason: str = ""
    """Why it is going to be INVALID and the remedy, in 40 characters."""


def outlook(seen: Measurement) -> Outlook:
    """Return the prediction for a measurement."""
    if seen.rules.samples is not None:
        return _all_samples(seen, seen.rules.samples)
    return _one_query(seen) if seen.rules.scenario == "Offline" else _stream(seen)


def _all_samples(seen: Measurement, samples: int) -> Outlook:
    """Accuracy mode: every sample once."""
    condition = RunCondition("samples", seen.completed, samples)
    share = min(seen.done / samples, 1.0) if samples else 0.0
    return Outlook((condition,), share, _time_for(samples - seen.done, seen), "none")


def _one_query(seen: Measurement) -> Outlook:
    """Offline: one query of as many samples as should last the minimum duration; it ends when all are answered."""
    rules = seen.rules
    samples = max(seen.issued, rules.min_queries)
    left = _time_for(samples - seen.done, seen) if seen.issued else None
    conditions = (
        RunCondition("samples", seen.completed, samples),
        RunCondition("time", seen.elapsed, rules.min_seconds),
    )
    share = min(seen.done / samples, 1.0) if samples else 0.0
    if seen.elapsed < EARLY_SECONDS or left is None:
        return Outlook(conditions, share, left, "early")
    total = seen.elapsed + left
    if total < rules.min_seconds:
        reason = f"ends at {total:.0f} of {rules.min_seconds:.0f} s: raise target_qps"
        return Outlook(conditions, share, left, "INVALID", reason)
    return _not_cut(Outlook(conditions, share, left, "VALID"), seen, total)


def _stream(seen: Measurement) -> Outlook:
    """SingleStream, MultiStream, Server: the run lasts until both the time and the queries are reached."""
    rules = seen.rules
    queries = seen.done / rules.samples_per_query
    missing = max(rules.min_queries - queries, 0.0) * rules.samples_per_query
    for_queries = 0.0 if missing == 0 else _time_for(missing, seen)
    left = None if for_queries is None else max(rules.min_seconds - seen.elapsed, for_queries, 0.0)
    conditions = [
        RunCondition("time", seen.elapsed, rules.min_seconds),
        RunCondition("queries", int(queries), rules.min_queries),
    ]
    share = min(_part(seen.elapsed, rules.min_seconds), _part(queries, rules.min_queries))
    latency = _deciding_latency(seen)
    if rules.bound_ns is not None:
        conditions.append(RunCondition("latency", latency, rules.bound_ns))
    if seen.elapsed < EARLY_SECONDS or left is None or latency is None:
        return Outlook(tuple(conditions), share, left, "early")
    if rules.bound_ns is not None and latency > rules.bound_ns:
        over = f"p{rules.percentile * 100:g} {latency / 1e6:.4g} over {milliseconds(rules.bound_ns)} ms"
        helps = "no rate helps" if _keeps_up(seen) else "lower target_qps"
        return Outlook(tuple(conditions), share, left, "INVALID", f"{over}: {helps}")
    return _not_cut(Outlook(tuple(conditions), share, left, "VALID"), seen, seen.elapsed + left)


def _keeps_up(seen: Measurement) -> bool:
    """Return whether queries hardly queue, and half of them miss the latency constraint nevertheless."""
    median, rules = seen.whole.latency(0.5), seen.rules
    waiting = seen.issued - seen.completed
    return median is not None and rules.bound_ns is not None and median > rules.bound_ns and waiting <= rules.sessions


def _not_cut(found: Outlook, seen: Measurement, total: float) -> Outlook:
    limit = seen.rules.max_seconds
    if limit is None or total <= limit:
        return found
    reason = f"needs {total:.0f} s, this style cuts at {limit:.0f} s"
    return Outlook(found.conditions, found.share, max(limit - seen.elapsed, 0.0), "INVALID", reason)


def _deciding_latency(seen: Measurement) -> int | None:
    """Return the latency of the deciding percentile; None where that is not recorded."""
    try:
        return seen.whole.latency(seen.rules.percentile)
    except ValueError:
        return None


def _time_for(samples: float, seen: Measurement) -> float | None:
    """Return the seconds that so many samples take at the average rate, which is steadier than the current one."""
    if samples <= 0:
        return 0.0
    rate = seen.whole.rate
    return samples / rate if rate else None


def _part(have: float, want: float) -> float:
    return min(have / want, 1.0) if want else 1.0
