"""A single run has the same findings by itself as in a tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.profile.tree_rules import Division
from engine.submission.checker.single import About, accuracy_run, performance_run, verification
from tests.engine.submission import loadgen_logs as logs
from tests.engine.submission.base_tree import SYSTEMS, accuracy_text, write_run, write_test
from tests.engine.submission.results_folder import rules

RULES = rules()
RESNET = RULES.benchmark("resnet50")


def about(division: Division = "open") -> About:
    return About(RULES, division, "box", "resnet50", "Offline")


def run(folder: Path, **changes: Any) -> Path:
    """Write an Offline performance run to a results folder, with files that no tree has."""
    write_run(folder, {**logs.performance_values(RULES, RESNET, "Offline"), **changes})
    (folder / ".spec.json.part").write_text("{}")
    return folder


def rules_of(found: list[Any]) -> list[str]:
    return [one.rule for one in found]


def test_a_run_by_the_rules_is_faultless(tmp_path: Path) -> None:
    assert performance_run(run(tmp_path), about("closed")) == []


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"result_validity": "INVALID"}, {"performance.validity", "performance.summary"}),
        ({"effective_min_duration_ms": 2000}, {"performance.min_duration"}),
        ({"effective_samples_per_query": 24}, {"performance.samples_per_query"}),
        ({"effective_performance_sample_count": 20}, {"performance.sample_count"}),
        ({"effective_qsl_rng_seed": 1}, {"performance.seed"}),
    ],
)
def test_what_a_run_breaks(tmp_path: Path, changes: dict[str, Any], broken: set[str]) -> None:
    run(tmp_path)
    text = (tmp_path / "mlperf_log_summary.txt").read_text()
    run(tmp_path, **changes)
    if "performance.summary" in broken:
        (tmp_path / "mlperf_log_summary.txt").write_text(text)
    assert set(rules_of(performance_run(tmp_path, about()))) >= broken


def test_a_run_of_another_scenario(tmp_path: Path) -> None:
    write_run(tmp_path, logs.performance_values(RULES, RESNET, "Server"))
    assert rules_of(performance_run(tmp_path, about())) == ["performance.scenario"]


def test_the_run_of_a_test_has_its_own_seeds_and_settings(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain")
    assert rules_of(performance_run(plain, about("closed"), "TEST05")) == ["performance.seed"] * 3
    assert set(rules_of(performance_run(plain, about("closed"), "TEST04"))) == {"compliance.settings"}
    for test in ("TEST01", "TEST04", "TEST05"):
        write_test(tmp_path / test, test, RESNET, "Offline", SYSTEMS["both"])
        assert performance_run(tmp_path / test / "performance" / "run_1", about("closed"), test) == []
        assert verification(tmp_path / test, about("closed"), test) == []


def test_a_verification_that_fails(tmp_path: Path) -> None:
    write_test(tmp_path, "TEST01", RESNET, "Offline", SYSTEMS["both"])
    (tmp_path / "verify_performance.txt").write_text("TEST FAIL: slower\n")
    assert rules_of(verification(tmp_path, about("closed"), "TEST01")) == ["compliance.verify_performance"]


@pytest.mark.parametrize(
    ("division", "value", "severities"),
    [
        ("open", "10.0", {"accuracy.target": "note"}),
        ("closed", "10.0", {"accuracy.target": "error"}),
        ("closed", "", {}),
    ],
)
def test_an_accuracy_run_and_its_score(
    tmp_path: Path, division: Division, value: str, severities: dict[str, str]
) -> None:
    (tmp_path / "mlperf_log_detail.txt").write_text(logs.accuracy_detail(RULES, RESNET, "Offline"))
    found = accuracy_run(tmp_path, about(division), accuracy_text(RESNET, value))
    assert {one.rule: one.severity for one in found} == severities


def test_an_accuracy_run_of_another_scenario(tmp_path: Path) -> None:
    (tmp_path / "mlperf_log_detail.txt").write_text(logs.accuracy_detail(RULES, RESNET, "Server"))
    assert rules_of(accuracy_run(tmp_path, about(), accuracy_text(RESNET))) == ["accuracy.scenario"]
