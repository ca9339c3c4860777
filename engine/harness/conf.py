"""The configuration files of a run: mlperf.conf with the round's rules, user.conf with what differs from them, and
where the run is a compliance test audit.config.

Lines are `model.scenario.key = value`, times in milliseconds, percentiles in per cent. LoadGen looks a key up by model
and scenario, then by scenario alone, then by model alone, then for all.
"""

from collections.abc import Mapping

from engine.harness.settings import NS_PER_MS
from engine.harness.spec import LoadGenSettings
from engine.profile.rounds import Benchmark, Round, ScenarioRule

_PERFORMANCE_ONLY = 2
"""LoadGen's number of its performance mode, in which every compliance test runs."""

_HEAD = """\
# The rules of MLPerf Inference {name} for LoadGen, as inferdeck knows them.
# model.scenario.key = value; * stands for every model or scenario. Times are in ms, percentiles in per cent.
"""


def mlperf_conf(rules: Round) -> str:
    """Return the text of mlperf.conf: the round's rules for all benchmarks and scenarios."""
    lines = {
        "*.*.qsl_rng_seed": rules.seeds.qsl,
        "*.*.sample_index_rng_seed": rules.seeds.sample_index,
        "*.*.schedule_rng_seed": rules.seeds.schedule,
    }
    text = _HEAD.format(name=rules.name) + "\n" + _lines(lines)
    for scenario, rule in rules.scenarios.items():
        text += "\n" + _lines({f"*.{scenario}.{key}": value for key, value in _scenario(rule).items()})
    models = {bench.loadgen_model: bench for bench in rules.benchmarks.values()}
    for model, bench in models.items():
        text += "\n" + _lines({f"{model}.{key}": value for key, value in _model(rules, bench).items()})
    return text


def user_conf(rules: Round, benchmark: str, settings: LoadGenSettings) -> str:
    """Return the text of user.conf: the target of this run, and every setting that mlperf.conf gives otherwise.

    Read after mlperf.conf, the two say what `settings` says. Raises UsageError for an unknown benchmark.
    """
    bench, rule = rules.benchmark(benchmark), rules.scenarios[settings.scenario]
    ruled: dict[str, float] = {"max_duration": 0, "max_query_count": 0, **_scenario(rule)}
    for key, value in _model(rules, bench).items():
        scenario, _, name = key.partition(".")
        if scenario in ("*", settings.scenario):
            ruled[name] = value
    own = _own(settings)
    changed = {key: value for key, value in own.items() if key == rule.target.key or ruled.get(key) != value}
    return _lines({f"{bench.loadgen_model}.{settings.scenario}.{key}": value for key, value in changed.items()})


def audit_config(rules: Round, benchmark: str, test: str) -> str:
    """Return the text of audit.config, with which LoadGen runs a compliance test.

    LoadGen 6 ignores the seeds in it, so that they must be in the settings of the run as well
    (engine.harness.settings). Raises UsageError for an unknown benchmark or test.
    """
    rule = rules.test(test)
    values = {"mode": _PERFORMANCE_ONLY, **rule.settings_of(rules.benchmark(benchmark))}
    if rule.seeds is not None:
        values |= {
            "qsl_rng_seed": rule.seeds.qsl,
            "sample_index_rng_seed": rule.seeds.sample_index,
            "schedule_rng_seed": rule.seeds.schedule,
        }
    return _lines({f"*.*.{key}": value for key, value in values.items()})


def _scenario(rule: ScenarioRule) -> dict[str, float]:
    """LoadGen takes the samples of an Offline query from the key for the number of queries."""
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


def _model(rules: Round, bench: Benchmark) -> dict[str, float]:
    # 0 is LoadGen's word for all samples.
    samples = 0 if bench.performance_set_is_whole else bench.performance_sample_count
    lines: dict[str, float] = {"*.performance_sample_count_override": samples}
    if bench.sample_concatenate_permutation:
        lines["*.sample_concatenate_permutation"] = 1
    if bench.server_latency_ms is not None:
        lines["Server.target_latency"] = bench.server_latency_ms
    for scenario, target in bench.targets.items():
        lines[f"{scenario}.{rules.scenarios[scenario].target.key}"] = target
    return lines


def _own(settings: LoadGenSettings) -> dict[str, float]:
    """What a run may have otherwise than the rules, by the keys of the file."""
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
    """LoadGen splits at blanks, so the blanks around `=` are needed; whole numbers are written without a point."""
    shown = {key: int(value) if value == int(value) else value for key, value in values.items()}
    return "".join(f"{key} = {value}\n" for key, value in shown.items())
