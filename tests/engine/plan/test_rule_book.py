"""Values that the round sets in plans of the shipped components: which compliance tests run, and their dependencies."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ProfileError, UsageError
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.rule_book import rule_book
from engine.plan.selection import Selection
from engine.profile.catalog import load, profile_file
from engine.profile.component import Query
from engine.profile.round_file import load_round
from engine.profile.systems import describer

SHIPPED = load()
ROUND = load_round(profile_file(SHIPPED.folders, "rounds", "v2.1"))
TESTS = ("TEST01", "TEST04", "TEST05")


def plan_of(*variations: str, **options: Any) -> Plan:
    """Resolve the application with these variations."""
    query = Query(("app", "mlperf", "inference"), variations)
    return resolve(SHIPPED, Selection(query, options=options), rule_book(ROUND, describer(SHIPPED.folders)), "v2.1")


def runs(plan: Plan) -> list[tuple[str, str]]:
    """Scenario and mode of every run."""
    nodes = [node for node in plan.nodes.values() if node.component == "loadgen-run"]
    return [(node.options["scenario"].value, node.options["mode"].value) for node in nodes]


@pytest.mark.parametrize("rule", ["sut-division", "required-scenarios", "required-compliance", "usual-modes"])
def test_a_rule_names_what_its_component_does_not_declare(rule: str) -> None:
    with pytest.raises(ProfileError, match=f"the rule '{rule}' looks for"):
        rule_book(ROUND, describer(SHIPPED.folders))(rule, {})


def test_an_ordinary_plan_has_no_compliance_runs() -> None:
    assert runs(plan_of("all-modes", scenarios="Offline")) == [("Offline", "performance"), ("Offline", "accuracy")]


def test_compliance_means_the_tests_of_the_benchmark_and_the_runs_beside_them() -> None:
    plan = plan_of("compliance", scenarios="Offline,Server")
    modes = ("performance", "accuracy", *TESTS)
    assert set(runs(plan)) == {(scenario, mode) for scenario in ("Offline", "Server") for mode in modes}
    assert str(plan.nodes[plan.root].options["compliance"].reason) == "rule of v2.1: compliance-tests"
    for scenario in ("Offline", "Server"):
        for test in TESTS:
            needs = {edge.name: edge.node for edge in plan.nodes[f"compliance[{scenario} {test}]"].needs}
            assert needs["test"] == f"loadgen-run[{scenario} {test}]"
            assert needs["performance"] == f"loadgen-run[{scenario} performance]"
            assert ("accuracy" in needs) == (test == "TEST01")


def test_one_test_can_be_chosen() -> None:
    plan = plan_of(compliance="TEST05")
    assert runs(plan) == [("Offline", "performance"), ("Offline", "accuracy"), ("Offline", "TEST05")]
    assert [name for name in plan.nodes if name.startswith("compliance")] == ["compliance[Offline TEST05]"]


def test_a_test_without_its_reference_is_refused() -> None:
    with pytest.raises(UsageError, match="compared with a performance run"):
        plan_of("compliance", "accuracy-only")


@pytest.mark.parametrize(("division", "tests"), [("closed", TESTS), ("network", TESTS), ("open", ())])
def test_the_division_says_whether_tests_are_required(division: str, tests: tuple[str, ...]) -> None:
    plan = plan_of("required-compliance", "all-modes", division=division)
    assert [mode for _, mode in runs(plan)] == ["performance", "accuracy", *tests]


def test_a_submission_waits_for_the_verification() -> None:
    plan = plan_of("submission", "patterns-net", sut="demo-offline", division="closed", scenarios="Offline")
    needs = [edge.node for edge in plan.nodes["submission"].needs]
    assert [one for one in needs if one.startswith("compliance")] == [f"compliance[Offline {test}]" for test in TESTS]
    asked = plan_of("submission", "compliance", "patterns-net", sut="demo-offline", scenarios="Offline")
    assert ("Offline", "TEST01") in runs(asked), "open does not ask for them, the person does"
    plain = plan_of("submission", "patterns-net", sut="demo-offline", scenarios="Offline")
    assert [mode for _, mode in runs(plain)] == ["performance", "accuracy"]
