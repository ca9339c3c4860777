"""Findings as a tree by place, by severity, and by the result that they are about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.profile.tree_rules import Severity
from engine.submission.checker.findings import Finding, Report
from engine.submission.grouping import Branch, by_place, by_severity, counts, errors_by_result, result_of

RULE = "performance.validity"


def finding(path: str, severity: Severity = "warning", rule: str = RULE) -> Finding:
    return Finding(rule, severity, path, "INVALID", "VALID")


def places(branch: Branch[str], above: str = "") -> list[str]:
    """Return the whole path of everything in a tree."""
    here = "/".join(name for name in (above, branch.path) if name)
    return [*(here for _ in branch.found), *(one for inside in branch.inside.values() for one in places(inside, here))]


def test_places_share_a_line_where_they_hold_one_thing() -> None:
    paths = ["open/Acme/a/b/one.txt", "open/Acme/a/b/two.txt", "open/Acme/c/three.txt", "."]
    root = by_place((finding(path) for path in paths), lambda one: one.path)
    assert list(root.inside) == ["open", "."]
    acme = root.inside["open"]
    assert acme.path == "open/Acme"
    assert [one.path for one in acme.inside.values()] == ["a/b", "c/three.txt"]
    assert [one.path for one in acme.inside["a"].inside.values()] == ["one.txt", "two.txt"]
    assert len(acme.inside["c"].found) == 1


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5).map("/".join), max_size=20))
def test_nothing_is_lost_or_moved(paths: list[str]) -> None:
    root = by_place(paths, str)
    assert sorted(places(root)) == sorted(paths)

    def joined(branch: Branch[str]) -> bool:
        alone = len(branch.inside) == 1 and not branch.found
        return not alone and all(joined(one) for one in branch.inside.values())

    assert joined(root)


def test_the_worst_comes_first_and_what_is_not_there_is_left_out() -> None:
    found = [finding("x", "note"), finding("y", "error"), finding("z", "note")]
    assert [(one, len(its)) for one, its in by_severity(found, lambda one: one.severity)] == [("error", 1), ("note", 2)]
    report = Report("fail", [], found, {}, "v2.1")
    assert counts(report) == "1 error, 0 warnings, 2 notes"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("open/Acme/results/box/resnet50/Offline/performance/run_1/x.txt", "open Acme box resnet50 Offline"),
        ("open/Acme/measurements/box/resnet50/Offline", "open Acme box resnet50 Offline"),
        ("open/Acme/systems/box.json", "open Acme box"),
        ("open/Acme/code", "open Acme"),
        (".", "."),
    ],
)
def test_the_result_of_a_place(path: str, key: str) -> None:
    assert result_of(path) == tuple(key.split())


def test_errors_are_gathered_by_result() -> None:
    result = "open/Acme/results/box/resnet50/Offline"
    found = [
        finding(f"{result}/performance", "error"),
        finding(f"{result}/accuracy", "error", "accuracy.target"),
        finding(f"{result}/accuracy", "warning", "accuracy.samples"),
    ]
    assert errors_by_result(found) == {result_of(result): {RULE, "accuracy.target"}}
