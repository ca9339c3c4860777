"""What a run is asked for: the rate of Server and Offline, the latency that sizes SingleStream and MultiStream.

A search in the same plan knows best, then the SUT's run configuration, then what was measured when the workers were
chosen. What a person gives as an option beats them all (engine.harness.settings).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.facts import ModelFacts, SutFacts, TargetFacts
from engine.harness.settings import NS_PER_MS, least_queries
from engine.harness.spec import LoadGenSettings
from engine.mlperf import Scenario
from engine.profile.rounds import Round
from engine.profile.run_rules import RunRules, resolve
from engine.step import Step, SurveyContext
from engine.tuning.search import tolerated
from engine.tuning.server_model import Server, highest_rate, times_up_to
from engine.tuning.tuned import Tuned

HARNESS_QPS = 2_500.0
"""What the harness is trusted to keep pace with while all cores are at work with a model: two slow cores were valid at
7,000, and invalid at 5,500 with batches of one. It counts for tiny models only; a search may find more."""

LOW_UTILISATION = 0.2
"""Of the capacity: about four in five queries find the server idle. It is asked for where no rate is expected to be
valid within the time of a try-out, so that the run at least does not last long."""

NO_RATE_HELPS = "a lower target_qps will hardly help: take a quicker model (_int8), more cores, or a quieter machine"


def target(step: Step, rules: Round) -> float:
    """Return the target of a run in the unit of its scenario: queries/s, samples/s or ms.

    Needs `workers`, `model`, and `target` (facts `target`) or `sut` (facts of engine.profile.systems.Configuration).
    """
    if "target" in step.inputs:
        return step.inputs["target"].read(TargetFacts).target
    scenario, sut = step.options["scenario"], step.inputs["sut"].read(SutFacts)
    configured, found = sut.figures.get(scenario), sut.found.get(scenario)
    if found and found.model != step.inputs["model"].read(ModelFacts).sha256:
        step.warn(f"the target of {sut.system} was found with another model: it is measured at start instead")
    elif configured:
        return configured
    if scenario == "Server":
        _warn_of_latency_constraint(step, rules)
    return measured_target(step.options, step.inputs["workers"].read(Tuned), rules)


def predicted_target(context: SurveyContext, rules: Round) -> float | None:
    """Return the target that `target` is going to find, as far as its inputs are there; None where they are not."""
    scenario = context.options["scenario"]
    inputs = context.inputs
    searched, sut, workers = inputs.get("target"), inputs.get("sut"), inputs.get("workers")
    if searched is not None:
        return searched.read(TargetFacts).target
    if context.options["targets"] == "searched":
        return None
    model = inputs.get("model")
    known = sut.read(SutFacts) if sut is not None else None
    if known is not None and (configured := known.figures.get(scenario)):
        found = known.found.get(scenario)
        if not found or (model is not None and found.model == model.read(ModelFacts).sha256):
            return configured
    return measured_target(context.options, workers.read(Tuned), rules) if workers is not None else None


def _warn_of_latency_constraint(step: Step, rules: Round) -> None:
    """Say beforehand why hardly any rate will be valid."""
    beyond = above_latency_constraint(step.options, step.inputs["workers"].read(Tuned), rules)
    if beyond:
        step.warn(beyond, remedy="take a quicker model, _int8, or a machine with more or less busy cores")


def above_latency_constraint(options: Mapping[str, Any], tuned: Tuned, rules: Round) -> str:
    """Say that hardly any rate of Server is valid, where a sample that waits for no other takes too long; else ""."""
    if options["scenario"] != "Server":
        return ""
    alone_ms, constraint_ms = 1000 * _server(tuned).batch_s[0], latency_constraint_ms(options, rules)
    slow_ms = tuned.server_slower * alone_ms
    if slow_ms <= constraint_ms:
        return ""
    return (
        f"one sample takes {alone_ms:.3g} ms, and up to {slow_ms:.3g} ms when it comes after a pause; the latency "
        f"constraint is {constraint_ms:g} ms: a valid rate is unlikely"
    )


def late_though_idle(made: LoadGenSettings, tuned: Tuned, median_ns: int, late_ns: int) -> str:
    """Say that Server's queries were late although its workers had little to do; else "".

    `median_ns` is the latency of half the queries, `late_ns` that of the percentile that decides. At a low utilisation
    queries hardly wait for each other, and fewer a second are no quicker: often slower, since processors and caches
    cool down in the pauses.
    """
    share = made.target_latency_percentile
    if made.scenario != "Server" or not made.target_qps or not made.target_latency_ns or not share:
        return ""
    busy = made.target_qps / _server(tuned).capacity
    if busy > LOW_UTILISATION or late_ns <= made.target_latency_ns:
        return ""
    return (
        f"p{100 * share:g} is {late_ns / NS_PER_MS:.3g} ms, over {made.target_latency_ns / NS_PER_MS:g} ms, though the "
        f"workers were busy for {busy:.0%} of the time only: half of the queries took up to "
        f"{median_ns / NS_PER_MS:.3g} ms, and this machine now and then takes much longer"
    )


def measured_target(options: Mapping[str, Any], tuned: Tuned, rules: Round) -> float:
    """Return the target by what the workers reached when they were chosen."""
    scenario: Scenario = options["scenario"]
    if scenario == "Server":
        return min(_first_rate(options, tuned, rules), HARNESS_QPS)
    trial = tuned.trial(scenario)
    return trial.samples_per_second if scenario == "Offline" else trial.batch_ms


def _first_rate(options: Mapping[str, Any], tuned: Tuned, rules: Round) -> float:
    """Return the queries/s that a first run is asked for: what should be valid, where the style's time is enough."""
    how = rules.styles[options["style"]]
    queries = options["min_query_count"] or least_queries(_ruled(options, rules), how)
    valid = _valid_rate(options, tuned, rules, queries, tuned.server_slower)
    limit_s = how.max_duration_ms / 1000
    if valid and (not limit_s or queries / valid <= limit_s):
        return valid
    return server_rate(options, tuned, rules, queries, tuned.server_slower)


