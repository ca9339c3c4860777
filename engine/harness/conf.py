"""Configuration files of a run: mlperf.conf with the round's rules, user.conf with the differences, and audit.config
for a compliance test.

Lines are `model.scenario.key = value`, times in milliseconds, percentiles in per cent. LoadGen looks a key up by model
and scenario, then by scenario alone, then by model alone, then for all.
"""

from collections.abc import Mapping

from engine.harness.spec import LoadGenSettings
from engine.mlperf import NS_PER_MS
from engine.profile.benchmark_rules import Benchmark
from engine.profile.rounds import Round
from engine.profile.run_rules import RunRules, resolve_rules
from engine.profile.scenario_rules import ScenarioRule, Seeds

_PERFORMANCE_ONLY = 2
"""LoadGen's number of its performance mode, in which every compliance test runs."""

_HEAD = """\
# The rules of MLPerf Inference {name} for LoadGen, as inferdeck knows them.
# model.scenario.key = value; * stands for every model or scenario. Times are in ms, percentiles in per cent.
"""


def mlperf_conf(rules: Round) -> str:
    """Return the text of mlperf.conf: the round's rules for all benchmarks and scenarios."""
    text = _HEAD.format(name=rules.name) + "\n" + _lines(_for_all(_seeds(rules.seeds)))
    for scenario, rule in rules.scenarios.items():
        text += "\n" + _lines({f"*.{scenario}.{key}": value for key, value in _scenario(rule).items()})
    models = {bench.loadgen_model: bench for bench in rules.benchmarks.values()}
    for model, bench in models.items():
        text += "\n" + _lines({f"{model}.{key}": value for key, value in _model(rules, bench).items()})
    return text


def user_conf(rules: Round, benchmark: str, settings: LoadGenSettings) -> str:
    """Return the text of user.conf: the target of this run, and every setting that differs from mlperf.conf.

    Read after mlperf.conf, the two are equal to `settings`. Raises UsageError for an unknown benchmark.
    """
    rules_of_run = resolve_rules(rules, benchmark, settings.scenario)
    ruled, target = _ruled(rules_of_run), rules_of_run.target.key
    changed = {key: value for key, value in _own(settings).items() if key == target or ruled.get(key) != value}
    return _lines({f"{rules_of_run.loadgen_model}.{settings.scenario}.{key}": value for key, value in changed.items()})


def audit_config(rules: Round, benchmark: str, test: str) -> str:
    """Return the text of audit.config, with which LoadGen runs a compliance test.

    LoadGen 6 ignores the seeds in it, so they must be in the settings of the run as well (engine.harness.settings).
    Raises UsageError for an unknown benchmark or test.
    """
    rule = rules.test(test)
    values = {"mode": _PERFORMANCE_ONLY, **rule.settings_of(rules.benchmark(benchmark).compliance_samples)}
    if rule.seeds is not None:
        values |= _seeds(rule.seeds)
    return _lines(_for_all(values))


def _seeds(seeds: Seeds) -> dict[str, int]:
    return {
        "qsl_rng_seed": seeds.qsl,
        "sample_index_rng_seed": seeds.sample_index,
        "schedule_rng_seed": seeds.schedule,
    }


def _for_all(values: Mapping[str, int]) -> dict[str, float]:
    return {f"*.*.{key}": value for key, value in values.items()}


def _scenario(rule: ScenarioRule) -> dict[str, float]:
    """Return a scenario's keys; LoadGen takes the samples of an Offline query from the key of the minimum query
    count."""
    lines: dict[str, float] = {
        "target_latency_percentile": rule.percentile,
        "min_duration": rule.min_duration_ms,
        "min_query_count": max(rule.min_query_count, rule.min_sample_count),
        rule.target.key: rule.target.default,
    }
    if rule.samples_per_query > 1:
        lines["samples_per_query"] = rule.samples_per_query
    if rule.latency_ms is not None:
        lines["target_latency"] = rule.latency_ms
    return lines


def _ruled(rules: RunRules) -> dict[str, float]:
    """Return mlperf.conf's values for a run, of the keys that a run may override (`_own`)."""
    lines: dict[str, float] = {
        "min_duration": rules.min_duration_ms,
        "max_duration": 0,
        "min_query_count": max(rules.min_query_count, rules.min_sample_count),
        "max_query_count": 0,
        "performance_sample_count_override": _drawn_from(rules),
        rules.target.key: rules.target.default,
    }
    if rules.latency_ms is not None:
        lines["target_latency"] = rules.latency_ms
    return lines


def _drawn_from(rules: Benchmark | RunRules) -> int:
    """Return how many samples a run draws from; 0 means all in LoadGen."""
    return 0 if rules.performance_set_is_whole else rules.performance_sample_count


def _model(rules: Round, bench: Benchmark) -> dict[str, float]:
    lines: dict[str, float] = {"*.performance_sample_count_override": _drawn_from(bench)}
    if bench.sample_concatenate_permutation:
        lines["*.sample_concatenate_permutation"] = 1
    if bench.counts_tokens:
        lines["*.use_token_latencies"] = 1
    if bench.server_latency_ms is not None:
        lines["Server.target_latency"] = bench.server_latency_ms
    for scenario, target in bench.targets.items():
        lines[f"{scenario}.{rules.scenarios[scenario].target.key}"] = target
    for scenario, own in bench.in_scenario.items():
        if own.min_duration_ms is not None:
            lines[f"{scenario}.min_duration"] = own.min_duration_ms
        if own.min_query_count is not None or own.min_sample_count is not None:
            ruled = resolve_rules(rules, bench, scenario)
            lines[f"{scenario}.min_query_count"] = max(ruled.min_query_count, ruled.min_sample_count)
    return lines


def _own(settings: LoadGenSettings) -> dict[str, float]:
    """Return the values of a run for the keys that may differ from the rules."""
    lines: dict[str, float] = {
        "min_duration": settings.min_duration_ms,
        "max_duration": settings.max_duration_ms,
        "min_query_count": max(settings.min_query_count, settings.min_sample_count),
        "max_query_count": settings.max_query_count,
        "performance_sample_count_override": settings.performance_sample_count,
    }
    if settings.target_qps is not None:
        lines["target_qps"] = settings.target_qps
    if settings.target_latency_ns is not None:
        lines["target_latency"] = settings.target_latency_ns / NS_PER_MS
    return lines


def _lines(values: Mapping[str, float]) -> str:
    """Return the lines of a file. LoadGen splits at blanks, so those around `=` are required; integers have no decimal
    point."""
    shown = {key: int(value) if value == int(value) else value for key, value in values.items()}
    return "".join(f"{key} = {value}\n" for key, value in shown.items())
