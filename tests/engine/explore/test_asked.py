"""What was asked and what ran is read from LoadGen's settings and the harness's record, and shown with its unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.explore.asked import SETTINGS, asked_lines, read_settings, result_text, setting_text, workers_text
from engine.explore.columns import COLUMNS
from engine.explore.history import all_runs
from engine.explore.runs import Run, find
from tests.engine.explore import history
from tests.helpers import folders_in

ASKED: dict[str, Any] = {
    "effective_target_qps": 2500,
    "effective_target_latency_ns": 15_000_000,
    "effective_target_latency_percentile": 0.99,
    "effective_min_duration_ms": 600_000,
    "effective_min_query_count": 270_336,
    "effective_performance_sample_count": 1024,
    "effective_schedule_rng_seed": 2**64 - 1,
}


def measured(tmp_path: Path, scenario: str) -> Run:
    """Return the run of one job of that scenario."""
    folders = folders_in(tmp_path)
    history.job(folders, f"--scenarios={scenario}", rate=2439.0, log=ASKED)
    return find(all_runs(folders), "1")


def test_server_says_target_constraint_and_workers(tmp_path: Path) -> None:
    run = measured(tmp_path, "Server")
    assert asked_lines(run) == (
        "asked: 2500 queries/s, p99 within 15 ms, at least 600 s, at least 270,336 queries",
        "result: scheduled 2439 queries/s, 0.05 % over the constraint (1 % allowed), p99 1.230 ms",
        "ran on: 2 sessions x 4 threads, batches of at most 32",
    )
    assert run.seeds == {"schedule": 2**64 - 1}
    assert (workers_text(run), result_text(run)) == ("2x4 b32", "2439 queries/s")
    assert COLUMNS["target"].value(run) == 2500
    assert COLUMNS["constraint"].text(run) == "15"
    assert COLUMNS["min_duration"].value(run) == 600


@pytest.mark.parametrize(
    ("scenario", "result"),
    [("Offline", "2439 samples/s"), ("SingleStream", "0.6560 ms"), ("MultiStream", "1.312 ms")],
)
def test_the_result_is_the_metric_of_the_scenario(tmp_path: Path, scenario: str, result: str) -> None:
    run = measured(tmp_path, scenario)
    assert result_text(run) == result
    assert "constraint" not in run.settings, "only Server has one"
    assert ("target" in run.settings) == (scenario == "Offline")


def test_a_damaged_record_has_no_settings() -> None:
    assert read_settings({"run.workers": "2", "effective_min_duration_ms": True, "effective_scenario": "Server"}) == {}
    run = Run(id="r-0001/Server", job="r-0001", step="s", scenario="Server")
    assert (asked_lines(run), result_text(run), workers_text(run)) == ((), "", "")
    assert [setting_text(run, one.key) for one in SETTINGS] == [""] * len(SETTINGS)
