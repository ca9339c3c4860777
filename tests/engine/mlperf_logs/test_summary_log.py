from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mlperf_logs import detail
from engine.mlperf_logs import summary_log as summary

MULTI_2_1 = """\
================================================
MLPerf Results Summary
================================================
SUT name : camera: front
Scenario : MultiStream
Mode     : PerformanceOnly
99th percentile latency (ns) : 928655
Result is : INVALID
  Min duration satisfied : NO
  Min queries satisfied : Yes
  Early stopping satisfied: Yes
Recommendations:
 * Decrease the expected latency so the loadgen pre-generates more queries.
Early Stopping Result:
 * Processed at least 662 queries (654847).
 * Early stopping 99th percentile estimate: 928734

================================================
Additional Stats
================================================
Per-query latency:
Min latency (ns)                : 797563
99.90 percentile latency (ns)   : 952401

================================================
Test Parameters Used
================================================
samples_per_query : 8
target_qps : 781.25
min_duration (ms): 600000
qsl_rng_seed : 14284205019438841327

2 warnings encountered. See detailed log.

1 ERROR encountered. See detailed log.
"""

SERVER_6 = """\
SUT name : PySUT
Scenario : Server
Completed samples per second    : 94.26
Result is : VALID
  Performance constraints satisfied : Yes
Early Stopping Result:
 * Run successful.
Additional Stats
Scheduled samples per second : 94.31
A line of tomorrow : 12
"""


def test_a_text_of_2_1() -> None:
    assert summary.parse(MULTI_2_1) == {
        "sut_name": "camera: front",
        "effective_scenario": "MultiStream",
        "effective_test_mode": "PerformanceOnly",
        "result_99.00_percentile_per_query_latency_ns": 928655,
        "result_validity": "INVALID",
        "result_min_duration_met": False,
        "result_min_queries_met": True,
        "early_stopping_met": True,
        "recommendations": ["* Decrease the expected latency so the loadgen pre-generates more queries."],
        "early_stopping_result": [
            "* Processed at least 662 queries (654847).",
            "* Early stopping 99th percentile estimate: 928734",
        ],
        "early_stopping_latency_ms": 928734,
        "result_min_query_latency_ns": 797563,
        "result_99.90_percentile_per_query_latency_ns": 952401,
        "effective_samples_per_query": 8,
        "effective_target_qps": 781.25,
        "effective_min_duration_ms": 600000,
        "effective_qsl_rng_seed": 14284205019438841327,
        "num_warnings": 2,
        "num_errors": 1,
    }


def test_a_text_of_6() -> None:
    assert summary.parse(SERVER_6) == {
        "sut_name": "PySUT",
        "effective_scenario": "Server",
        "result_completed_samples_per_sec": 94.26,
        "result_validity": "VALID",
        "result_perf_constraints_met": True,
        "early_stopping_result": ["* Run successful."],
        "result_scheduled_samples_per_sec": 94.31,
        "A line of tomorrow": 12,
    }


@pytest.mark.parametrize("percentile", ["90", "90.0"])
def test_both_spellings_of_a_percentile(percentile: str) -> None:
    text = f"{percentile}th percentile latency (ns) : 5\n * Early stopping {percentile}th percentile estimate: 7\n"
    values = summary.parse(text)
    assert values["result_90.00_percentile_latency_ns"] == 5
    assert values["early_stopping_latency_ss"] == 7


def test_an_accuracy_run_has_two_counts() -> None:
    text = "\nNo warnings encountered during test.\n\nNo errors encountered during test.\n"
    assert summary.parse(text) == {"num_warnings": 0, "num_errors": 0}


@pytest.mark.parametrize("no", ["No", "NO", "no"])
def test_counts_are_read_whatever_the_letters(no: str) -> None:
    assert summary.parse(f"{no} warnings encountered\n2 ERRORS encountered") == {"num_warnings": 0, "num_errors": 2}


@given(st.text())
def test_no_text_makes_it_crash(text: str) -> None:
    assert isinstance(summary.parse(text), dict)


def agrees(text_value: Any, log_value: Any) -> bool:
    """The text gives two decimals or six digits; whole numbers it gives in full."""
    if isinstance(text_value, float):
        return bool(abs(text_value - log_value) <= 0.006 + 1e-4 * abs(log_value))
    return bool(text_value == log_value)


def test_published_summaries_say_what_the_detail_logs_say(published: Mapping[str, bytes]) -> None:
    compared = 0
    for name, data in published.items():
        if not name.endswith("summary.txt"):
            continue
        values = summary.parse(data.decode())
        log = detail.parse(published[name.replace("summary", "detail")])
        assert values.pop("num_errors") == len(log.errors), name
        assert values.pop("num_warnings") == len(log.warnings), name
        values.pop("recommendations", None)
        story = values.pop("early_stopping_result", [])
        assert isinstance(story, list)
        assert " ".join(story).split() == (log.value("early_stopping_result", "").split() if story else []), name
        for key, value in values.items():
            assert agrees(value, log.value(key)), (name, key, value, log.value(key))
            compared += 1
    assert compared > 10_000
