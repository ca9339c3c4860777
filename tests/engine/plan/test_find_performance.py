"""The target search in a plan: alone, with runs that use its result, and in a submission."""

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

SHIPPED = load()
ROUND = load_round(profile_file(SHIPPED.folders, "rounds", "v2.1"))


def plan_of(*variations: str, overrides: dict[str, Override] | None = None, **options: Any) -> Plan:
    """Resolve the application with these variations."""
    query = Query(("app", "mlperf", "inference"), variations)
    selection = Selection(query, options=options, overrides=overrides or {})
    return resolve(SHIPPED, selection, rule_book(ROUND, describer(SHIPPED.folders)), "v2.1")


def nodes(plan: Plan, component: str) -> list[str]:
    """Return the nodes of a component."""
    return [node.id for node in plan.nodes.values() if node.component == component]


def needs(plan: Plan, node: str) -> dict[str, str]:
    """Return what a node needs, by name."""
    return {edge.name: edge.node for edge in plan.nodes[node].needs}


def test_by_itself_it_only_searches() -> None:
    plan = plan_of("find-performance", "patterns-net", scenarios="Server,Offline")
    assert nodes(plan, "find-performance") == ["find-performance[Server]", "find-performance[Offline]"]
    assert nodes(plan, "loadgen-run") == []
    assert {"workers", "model", "preprocessed", "backend"} <= set(needs(plan, "find-performance[Server]"))


@pytest.mark.parametrize("beside", ["performance", "performance-only", "all-modes", "accuracy-only", "compliance"])
def test_runs_beside_it_use_what_it_finds(beside: str) -> None:
    plan = plan_of("find-performance", beside, "patterns-net", scenarios="Server,Offline")
    runs = nodes(plan, "loadgen-run")
    assert runs
    for run in runs:
        scenario = plan.nodes[run].options["scenario"].value
        assert needs(plan, run)["target"] == f"find-performance[{scenario}]"
        assert "sut" not in needs(plan, run), "what the search writes must not make a finished run another one"
    assert nodes(plan, "sut-configuration") == []


def test_in_a_submission_every_required_scenario_is_searched_first() -> None:
    plan = plan_of("submission", "find-performance", "patterns-net", sut="demo-offline")
    order = list(plan.nodes)
    for scenario in plan.nodes[plan.root].options["scenarios"].value:
        search, run = f"find-performance[{scenario}]", f"loadgen-run[{scenario} performance]"
        assert order.index(search) < order.index(run)
        assert f"loadgen-run[{scenario} accuracy]" in order


def test_without_it_nothing_of_it_is_in_the_plan() -> None:
    plan = plan_of("patterns-net")
    assert nodes(plan, "find-performance") == []
    assert nodes(plan, "loadgen-run") == ["loadgen-run[Offline performance]"]
    assert "target" not in needs(plan, "loadgen-run[Offline performance]")
    assert needs(plan, "loadgen-run[Offline performance]")["sut"] == "sut-configuration"


@pytest.mark.parametrize(("style", "seconds"), [("test", 30), ("fast", 120), ("valid", 300)])
def test_the_style_gives_it_its_time_and_a_person_another(style: str, seconds: float) -> None:
    plan = plan_of("find-performance", style, "patterns-net", scenarios="Server")
    decided = plan.nodes["find-performance[Server]"].options["seconds"]
    assert (decided.value, str(decided.reason)) == (seconds, "rule of v2.1: search-seconds")
    for handle in ("target", "find-performance"):
        asked = plan_of("find-performance", style, "patterns-net", overrides={handle: Override(set={"seconds": "7"})})
        assert asked.nodes["find-performance[Offline]"].options["seconds"].value == 7


def test_the_choices_of_a_run_are_those_of_its_trials() -> None:
    plan = plan_of("find-performance", "patterns-net", scenarios="Server", sessions="2", target_latency_ms="150")
    options = plan.nodes["find-performance[Server]"].options
    assert (options["sessions"].value, options["target_latency_ms"].value) == (2, 150)


def test_its_time_can_not_be_nothing() -> None:
    with pytest.raises(UsageError, match="seconds"):
        plan_of("find-performance", "patterns-net", overrides={"target": Override(set={"seconds": "0"})})
