"""Each metric reads its figure from LoadGen's own keys, scenario by scenario, and formats it for display."""

from __future__ import annotations

from typing import Any

import pytest

from engine.explore.metrics import BY_KEY, METRICS, RESULT, figures
from tests.engine.explore.history import detail_values


def test_metrics_are_facts_with_a_source() -> None:
    assert len(BY_KEY) == len(METRICS)
    for metric in METRICS:
        assert metric.header
        assert metric.short
        assert metric.unit or metric.key == "dice"
        assert (type(metric).__doc__ or "").strip().endswith((".", ")"))


def test_a_dice_score_is_no_percentage() -> None:
    found = figures({"score.metric": "DICE", "score.value": 0.9333})
    assert found == {"dice": 0.9333}
    assert BY_KEY["dice"].title == "Dice score"
    assert figures({"score.metric": "F1", "score.value": 90.2}) == {"accuracy": 90.2}


@pytest.mark.parametrize("scenario", ["SingleStream", "MultiStream", "Server", "Offline"])
def test_throughput_is_read_in_every_scenario(scenario: str) -> None:
    found = figures(detail_values(scenario, "performance", 250.0))
    assert found["samples_per_second"] == pytest.approx(250.0)
    assert RESULT[scenario].key in found


def test_latencies_are_of_queries_in_multistream_and_absent_in_offline() -> None:
    log = detail_values("MultiStream", "performance", 100.0)
    log["result_99.00_percentile_latency_ns"] = 1
    assert figures(log)["latency_p99"] == 3e7
    assert BY_KEY["latency_p99"].text(figures(log)["latency_p99"]) == "30.00"
    assert not {key for key in figures(detail_values("Offline", "performance", 100.0)) if key.startswith("latency")}


def test_an_estimate_of_zero_is_none() -> None:
    log = {**detail_values("SingleStream", "performance", 100.0), "early_stopping_latency_ss": 0}
    assert "estimate_90" not in figures(log)
    assert BY_KEY["estimate_90"].text(None) == "-"


@pytest.mark.parametrize("damaged", ["text", None, True, [1], {"a": 1}])
def test_a_damaged_reading_is_no_figure(damaged: Any) -> None:
    assert figures({"result_samples_per_second": damaged, "run.samples": damaged, "run.batches": 0}) == {}


def test_shares_and_counts() -> None:
    found = figures(
        {"result_overlatency_query_count": 5, "result_query_count": 200, "run.samples": 90, "run.batches": 30}
    )
    assert found["over_bound"] == 2.5
    assert found["batch_mean"] == 3.0


def test_what_a_run_used_is_told_per_sample() -> None:
    report = {"run.samples": 200, "run.cpu_seconds": 3.0, "run.joules": 50.0, "run.peak_memory": 2_500_000_000}
    found = figures({**report, "run.model_bytes": 18_000_000})
    assert (found["cpu_s_per_sample"], found["energy_per_sample"]) == (0.015, 0.25)
    assert BY_KEY["cpu_s_per_sample"].text(found["cpu_s_per_sample"]) == "15.00"
    assert BY_KEY["peak_memory"].text(found["peak_memory"]) == "2500"
    assert BY_KEY["model_bytes"].text(found["model_bytes"]) == "18.00"
    assert "energy_per_sample" not in figures({"run.samples": 200, "run.joules": None})
