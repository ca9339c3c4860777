"""Target of a run: the rate of Server and Offline, the expected latency of SingleStream and MultiStream.

In order of precedence: the user's option (engine.harness.settings), a search in the same plan, the SUT's run
configuration, what was measured when the workers were chosen.
"""

from __future__ import annotations

from engine.facts import ModelFacts, SutFacts, TargetFacts
from engine.harness.settings import least_queries
from engine.harness.spec import LoadGenSettings
from engine.mlperf import NS_PER_MS
from engine.profile.rounds import Round
from engine.profile.run_rules import RunRules, resolve_rules
from engine.step import Step, SurveyContext
from engine.steps.measuring.run_options import TargetOptions
from engine.tuning.search import tolerated
from engine.tuning.server_model import Server, highest_rate, times_up_to
from engine.tuning.tuned import Tuned

HARNESS_QPS = 2_500.0
"""Queries per second that the harness can be expected to sustain while all cores run a model: two slow cores were valid
at 7,000, and invalid at 5,500 with batches of one. It matters for tiny models only; a search may find more."""

LOW_UTILISATION = 0.2
"""Fraction of capacity at which about 80 % of queries find the server idle. It is the target where no rate is expected
to be valid within a short run, so that the run at least does not last long."""

NO_RATE_HELPS = "a lower target_qps will hardly help: take a quicker model (_int8), more cores, or a quieter machine"


def target(step: Step, rules: Round) -> float:
    """Return the target of a run in the unit of its scenario: queries/s, samples/s or ms.

    Needs `workers`, `model`, and `target` (facts `target`) or `sut` (facts of engine.profile.systems.Configuration).
    """
    if "target" in step.inputs:
        return step.inputs["target"].read(TargetFacts).target
    options, sut = step.read_options(TargetOptions), step.inputs["sut"].read(SutFacts)
    scenario = options.scenario
    configured, found = sut.figures.get(scenario), sut.found.get(scenario)
    if found and found.model != step.inputs["model"].read(ModelFacts).sha256:
        step.warn(f"the target of {sut.system} was found with another model: it will be measured at the start instead")
    elif configured:
        return configured
    if scenario == "Server":
        _warn_of_latency_constraint(step, options, rules)
    return measured_target(options, step.inputs["workers"].read(Tuned), rules)


def predicted_target(context: SurveyContext, rules: Round) -> float | None:
    """Return the target that `target` will find, as far as its inputs exist; None where they do not."""
    options = context.read_options(TargetOptions)
    inputs = context.inputs
    searched, sut, workers = inputs.get("target"), inputs.get("sut"), inputs.get("workers")
    if searched is not None:
        return searched.read(TargetFacts).target
    if options.targets == "searched":
        return None
    model = inputs.get("model")
    known = sut.read(SutFacts) if sut is not None else None
    if known is not None and (configured := known.figures.get(options.scenario)):
        found = known.found.get(options.scenario)
        if not found or (model is not None and found.model == model.read(ModelFacts).sha256):
            return configured
    return measured_target(options, workers.read(Tuned), rules) if workers is not None else None


def _warn_of_latency_constraint(step: Step, options: TargetOptions, rules: Round) -> None:
    """Warn beforehand that hardly any rate will be valid, and why."""
    beyond = above_latency_constraint(options, step.inputs["workers"].read(Tuned), rules)
    if beyond:
        step.warn(beyond, remedy="take a quicker model, _int8, or a machine with more or less busy cores")


def above_latency_constraint(options: TargetOptions, tuned: Tuned, rules: Round) -> str:
    """Return a warning that hardly any Server rate is valid, where even a sample that does not queue takes too long;
    else ""."""
    if options.scenario != "Server":
        return ""
    alone_ms, constraint_ms = 1000 * _server(tuned).batch_s[0], latency_constraint_ms(options, rules)
    slow_ms = tuned.server_slower * alone_ms
    if slow_ms <= constraint_ms:
        return ""
    return (
        f"one sample takes {alone_ms:.3g} ms, and up to {slow_ms:.3g} ms when it comes after a pause; the latency "
        f"constraint is {constraint_ms:g} ms: a valid rate is unlikely"
    )


