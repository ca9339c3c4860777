"""What a run is asked for: the rate of Server and Offline, the latency that sizes SingleStream and MultiStream.

A search in the same plan knows best, then the SUT's run configuration, then what was measured when the workers were
chosen. What a person gives as an option beats them all (engine.harness.settings).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.profile.rounds import Round
from engine.steps.base import Step

SERVER_SHARE = 0.5
"""Share of the measured rate that Server is asked for where nobody configured a target: by queueing theory a server at
half its capacity keeps its tail within ten service times."""

TAIL = 10
"""The service times that fit the bound at that share. With fewer of them, proportionally less is asked for."""

HARNESS_SECONDS = 40e-6
"""What a query of its own costs outside the model (tests/benchmarks/harness.py); it counts for tiny models only."""


def target(step: Step, rules: Round) -> float:
    """Return the target of a run in the unit of its scenario: queries/s, samples/s or ms.

    Needs `workers`, `model`, and `target` (facts `target`) or `sut` (facts of engine.profile.systems.Configuration).
    """
    if "target" in step.inputs:
        return float(step.inputs["target"].facts["target"])
    scenario, sut = step.options["scenario"], step.inputs["sut"].facts
    configured, found = sut["figures"].get(scenario), sut["found"].get(scenario)
    if found and found["model"] != step.inputs["model"].facts["sha256"]:
        step.warn(f"the target of {sut['system']} was found with another model: it is measured at start instead")
    elif configured:
        return float(configured)
    return measured_target(step.options, step.inputs["workers"].facts, rules)


def measured_target(options: Mapping[str, Any], tuned: Mapping[str, Any], rules: Round) -> float:
    """Return the target by what the workers reached when they were chosen (facts of engine.harness.tune.choose)."""
    scenario = options["scenario"]
    if scenario == "Server":
        return server_target(reached("Server", tuned)[0], reached("SingleStream", tuned)[1], bound_ms(options, rules))
    rate, latency_ms = reached(scenario, tuned)
    return rate if scenario == "Offline" else latency_ms


def server_target(rate: float, latency_ms: float, bound_ms: float, share: float = SERVER_SHARE) -> float:
    """Return the queries/s to ask of a server that reached `rate` samples/s and needs `latency_ms` for one sample."""
    possible = 1 / (1 / rate + HARNESS_SECONDS)
    return share * possible * min(1.0, bound_ms / (TAIL * latency_ms))


def bound_ms(options: Mapping[str, Any], rules: Round) -> float:
    """Return Server's latency bound: the person's, else the benchmark's, else the scenario's."""
    given: float | None = options["target_latency_ms"]
    bound = given or rules.benchmark(options["benchmark"]).server_latency_ms or rules.scenarios["Server"].latency_ms
    assert bound is not None
    return bound


def reached(scenario: str, tuned: Mapping[str, Any]) -> tuple[float, float]:
    """Return what the chosen workers reached when they were chosen: samples/s, and milliseconds for a batch."""
    workers = tuned["workers"][scenario]
    for trial in tuned["table"]:
        same = all(trial[name] == workers[name] for name in ("sessions", "intra_op_threads"))
        if same and trial["batch"] == workers["max_batch"] and trial["pinned"] == bool(workers["cores"]):
            return float(trial["samples_per_second"]), float(trial["batch_ms"])
    raise AssertionError(f"the workers of {scenario} were chosen without a trial")
