"""A run announces the numbers that LoadGen is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import profiles
from engine import events
from engine.harness.goal import measuring
from engine.mlperf import Mode, Scenario
from engine.profile.round_file import load_round
from engine.profile.run_rules import resolve_rules
from tests.engine.harness.runs import settings, spec

RULES = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")


def announced(folder: Path, scenario: Scenario, mode: Mode = "performance", **changes: Any) -> events.Measuring:
    made = spec(folder, settings(scenario, mode, **changes))
    return measuring(made, resolve_rules(RULES, "resnet50", scenario), mode, 50)


def test_server_has_a_rate_to_reach_and_a_bound(tmp_path: Path) -> None:
    said = announced(tmp_path, "Server", min_query_count=459)
    assert (said.target, said.target_unit) == (500.0, "queries/s")
    assert (said.bound_ns, said.percentile) == (50_000_000, 0.99)
    assert (said.min_seconds, said.min_queries, said.max_seconds) == (0.3, 459, None)
    assert (said.sessions, said.intra_op_threads, said.max_batch) == (2, 1, 4)


@pytest.mark.parametrize(("scenario", "per_query"), [("SingleStream", 1), ("MultiStream", 8)])
def test_streams_have_an_expected_latency_and_no_bound(tmp_path: Path, scenario: Scenario, per_query: int) -> None:
    said = announced(tmp_path, scenario, max_duration_ms=2500)
    assert said.target_unit == "ms"
    assert said.target in (0.003, 0.005)
    assert said.bound_ns is None
    assert said.samples_per_query == per_query
    assert said.max_seconds == 2.5


def test_offline_counts_the_samples_of_its_query(tmp_path: Path) -> None:
    said = announced(tmp_path, "Offline", min_query_count=1, min_sample_count=24_576)
    assert said.min_queries == 24_576
    assert said.target_unit == "samples/s"


def test_accuracy_goes_through_all_samples_and_has_no_other_condition(tmp_path: Path) -> None:
    said = announced(tmp_path, "Server", "accuracy", max_duration_ms=2500)
    assert (said.samples, said.min_seconds, said.min_queries, said.max_seconds) == (50, 0.0, 0, None)
