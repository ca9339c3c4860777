"""What dlrm-99 and dlrm-99.9 resolve to, with the shipped profiles."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import UsageError
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.rule_book import rule_book
from engine.plan.selection import Selection
from engine.profile.catalog import load, profile_file
from engine.profile.component import Override, Query
from engine.profile.round_file import load_round
from engine.profile.systems import describer
from tests.engine.plan.test_backends import values
from tests.engine.plan.test_bert import needs


def plan_of(*words: str, benchmark: str = "dlrm-99", **changes: Any) -> Plan:
    catalog = load([])
    rules = rule_book(load_round(profile_file(catalog.folders, "rounds", "v2.1")), describer(catalog.folders))
    query = Query(("app", "mlperf", "inference"), (benchmark, *words))
    return resolve(catalog, Selection(query, **changes), rules, "v2.1")


@pytest.mark.parametrize("benchmark", ["dlrm-99", "dlrm-99.9"])
def test_a_submission_runs_what_the_round_wants_of_a_datacenter(benchmark: str) -> None:
    plan = plan_of("all-scenarios", "valid", "compliance", benchmark=benchmark)
    assert {node for node in plan.nodes if node.startswith("loadgen-run")} == {
        f"loadgen-run[{scenario} {mode}]"
        for scenario in ("Server", "Offline")
        for mode in ("performance", "accuracy", "TEST01", "TEST05")
    }
    assert {node for node in plan.nodes if node.startswith("accuracy-criteo")} == {
        "accuracy-criteo[Server]",
        "accuracy-criteo[Offline]",
    }
    assert values(plan, "choose-workers")["target_latency_ms"] == 30


def test_the_rules_model_and_rows_are_used() -> None:
    plan = plan_of(env={"CRITEO_PATH": "/data/criteo", "DLRM_MODEL_PATH": "/data/dlrm"})
    run = needs(plan, "loadgen-run[Offline performance]")
    assert (run["model"], run["preprocessed"]) == ("dlrm-model", "criteo-preprocessed")
    assert needs(plan, "choose-workers")["samples"] == "criteo-preprocessed"
    assert values(plan, "criteo-test-rows")["path"] == "/data/criteo"
    assert values(plan, "dlrm-model")["path"] == "/data/dlrm"


def model(**changes: Any) -> dict[str, Any]:
    return {"overrides": {"model": Override(**changes)}}


@pytest.mark.parametrize("tags", [(), ("checkpoint",)])
def test_model_and_data_set_have_one_range(tags: tuple[str, ...]) -> None:
    plan = plan_of(**model(add=Query(tags, ("10M",))))
    assert values(plan, "criteo-preprocessed")["max_ind_range"] == 10_000_000
    assert values(plan, "criteo-test-rows")["max_ind_range"] == 10_000_000
    chosen = "dlrm-model-checkpoint" if tags else "dlrm-model"
    assert values(plan, chosen)["max_ind_range"] == 10_000_000
    if tags:
        assert values(plan, "dlrm-checkpoint")["md5"] == "b7cacffcf75f767faa9cb2af397723aa"


def test_a_stand_in_is_cut_by_an_option_and_has_no_accuracy() -> None:
    plan = plan_of("stand-in", "performance-only", **model(set={"rows_per_table": 5000}))
    assert values(plan, "standin-dlrm")["rows_per_table"] == 5000
    assert needs(plan, "criteo") == {"rows": "criteo-drawn"}
    with pytest.raises(UsageError, match="of-a-stand-in") as caught:
        plan_of("stand-in", "all-modes")
    assert "synthetic weights" in caught.value.remedy


def test_the_tensorflow_model_is_refused_with_its_reason() -> None:
    with pytest.raises(UsageError) as caught:
        plan_of("tf")
    assert "random weights" in caught.value.remedy
