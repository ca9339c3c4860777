"""Announce a run's target and end conditions before it starts."""

import time

from engine import events
from engine.harness.spec import RunSpec
from engine.mlperf import NS_PER_MS
from engine.profile.run_rules import RunRules


def measuring(spec: RunSpec, ruled: RunRules, mode: str, samples: int) -> events.Measuring:
    """Return the announcement of a run with the numbers that LoadGen is given.

    `mode` may name a compliance test, `samples` is the size of the data set. An accuracy run has no conditions: it
    processes all samples once.
    """
    made, accuracy = spec.settings, spec.settings.mode == "accuracy"
    latency_ms = None if made.target_latency_ns is None else made.target_latency_ns / NS_PER_MS
    return events.Measuring(
        at=time.time(),
        step=spec.step,
        scenario=made.scenario,
        mode=mode,
        target=latency_ms if ruled.target.unit == "ms" else made.target_qps,
        target_unit=ruled.target.unit,
        bound_ns=made.target_latency_ns if made.scenario == "Server" else None,
        percentile=made.target_latency_percentile or ruled.share,
        min_seconds=0.0 if accuracy else made.min_duration_ms / 1000,
        min_queries=0 if accuracy else max(made.min_query_count, made.min_sample_count),
        max_seconds=None if accuracy else made.max_duration_ms / 1000 or None,
        samples_per_query=made.samples_per_query if made.scenario == "MultiStream" else 1,
        samples=samples if accuracy else None,
        sessions=spec.workers.sessions,
        intra_op_threads=spec.workers.intra_op_threads,
        max_batch=spec.workers.max_batch,
    )
