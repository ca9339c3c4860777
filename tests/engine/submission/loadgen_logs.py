"""Synthetic LoadGen log files of round v2.1: all keys and lines of real ones, in order, with consistent numbers.

Lists of sample indices are short; nothing else is left out.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

from engine.mlperf import Scenario
from engine.profile.benchmark_rules import Benchmark
from engine.profile.rounds import Round
from engine.profile.scenario_rules import Seeds

Values = dict[str, Any]

BEGIN = "07-27-2022 13:11:30.500"
END = "07-27-2022 13:21:31.000"
SECONDS = 600.5
QUERIES = {"SingleStream": 240_000, "MultiStream": 270_336, "Server": 300_000, "Offline": 1}

_LOGGER = (
    "logger_swap_request_slots_retry_count", "logger_swap_request_slots_retry_retry_count",
    "logger_swap_request_slots_retry_reencounter_count", "logger_start_reading_entries_retry_count",
    "logger_tls_total_log_cas_fail_count", "logger_tls_total_swap_buffers_slot_retry_count",
)  # fmt: skip
_PERCENTILES = ("50.00", "90.00", "95.00", "97.00", "99.00", "99.90")
_LATENCY_NS = {"SingleStream": 2_500_000, "MultiStream": 20_000_000, "Server": 11_000_000, "Offline": 590_000_000_000}


NOT_LOGS = {
    "nothing": b"",
    "gzip data": gzip.compress(b"x"),
    "UTF-16": ":::MLLOG {}\n".encode("utf-16"),
    "lines of an old LoadGen": b"pid, tid, ts\n1, 2, 3\n",
}
"""Typical wrong contents of a detail log."""


def message(key: str, value: Any, *, is_error: bool = False, is_warning: bool = False) -> str:
    """One line of a detail log."""
    metadata = {
        "is_error": is_error,
        "is_warning": is_warning,
        "file": "loadgen.cc",
        "line_no": 1121,
        "pid": 7,
        "tid": 7,
    }
    body = {"key": key, "value": value, "time_ms": 0.015336, "namespace": "mlperf::logging"}
    return ":::MLLOG " + json.dumps({**body, "event_type": "POINT_IN_TIME", "metadata": metadata}) + "\n"


def performance_values(
    rules: Round,
    benchmark: Benchmark,
    scenario: Scenario,
    *,
    sut: str = "PySUT",
    seeds: Seeds | None = None,
    settings: dict[str, int] | None = None,
) -> Values:
    """Return the values in the detail log of a valid performance run, in order."""
    return {
        **_header(rules, benchmark, scenario, "PerformanceOnly", sut, seeds or rules.seeds, settings or {}),
        "generic_message": "Starting performance mode",
        "loaded_qsl_set": list(range(40)),
        "generated_query_count": QUERIES[scenario] * 2 if scenario != "Offline" else 1,
        "generated_samples_per_query": _samples_per_query(scenario),
        "generated_query_duration": 600_000_000_000,
        **dict.fromkeys(_LOGGER, 0),
        "power_begin": BEGIN,
        "power_end": END,
        **_results(scenario),
    }


def _samples_per_query(scenario: Scenario) -> int:
    return {"MultiStream": 8, "Offline": 660_000}.get(scenario, 1)


def _header(
    rules: Round, benchmark: Benchmark, scenario: Scenario, mode: str, sut: str, seeds: Seeds, settings: dict[str, int]
) -> Values:
    count = _performance_count(benchmark)
    common = _settings(rules, scenario, seeds, settings)
    return {
        "loadgen_version": "2.1 @ 67eb6a0d0e",
        "loadgen_build_date_local": "2022-08-04T02:22:15.045730",
        "loadgen_build_date_utc": "2022-08-04T02:22:15.045736",
        "loadgen_git_commit_date": "2022-07-18T08:29:24-07:00",
        "loadgen_git_log_message": '67eb6a0d0e Fix "regex" [1178]\n5dd9ed739c Update random seeds\n',
        "loadgen_git_status_message": "",
        "loadgen_file_sha1": {"/CMakeLists.txt": "248c0265b3af22445c22506f4c82c5394320ca49"},
        "test_datetime": "2022-07-27T13:11:30Z",
        "sut_name": sut,
        "get_sut_name_duration_ns": 415,
        "qsl_name": "PyQSL",
        "qsl_reported_total_count": benchmark.sample_count,
        "qsl_reported_performance_count": count,
        "requested_scenario": scenario,
        "requested_test_mode": mode,
        **{f"requested_{key}": value for key, value in common.items()},
        "requested_performance_sample_count_override": 0,
        "effective_scenario": scenario,
        "effective_test_mode": mode,
        "effective_samples_per_query": _samples_per_query(scenario),
        "effective_target_qps": 1000.5,
        "effective_target_latency_ns": int((benchmark.server_latency_ms or 0) * 1e6) if scenario == "Server" else 0,
        "effective_target_latency_percentile": rules.scenarios[scenario].percentile / 100,
        "effective_max_async_queries": 1,
        "effective_target_duration_ms": 600_000,
        **{f"effective_{key}": value for key, value in common.items()},
        "effective_performance_sample_count": count,
    }


def _performance_count(benchmark: Benchmark) -> int:
    return benchmark.sample_count if benchmark.performance_set_is_whole else benchmark.performance_sample_count


def _settings(rules: Round, scenario: Scenario, seeds: Seeds, settings: dict[str, int]) -> Values:
    return {
        "min_duration_ms": rules.scenarios[scenario].min_duration_ms,
        "max_duration_ms": 0,
        "min_query_count": rules.scenarios[scenario].min_query_count,
        "max_query_count": 0,
        "min_sample_count": max(1, rules.scenarios[scenario].min_sample_count),
        "qsl_rng_seed": seeds.qsl,
        "sample_index_rng_seed": seeds.sample_index,
        "schedule_rng_seed": seeds.schedule,
        "accuracy_log_rng_seed": settings.get("accuracy_log_rng_seed", 0),
        "accuracy_log_probability": 0,
        "accuracy_log_sampling_target": settings.get("accuracy_log_sampling_target", 0),
        "print_timestamps": False,
        "performance_issue_unique": bool(settings.get("performance_issue_unique")),
        "performance_issue_same": bool(settings.get("performance_issue_same")),
        "performance_issue_same_index": settings.get("performance_issue_same_index", 0),
    }


def _results(scenario: Scenario) -> Values:
    latency = _LATENCY_NS[scenario]
    server = scenario == "Server"
    values: Values = {
        "result_validity": "VALID",
        **({"result_perf_constraints_met": True} if server else {}),
        "result_min_duration_met": True,
        "result_min_queries_met": True,
        "early_stopping_met": True,
        "early_stopping_result": " * Run successful.",
        "result_query_count": QUERIES[scenario],
        **({"result_overlatency_query_count": 12} if server else {}),
    }
    if scenario == "SingleStream":
        values |= {"result_qps_with_loadgen_overhead": 400.125, "result_qps_without_loadgen_overhead": 401.5}
        values |= {"early_stopping_latency_ss": latency, "early_stopping_latency_ms": latency + 600_000}
    if scenario == "MultiStream":
        values |= {f"result_{name}_query_latency_ns": latency for name in ("min", "max", "mean")}
        values |= {f"result_{name}_percentile_per_query_latency_ns": latency for name in _PERCENTILES}
        values |= {"early_stopping_latency_ms": latency}
    if server:
        values |= {"result_scheduled_samples_per_sec": 500.25, "result_completed_samples_per_sec": 499.875}
    if scenario == "Offline":
        values |= {"result_samples_per_second": 1099.25}
    values |= {f"result_{name}_latency_ns": latency for name in ("min", "max", "mean")}
    return values | {f"result_{name}_percentile_latency_ns": latency for name in _PERCENTILES}


def detail(values: Values) -> str:
    """The text of a detail log."""
    return "".join(message(key, value) for key, value in values.items())


def accuracy_detail(rules: Round, benchmark: Benchmark, scenario: Scenario, *, sut: str = "PySUT") -> str:
    """Return the detail log of an accuracy run over the full data set."""
    header = _header(rules, benchmark, scenario, "AccuracyOnly", sut, rules.seeds, {})
    start = message("generic_message", "Starting accuracy mode")
    return detail(header) + start + "".join(_loaded_sets(benchmark, scenario))


def _loaded_sets(benchmark: Benchmark, scenario: Scenario) -> Iterator[str]:
    size = _performance_count(benchmark)
    for first in range(0, benchmark.sample_count, size):
        count = min(size, benchmark.sample_count - first)
        queries, samples = (1, count) if scenario == "Offline" else (count, 1)
        yield message("loaded_qsl_set", list(range(first, first + min(count, 40))))
        yield message("generated_query_count", queries)
        yield message("generated_samples_per_query", samples)
        yield message("generated_query_duration", 1_351_677_952)
        yield from (message(key, 0) for key in _LOGGER)
        yield message("power_begin", BEGIN)
        yield message("power_end", END)


_RULE = "================================================\n"
_HEADLINE = {
    "SingleStream": ("90th percentile latency (ns) : ", "result_90.00_percentile_latency_ns"),
    "MultiStream": ("99th percentile latency (ns) : ", "result_99.00_percentile_per_query_latency_ns"),
    "Server": ("Scheduled samples per second : ", "result_scheduled_samples_per_sec"),
    "Offline": ("Samples per second: ", "result_samples_per_second"),
}
_PARAMETERS = (
    "samples_per_query", "target_qps", "target_latency_ns", "max_async_queries", "min_duration_ms", "max_duration_ms",
    "min_query_count", "max_query_count", "qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed",
    "accuracy_log_rng_seed", "accuracy_log_probability", "accuracy_log_sampling_target", "print_timestamps",
    "performance_issue_unique", "performance_issue_same", "performance_issue_same_index", "performance_sample_count",
)  # fmt: skip
NO_TROUBLE = "\nNo warnings encountered during test.\n\nNo errors encountered during test.\n"


def summary(values: Values) -> str:
    """Return the summary that LoadGen 2.1 writes for a performance run."""
    scenario = values["effective_scenario"]
    name, key = _HEADLINE[scenario]
    latency = "per_query_latency_ns" if scenario == "MultiStream" else "latency_ns"
    extreme = "query_latency_ns" if scenario == "MultiStream" else "latency_ns"
    lines = [
        f"SUT name : {values['sut_name']}",
        f"Scenario : {scenario}",
        f"Mode     : {values['effective_test_mode']}",
        f"{name}{values[key]}",
        f"Result is : {values['result_validity']}",
        *(["  Performance constraints satisfied : Yes"] if scenario == "Server" else []),
        "  Min duration satisfied : Yes",
        "  Min queries satisfied : Yes",
        "  Early stopping satisfied: Yes",
    ]
    stats = [
        *(
            f"{one.capitalize()} latency (ns)                : {values[f'result_{one}_{extreme}']}"
            for one in ("min", "max")
        ),
        *(f"{one} percentile latency (ns)   : {values[f'result_{one}_percentile_{latency}']}" for one in _PERCENTILES),
    ]
    head = _RULE + "MLPerf Results Summary\n" + _RULE + "\n".join(lines) + "\n\n"
    more = _RULE + "Additional Stats\n" + _RULE + "\n".join(stats) + "\n\n"
    parameters = "".join(f"{_parameter(one)} : {_plain(values[f'effective_{one}'])}\n" for one in _PARAMETERS)
    return head + more + _RULE + "Test Parameters Used\n" + _RULE + parameters + NO_TROUBLE


def _parameter(name: str) -> str:
    unit = name.rpartition("_")[2]
    return f"{name.removesuffix('_' + unit)} ({unit})" if unit in ("ms", "ns") else name


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def accuracy_log(records: int = 400) -> bytes:
    """Return a full accuracy log."""
    lines = (f'{{ "seq_id" : {one}, "qsl_idx" : {one}, "data" : "{one:08X}" }}' for one in range(records))
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()
