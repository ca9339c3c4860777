"""The rules of one run: their origin in v2.1, and the features of later rounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ProfileError, UsageError
from engine.harness.conf import mlperf_conf, user_conf
from engine.harness.settings import settings
from engine.mlperf import SCENARIOS, Scenario
from engine.profile.round_file import load_round
from engine.profile.run_rules import resolve_rules
from tests.engine.profile.later_round import V2_1, later_round, write

RULES = load_round(V2_1)


@pytest.mark.parametrize(
    ("benchmark", "scenario", "latency_ms", "checked", "target", "queries", "samples", "per_query"),
    [
        ("resnet50", "Server", 15, 15, 1, 270_336, 0, 1),
        ("3d-unet-99", "Server", 10, None, 1, 270_336, 0, 1),
        ("resnet50", "Offline", None, None, 1, 1, 24_576, 1),
        ("resnet50", "SingleStream", None, None, 10, 1024, 0, 1),
        ("resnet50", "MultiStream", None, None, 80, 270_336, 0, 8),
        ("retinanet", "MultiStream", None, None, 528, 270_336, 0, 8),
    ],
)
def test_a_run_of_v2_1(
    benchmark: str,
    scenario: Scenario,
    latency_ms: float | None,
    checked: float | None,
    target: float,
    queries: int,
    samples: int,
    per_query: int,
) -> None:
    found = resolve_rules(RULES, benchmark, scenario)
    assert (found.latency_ms, found.checked_latency_ms, found.target.default) == (latency_ms, checked, target)
    assert (found.min_query_count, found.min_sample_count, found.samples_per_query) == (queries, samples, per_query)
    assert found.min_duration_ms == 600_000
    assert found.share == (0.9 if scenario in ("SingleStream", "Offline") else 0.99)
    assert (found.seeds, found.test, found.test_settings) == (RULES.seeds, None, {})


@pytest.mark.parametrize(
    ("benchmark", "test", "sampled"),
    [
        ("resnet50", "TEST01", 4096),
        ("retinanet", "TEST01", 256),
        ("3d-unet-99", "TEST01", 64),
        ("resnet50", "TEST05", None),
    ],
)
def test_a_test_has_its_own_seeds_and_settings(benchmark: str, test: str, sampled: int | None) -> None:
    found = resolve_rules(RULES, benchmark, "Offline", test)
    assert found.test == RULES.compliance[test]
    assert found.seeds == (RULES.compliance[test].seeds or RULES.seeds)
    assert found.test_settings.get("accuracy_log_sampling_target") == sampled


def test_accuracy_and_performance_have_the_same_rules() -> None:
    performance, accuracy = (resolve_rules(RULES, "rnnt", "Server", mode) for mode in ("performance", "accuracy"))
    assert performance != accuracy
    assert performance.accuracy == accuracy.accuracy
    assert [one.baseline_percent for one in performance.accuracy] == [1]
    assert resolve_rules(RULES, RULES.benchmark("bert-99.9"), "Server").accuracy[0].baseline_percent == 0.1


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="rnnt"):
        resolve_rules(RULES, "rnt", "Server")
    with pytest.raises(UsageError, match="TEST0"):
        resolve_rules(RULES, "rnnt", "Server", "TEST02")


def test_a_benchmark_may_have_its_own_numbers_in_a_scenario(tmp_path: Path) -> None:
    rules = later_round(tmp_path)
    offline, single = (resolve_rules(rules, "retinanet", scenario) for scenario in ("Offline", "SingleStream"))
    assert (offline.min_sample_count, offline.min_duration_ms) == (5000, 60_000)
    assert (single.min_query_count, single.min_duration_ms) == (1024, 600_000)
    assert resolve_rules(rules, "resnet50", "Offline").min_sample_count == 24_576
    assert [one.metric for one in resolve_rules(rules, "retinanet", "Server").accuracy] == ["mAP"]
    assert [one.metric for one in offline.accuracy] == ["mAP", "BOXES"]
    assert [one.baseline_percent for one in offline.accuracy] == [1, 2]
    boxes = offline.accuracy[1]
    assert (boxes.target, boxes.most) == (18, 22)
    assert offline.accuracy[0].most is None


def test_loadgen_is_told_those_numbers(tmp_path: Path) -> None:
    rules = later_round(tmp_path)
    made = settings(rules, "retinanet", "Offline", "performance", "valid", sample_count=24_781)
    assert (made.min_sample_count, made.min_duration_ms) == (5000, 60_000)
    lines = mlperf_conf(rules).splitlines()
    assert "retinanet.Offline.min_query_count = 5000" in lines
    assert "retinanet.Offline.min_duration = 60000" in lines
    assert user_conf(rules, "retinanet", made) == "retinanet.Offline.target_qps = 1\n"


def test_of_alternatives_one_is_required(tmp_path: Path) -> None:
    rules = later_round(tmp_path)
    assert rules.required("retinanet", "edge") == ("SingleStream", "Offline")
    assert rules.allowed("retinanet", "edge") == SCENARIOS
    assert rules.allowed("retinanet", "datacenter") == ("SingleStream", "Server", "Offline")
    benchmark = rules.benchmark("retinanet")
    assert benchmark.lacking(["edge"], ["MultiStream", "Offline"]) == ()
    assert benchmark.lacking(["edge"], ["Server"]) == ("Offline", "SingleStream or MultiStream")
    assert benchmark.lacking(["edge", "datacenter"], ["MultiStream", "Offline"]) == ("Server or SingleStream",)
    assert benchmark.lacking(["edge", "datacenter"], ["SingleStream", "Offline"]) == ()


@pytest.mark.parametrize("benchmark", RULES.benchmarks)
def test_without_alternatives_all_are_required(benchmark: str) -> None:
    for kind, categories in RULES.system.types.items():
        assert RULES.allowed(benchmark, kind) == RULES.required(benchmark, kind)
        assert RULES.benchmark(benchmark).lacking(categories, ()) == RULES.required(benchmark, kind)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("edge: [SingleStream, MultiStream], d", "edge: [SingleStream], d", "nothing to choose from"),
        ("edge: [SingleStream, MultiStream], d", "edge: [SingleStream, Offline], d", "Offline is there twice in edge"),
        ("optional: {edge: [Server]}", "optional: {edge: [MultiStream]}", "MultiStream is there twice in edge"),
        ("      edge: [Offline]\n", "", "`scenarios` has no edge"),
        ("upper_share: 1.1", "upper_share: 0.8", "Expected `float` >= 1"),
        ("upper_share: 1.1", "upper_limit: 17", "the upper limit 17 is below the target 18"),
        ("upper_share: 1.1", "upper_share: 1.1, upper_limit: 30", "two upper limits"),
        ("{metric: BOXES", "{metric: mAP", "'mAP' is there twice"),
        ("[{metric: mAP, reference: 40, share: 0.5}]", "[]", "there is no metric"),
        ("[{metric: mAP, reference: 40", "[{metric: map, reference: 40", "unknown metric 'map'"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, old: str, new: str, what: str) -> None:
    path = write(tmp_path, **{old: new})
    with pytest.raises(ProfileError) as caught:
        load_round(path)
    assert what.replace("`float`", "float") in caught.value.what
    assert "later.yaml:" in caught.value.what
