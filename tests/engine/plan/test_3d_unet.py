"""Plans of 3d-unet: where scans come from, what is run and how it is scored."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InferdeckError
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.rule_book import rule_book
from engine.plan.selection import Selection
from engine.profile.catalog import load, profile_file
from engine.profile.component import Query
from engine.profile.round_file import load_round
from engine.profile.systems import describer
from tests.engine.plan.test_backends import values
from tests.engine.plan.test_bert import needs


def plan_of(benchmark: str, *words: str, **changes: Any) -> Plan:
    catalog = load([])
    rules = rule_book(load_round(profile_file(catalog.folders, "rounds", "v2.1")), describer(catalog.folders))
    selection = Selection(Query(("app", "mlperf", "inference"), (benchmark, *words)), **changes)
    return resolve(catalog, selection, rules, "v2.1")


def runs(plan: Plan) -> set[str]:
    return {node for node in plan.nodes if node.startswith("loadgen-run")}


@pytest.mark.parametrize("benchmark", ["3d-unet-99", "3d-unet-99.9"])
def test_a_submission_runs_what_the_round_wants_of_an_edge_system(benchmark: str) -> None:
    plan = plan_of(benchmark, "submission", "valid", "compliance", options={"sut": "gcp-n2-standard-80-onnxruntime"})
    modes = ("performance", "accuracy", "TEST01", "TEST05")
    assert runs(plan) == {f"loadgen-run[{one} {mode}]" for one in ("SingleStream", "Offline") for mode in modes}
    assert values(plan, "compliance[Offline TEST01]")["dtype"] == "byte"
    assert {"accuracy-kits19[SingleStream]", "accuracy-kits19[Offline]", "submission"} <= set(plan.nodes)


def test_a_datacenter_system_runs_offline_only() -> None:
    assert runs(plan_of("3d-unet-99.9", "datacenter", "all-scenarios", "valid")) == {"loadgen-run[Offline performance]"}


def test_cases_of_the_rules_are_made_samples() -> None:
    plan = plan_of("3d-unet-99", env={"KITS19_PATH": "/data/kits19"})
    assert needs(plan, "kits19") == {"scans": "kits19-cases"}
    assert values(plan, "kits19-cases")["path"] == "/data/kits19"
    assert needs(plan, "kits19-preprocessed") == {"dataset": "kits19"}
    measured = needs(plan, "loadgen-run[Offline performance]")
    assert (measured["model"], measured["preprocessed"]) == ("3d-unet-model", "kits19-preprocessed")
    assert values(plan, "loadgen-run[Offline performance]")["task"] == "engine.tasks.medical_segmentation"
    assert values(plan, "3d-unet-model")["md5"] == "82f0618fde78f9839e7c712274019b4a"


def test_workers_are_chosen_by_single_windows() -> None:
    plan = plan_of("3d-unet-99")
    assert needs(plan, "choose-workers")["samples"] == "kits19-preprocessed"
    assert values(plan, "choose-workers")["inputs"] == "parts"


def test_a_real_scan_of_another_organ_is_prepared_for_its_model() -> None:
    plan = plan_of("3d-unet-99", "brain-net", "all-modes")
    assert needs(plan, "kits19") == {"scans": "head-scan"}
    prepared = values(plan, "kits19-preprocessed")
    assert (prepared["fit"], prepared["normalise"], prepared["classes"]) == ("128 128 128", "maximum", ("brain",))
    model = values(plan, "brain-net")
    assert (model["channels"], model["threshold"]) == ("last", 0.5)


@pytest.mark.parametrize("words", [(), ("int8",), ("openvino", "bf16"), ("openvino", "int8")])
def test_synthetic_weights_run_on_generated_scans_for_speed_alone(words: tuple[str, ...]) -> None:
    plan = plan_of("3d-unet-99.9", "stand-in", "performance-only", *words)
    assert needs(plan, "kits19")["scans"].startswith("kits19-generated")
    int8 = "int8" in words
    assert ("standin-3d-unet-int8" in plan.nodes) == int8
    if int8:
        assert needs(plan, "standin-3d-unet-int8")["calibration"] == "calibration-kits19-generated"


def test_synthetic_weights_have_no_accuracy() -> None:
    with pytest.raises(InferdeckError, match="of-a-stand-in"):
        plan_of("3d-unet-99", "stand-in", "all-modes")
