"""Values at their limits, and the results of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.mlperf import DETAIL_LOG
from engine.submission.checker.check import check
from engine.submission.checker.findings import Result
from tests.engine.submission.base_tree import RULES, SYSTEMS, write_system
from tests.engine.submission.checker.faults import result_of, run_of, says


def after(tmp_path: Path, system: str, scenario: str, **values: object) -> tuple[Result, set[str]]:
    """Return a result and the rules broken after a change in its performance log."""
    write_system(tmp_path, SYSTEMS[system])
    says(**values)(tmp_path / run_of(system, scenario) / DETAIL_LOG)
    report = check(tmp_path, RULES)
    result = next(one for one in report.results if one.path == result_of(system, scenario))
    return result, {finding.rule for finding in report.findings} - {"performance.summary"}


@pytest.mark.parametrize(
    ("system", "scenario", "key", "value"),
    [
        ("dc-resnet50", "Offline", "effective_performance_sample_count", 1024),
        ("dc-resnet50", "Offline", "effective_performance_sample_count", 50_000),
        ("dc-3d-unet-99", "Offline", "effective_performance_sample_count", 42),
        ("dc-resnet50", "Server", "effective_target_latency_ns", 15_000_000),
        ("dc-resnet50", "Server", "result_99__00_percentile_latency_ns", 15_000_000),
        ("dc-resnet50", "Server", "effective_min_query_count", 1),
        ("edge-resnet50", "SingleStream", "effective_min_query_count", 0),
        ("dc-resnet50", "Offline", "effective_samples_per_query", 24_576),
        ("dc-resnet50", "Offline", "effective_min_duration_ms", 600_000.0),
        ("net", "Server", "sut_name", "a Network SUT it is"),
        ("open", "Offline", "sut_name", None),
    ],
)
def test_bounds_themselves_are_accepted(tmp_path: Path, system: str, scenario: str, key: str, value: object) -> None:
    result, broken = after(tmp_path, system, scenario, **{key: value})
    assert result.verdict == "pass"
    assert broken == set()


@pytest.mark.parametrize(
    ("system", "scenario", "key", "value", "metric"),
    [
        ("open", "Offline", "result_samples_per_second", 2e7, 2e7),
        ("open-dc", "Server", "result_scheduled_samples_per_sec", 1234.5, 1234.5),
        ("open", "SingleStream", "early_stopping_latency_ss", 377154, 0.377154),
        ("open", "MultiStream", "early_stopping_latency_ms", 928734, 0.928734),
        ("open-inferred", "Offline", "result_qps_without_loadgen_overhead", 35, 35),
        ("open-inferred", "MultiStream", "early_stopping_latency_ms", 1_000_000, 8),
    ],
)
def test_metrics(tmp_path: Path, system: str, scenario: str, key: str, value: float, metric: float) -> None:
    result, _ = after(tmp_path, system, scenario, **{key: value})
    assert result.metric == metric
    assert result.inferred == (system == "open-inferred")


def test_offline_from_multi_stream(tmp_path: Path) -> None:
    write_system(tmp_path, SYSTEMS["open"])
    source = tmp_path / run_of("open", "MultiStream")
    for file in source.iterdir():
        (tmp_path / run_of("open", "Offline") / file.name).write_bytes(file.read_bytes())
    result = next(one for one in check(tmp_path, RULES).results if one.scenario == "Offline")
    assert (result.verdict, result.inferred) == ("pass", True)
    assert result.metric == 8 * 1000 / 20


def test_a_foreign_log_counts_as_what_it_is(tmp_path: Path) -> None:
    write_system(tmp_path, SYSTEMS["open"])
    source = tmp_path / run_of("open", "Offline")
    for file in source.iterdir():
        (tmp_path / run_of("open", "SingleStream") / file.name).write_bytes(file.read_bytes())
    report = check(tmp_path, RULES)
    result = next(one for one in report.results if one.scenario == "SingleStream")
    assert (result.metric, result.units, result.inferred) == (1099.25, "Latency (ms)", False)
    assert report.verdict == "pass"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -1.0])
def test_a_metric_is_a_number_above_zero(tmp_path: Path, value: float) -> None:
    result, broken = after(tmp_path, "open", "Offline", result_samples_per_second=value)
    assert result.metric is None
    assert broken == {"performance.metric"}
