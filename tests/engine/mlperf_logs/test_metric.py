from collections.abc import Mapping
from typing import Any

import pytest

from engine.errors import DataError
from engine.mlperf_logs import detail
from engine.mlperf_logs.detail import Body, Detail, Message
from engine.mlperf_logs.metric import metric


def log(**values: Any) -> Detail:
    bodies = [Body(key=key, value=value) for key, value in values.items()]
    return Detail(tuple(Message(key=b.key, value=b.value, line=n) for n, b in enumerate(bodies, 1)))


SINGLE = log(
    effective_scenario="SingleStream",
    early_stopping_latency_ss=2_500_000,
    early_stopping_latency_ms=3_000_000,
    result_qps_without_loadgen_overhead=400.5,
)
MULTI = log(
    effective_scenario="MultiStream",
    early_stopping_latency_ms=8_000_000,
    result_mean_query_latency_ns=4_000_000,
    effective_samples_per_query=8,
)


@pytest.mark.parametrize(
    ("source", "folder", "value", "unit", "inferred"),
    [
        (log(effective_scenario="Offline", result_samples_per_second=410), "Offline", 410.0, "Samples/s", False),
        (log(effective_scenario="Server", result_scheduled_samples_per_sec=9.5), "Server", 9.5, "Queries/s", False),
        (SINGLE, "SingleStream", 2.5, "Latency (ms)", False),
        (MULTI, "MultiStream", 8.0, "Latency (ms)", False),
        (SINGLE, "MultiStream", 24.0, "Latency (ms)", True),
        (SINGLE, "Offline", 400.5, "Samples/s", True),
        (MULTI, "Offline", 2000.0, "Samples/s", True),
    ],
)
def test_each_formula(source: Detail, folder: str, value: float, unit: str, inferred: bool) -> None:
    found = metric(source, folder, 8)
    assert (found.value, found.unit, found.inferred) == (value, unit, inferred)


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        (SINGLE, "Server"),
        (MULTI, "SingleStream"),
        (log(effective_scenario="Offline"), "Offline"),
        (log(effective_scenario="Offline", result_samples_per_second="fast"), "Offline"),
        (log(effective_scenario="Offline", result_samples_per_second=True), "Offline"),
        (log(effective_scenario=["Offline"]), "Offline"),
        (log(), "Offline"),
        (SINGLE, "offline"),
        (log(effective_scenario="SingleStream", early_stopping_latency_ms=0), "MultiStream"),
    ],
)
def test_a_log_that_does_not_say_it_is_refused(source: Detail, folder: str) -> None:
    with pytest.raises(DataError) as caught:
        metric(source, folder, 8)
    assert caught.value.remedy


def test_a_mean_of_zero_does_not_crash() -> None:
    source = log(effective_scenario="MultiStream", result_mean_query_latency_ns=0, effective_samples_per_query=8)
    assert metric(source, "Offline", 8).value == float("inf")


def test_published_results_are_the_checkers(published: Mapping[str, bytes], verdicts: list[dict[str, str]]) -> None:
    for row in verdicts:
        data = published[f"{row['path']}/performance/run_1/mlperf_log_detail.txt"]
        found = metric(detail.parse(data), row["scenario"], 8)
        assert found.value == float(row["metric"]), row["path"]
        assert found.unit == row["units"], row["path"]
        assert found.inferred == (row["inferred"] == "1"), row["path"]
    assert any(row["inferred"] == "1" for row in verdicts)