def server_rate(options: Mapping[str, Any], tuned: Tuned, rules: Round, queries: int, slower: float = 1.0) -> float:
    """Return the queries/s at which the chosen workers of Server should be valid within the bound of this run.

    `queries` is how many the run has: in a short one LoadGen tolerates fewer late ones than the percentile says, of 459
    none, and one burst of the round's schedule decides. `slower` is how much longer than measured batches take. Where
    one sample takes nearly the bound or longer no rate is valid; what comes back is one at which queries hardly queue.
    """
    valid = _valid_rate(options, tuned, rules, queries, slower)
    return max(valid, LOW_UTILISATION * _server(tuned).slowed(slower).capacity)


def _valid_rate(options: Mapping[str, Any], tuned: Tuned, rules: Round, queries: int, slower: float) -> float:
    """Return the highest rate that is valid by the replay; 0 where none is."""
    ruled = _ruled(options, rules)
    late = tolerated(queries, ruled.share) or 0
    constraint_s = latency_constraint_ms(options, rules) / 1000
    return highest_rate(_server(tuned).slowed(slower), constraint_s, 1 - late / queries, queries, ruled.seeds.schedule)


def _ruled(options: Mapping[str, Any], rules: Round) -> RunRules:
    return resolve(rules, options["benchmark"], "Server")


def _server(tuned: Tuned) -> Server:
    """Return the chosen workers of Server, by the times that were measured of them."""
    workers, trial = tuned.workers["Server"], tuned.trial("Server")
    measured = {workers.max_batch: trial.batch_ms / 1000}
    times = tuple(taken / 1e6 for taken in workers.batch_us) or times_up_to(workers.max_batch, measured)
    return Server(workers.sessions, times, workers.queue_wait_us / 1e6)


def latency_constraint_ms(options: Mapping[str, Any], rules: Round) -> float:
    """Return Server's latency bound: the person's, else the benchmark's, else the scenario's."""
    given: float | None = options["target_latency_ms"]
    constraint_ms = given or _ruled(options, rules).latency_ms
    assert constraint_ms is not None
    return constraint_ms
