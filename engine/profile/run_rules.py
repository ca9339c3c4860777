"""The rules of a round for one benchmark, scenario and mode, resolved once into one value.

A round's file states each rule at its level: for all, by scenario, by benchmark, by a benchmark in a scenario, by a
compliance test. Code that needs a number reads it here.
"""

from __future__ import annotations

import msgspec

from engine.mlperf import FACTS, MODES, Scenario
from engine.profile.benchmark_rules import AccuracyRule, Benchmark, InScenario, TokenLatency
from engine.profile.rounds import Round
from engine.profile.scenario_rules import ComplianceTest, ResultField, Seeds, Target


class RunRules(msgspec.Struct, frozen=True, kw_only=True):
    """Settings and requirements of a valid run. Durations and latencies in ms, percentiles in per cent."""

    round: str
    scenario: Scenario
    mode: str
    """`performance`, `accuracy` or the name of a compliance test."""
    loadgen_model: str
    """The benchmark's name in mlperf.conf."""
    seeds: Seeds
    """Those of the compliance test, if it has its own."""
    target: Target
    """With the benchmark's default, if it has its own."""
    result_key: str
    """The result's key in the detail log: a latency in ns, or a rate per second."""
    unit: str
    """The result's unit as the checker prints it."""
    result_name: str
    """The result's name on screen."""
    percentile: float
    """The latency percentile that counts."""
    latency_ms: float | None
    """Server: the latency constraint; None in other scenarios."""
    checked_latency_ms: float | None
    """The same, None also if the benchmark has none of its own: the checker then accepts any."""
    token_latency: TokenLatency | None
    """Constraints of a text generator; None where there are none."""
    min_duration_ms: int
    min_query_count: int
    min_sample_count: int
    """Offline: samples in the one query; 0 in other scenarios."""
    samples_per_query: int
    early_stopping: bool
    fewest_queries: int
    """With fewer queries the early stopping test can't pass; 0 without that test."""
    dataset: str
    sample_count: int
    """Size of the data set."""
    accuracy_sample_count: int
    """Samples that an accuracy run covers."""
    performance_sample_count: int
    """The least number of samples that a performance run draws from."""
    performance_set_is_whole: bool
    sample_concatenate_permutation: bool
    counts_tokens: bool
    """LoadGen counts the tokens of responses."""
    accuracy: tuple[AccuracyRule, ...]
    """By metric, the principal one first; `baseline_percent` falls back to the benchmark's."""
    test: ComplianceTest | None
    """None in an ordinary run."""
    test_settings: dict[str, int]
    """LoadGen settings of the test by their names in audit.config, with the benchmark's own numbers."""
    refused: str
    """Why the official checker refuses every run in this scenario; empty where it does not."""

    @property
    def share(self) -> float:
        """The percentile as a fraction."""
        return self.percentile / 100


def resolve_rules(rules: Round, benchmark: Benchmark | str, scenario: Scenario, mode: str = "performance") -> RunRules:
    """Return the rules of one run. `mode` may be the name of a compliance test.

    Raises UsageError for an unknown benchmark or test.
    """
    bench = rules.benchmark(benchmark) if isinstance(benchmark, str) else benchmark
    rule, own = rules.scenarios[scenario], bench.in_scenario.get(scenario, InScenario())
    test = None if mode in MODES else rules.test(mode)
    is_server = rules.run_scenario(scenario) == "Server"
    own_latency_ms = own.latency_ms or bench.server_latency_ms
    field = own.result or ResultField()
    return RunRules(
        round=rules.name,
        scenario=scenario,
        mode=mode,
        loadgen_model=bench.loadgen_model,
        seeds=(test.seeds if test is not None else None) or rules.seeds,
        target=msgspec.structs.replace(rule.target, default=bench.targets.get(scenario, rule.target.default)),
        result_key=field.key or rule.result.key or "",
        unit=field.unit or rule.result.unit or "",
        result_name=field.name or rule.result.name or FACTS[rules.run_scenario(scenario)].result_name,
        percentile=own.percentile or rule.percentile,
        latency_ms=(own_latency_ms or rule.latency_ms) if is_server else None,
        checked_latency_ms=own_latency_ms if is_server else None,
        token_latency=own.token_latency or (None if scenario == "Offline" else bench.token_latency),
        min_duration_ms=_first(own.min_duration_ms, rule.min_duration_ms),
        min_query_count=_first(own.min_query_count, rule.min_query_count),
        min_sample_count=_first(own.min_sample_count, rule.min_sample_count),
        samples_per_query=rule.samples_per_query,
        early_stopping=rule.early_stopping,
        fewest_queries=rule.fewest_queries,
        dataset=bench.dataset,
        sample_count=bench.sample_count,
        accuracy_sample_count=own.accuracy_sample_count or bench.accuracy_sample_count or bench.sample_count,
        performance_sample_count=bench.performance_sample_count,
        performance_set_is_whole=bench.performance_set_is_whole,
        sample_concatenate_permutation=bench.sample_concatenate_permutation,
        counts_tokens=bench.counts_tokens,
        accuracy=tuple(
            msgspec.structs.replace(one, baseline_percent=one.baseline_percent or bench.baseline_percent)
            for one in own.accuracy or bench.accuracy
        ),
        test=test,
        test_settings={} if test is None else test.settings_of(bench.compliance_samples),
        refused=own.refused,
    )


def _first(own: int | None, usual: int) -> int:
    return usual if own is None else own