def late_though_idle(settings: LoadGenSettings, tuned: Tuned, median_ns: int, late_ns: int) -> str:
    """Return a warning that Server's queries missed the latency constraint although its workers were mostly idle; else
    "".

    `median_ns` is the latency of half the queries, `late_ns` that of the deciding percentile. At low utilisation
    queries hardly queue, and a lower rate is no faster: often slower, since processors and caches cool down in the
    pauses.
    """
    share = settings.target_latency_percentile
    if settings.scenario != "Server" or not settings.target_qps or not settings.target_latency_ns or not share:
        return ""
    busy = settings.target_qps / _server(tuned).capacity
    if busy > LOW_UTILISATION or late_ns <= settings.target_latency_ns:
        return ""
    return (
        f"p{100 * share:g} is {late_ns / NS_PER_MS:.3g} ms, over {settings.target_latency_ns / NS_PER_MS:g} ms, though "
        f"the workers were busy for {busy:.0%} of the time only: half of the queries took up to "
        f"{median_ns / NS_PER_MS:.3g} ms, and this machine now and then takes much longer"
    )


def measured_target(options: TargetOptions, tuned: Tuned, rules: Round) -> float:
    """Return the target by the throughput that the workers reached when they were chosen."""
    if options.scenario == "Server":
        return min(_first_rate(options, tuned, rules), HARNESS_QPS)
    trial = tuned.trial(options.scenario)
    return trial.samples_per_second if options.scenario == "Offline" else trial.query_ms


def _first_rate(options: TargetOptions, tuned: Tuned, rules: Round) -> float:
    """Return the queries/s of a first run: a rate that should be valid, where the style's time suffices."""
    how = rules.styles[options.style]
    queries = options.min_query_count or least_queries(_ruled(options, rules), how)
    valid = _valid_rate(options, tuned, rules, queries, tuned.server_slower)
    limit_s = how.max_duration_ms / 1000
    if valid and (not limit_s or queries / valid <= limit_s):
        return valid
    return server_rate(options, tuned, rules, queries, tuned.server_slower)


def server_rate(options: TargetOptions, tuned: Tuned, rules: Round, queries: int, slower: float = 1.0) -> float:
    """Return the queries/s at which the chosen Server workers should be valid within this run's latency constraint.

    `queries` is the number of queries of the run: in a short one LoadGen tolerates fewer late ones than the percentile
    implies, of 459 none, and one burst of the round's schedule decides. `slower` is the factor by which batches take
    longer than measured. Where one sample takes nearly the constraint or longer, no rate is valid; the result is then
    one at which queries hardly queue.
    """
    valid = _valid_rate(options, tuned, rules, queries, slower)
    return max(valid, LOW_UTILISATION * _server(tuned).slowed(slower).capacity)


def _valid_rate(options: TargetOptions, tuned: Tuned, rules: Round, queries: int, slower: float) -> float:
    """Return the highest rate that is valid in the simulated replay; 0 where none is."""
    ruled = _ruled(options, rules)
    late = tolerated(queries, ruled.share) or 0
    constraint_s = latency_constraint_ms(options, rules) / 1000
    return highest_rate(_server(tuned).slowed(slower), constraint_s, 1 - late / queries, queries, ruled.seeds.schedule)


def _ruled(options: TargetOptions, rules: Round) -> RunRules:
    return resolve_rules(rules, options.benchmark, "Server")


def _server(tuned: Tuned) -> Server:
    """Return the chosen workers of Server as a model of their measured times."""
    workers, trial = tuned.workers["Server"], tuned.trial("Server")
    measured = {workers.max_batch: trial.batch_ms / 1000}
    times = tuple(taken / 1e6 for taken in workers.batch_us) or times_up_to(workers.max_batch, measured)
    return Server(workers.sessions, times, workers.queue_wait_us / 1e6)


def latency_constraint_ms(options: TargetOptions, rules: Round) -> float:
    """Return Server's latency constraint: the user's, else the benchmark's, else the scenario's."""
    constraint_ms = options.target_latency_ms or _ruled(options, rules).latency_ms
    assert constraint_ms is not None
    return constraint_ms
