"""Requirements of rounds after v2.1: alternatives, several metrics, upper limits, a test that is not about speed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.mlperf import ACCURACY_TEXT, DETAIL_LOG
from engine.profile.rounds import Round
from engine.submission.checker.check import check
from tests.engine.profile.later_round import later_round
from tests.engine.submission.base_tree import SYSTEMS, write_system
from tests.engine.submission.checker.faults import says

SYSTEM = "edge-retinanet"
HOME = "closed/Acme"


def tree(folder: Path, boxes: str = "boxes=20.5\n") -> Path:
    """Write a complete tree of retinanet for the later round."""
    root = folder / "tree"
    write_system(root, SYSTEMS[SYSTEM])
    for score in root.rglob(f"results/**/{ACCURACY_TEXT}"):
        score.write_text(boxes + score.read_text())
    for test in root.rglob("TEST05"):
        later = test.with_name("TEST06")
        shutil.copytree(test.with_name("TEST01") / "accuracy", later / "accuracy")
        shutil.copyfile(test.with_name("TEST01") / "verify_accuracy.txt", later / "verify_accuracy.txt")
        shutil.rmtree(test)
    return root


def broken(root: Path, rules: Round) -> set[tuple[str, str, str]]:
    """Return the findings: rule, found, expected."""
    return {(one.rule, one.found, one.expected) for one in check(root, rules).findings}


def remove(root: Path, *scenarios: str) -> None:
    for scenario in scenarios:
        for kind in ("results", "measurements", "compliance"):
            shutil.rmtree(root / HOME / kind / SYSTEM / "retinanet" / scenario)


@pytest.fixture
def rules(tmp_path: Path) -> Round:
    return later_round(tmp_path)


def test_a_whole_tree_passes(tmp_path: Path, rules: Round) -> None:
    assert broken(tree(tmp_path), rules) == set()


@pytest.mark.parametrize("left_out", ["SingleStream", "MultiStream"])
def test_one_of_the_alternatives_is_enough(tmp_path: Path, rules: Round, left_out: str) -> None:
    root = tree(tmp_path)
    remove(root, left_out)
    assert broken(root, rules) == set()


def test_none_of_the_alternatives_is_too_few(tmp_path: Path, rules: Round) -> None:
    root = tree(tmp_path)
    remove(root, "SingleStream", "MultiStream")
    found = ("scenario.missing", "no SingleStream or MultiStream", "Offline, SingleStream or MultiStream")
    assert broken(root, rules) == {found}


@pytest.mark.parametrize(
    ("boxes", "rule", "found", "expected"),
    [
        ("boxes=17.99\n", "accuracy.target", "BOXES 17.99 per image", "BOXES of at least 18 per image"),
        ("boxes=22.01\n", "accuracy.target", "BOXES 22.01 per image", "BOXES of at most 22 per image"),
        ("", "accuracy.value_missing", "no line that gives BOXES", "boxes="),
    ],
)
def test_every_metric_has_its_limits(
    tmp_path: Path, rules: Round, boxes: str, rule: str, found: str, expected: str
) -> None:
    said = broken(tree(tmp_path, boxes), rules)
    assert {(one[0], one[1]) for one in said} == {(rule, found)}
    assert all(one[2].startswith(expected) for one in said)


@pytest.mark.parametrize("boxes", ["boxes=18\n", "boxes=22\n"])
def test_the_limits_themselves_are_fine(tmp_path: Path, rules: Round, boxes: str) -> None:
    assert broken(tree(tmp_path, boxes), rules) == set()


@pytest.mark.parametrize(("samples", "enough"), [(5000, True), (4999, False)])
def test_the_benchmarks_own_number_holds_in_its_scenario(
    tmp_path: Path, rules: Round, samples: int, enough: bool
) -> None:
    root = tree(tmp_path)
    log = root / HOME / "results" / SYSTEM / "retinanet" / "Offline" / "performance" / "run_1" / DETAIL_LOG
    says(effective_samples_per_query=samples)(log)
    found = {rule for rule, *_ in broken(root, rules)} - {"performance.summary"}
    assert found == (set() if enough else {"performance.samples_per_query"})


def test_a_test_without_speed_needs_its_responses_only(tmp_path: Path, rules: Round) -> None:
    root = tree(tmp_path)
    shutil.rmtree(root / HOME / "compliance" / SYSTEM / "retinanet" / "Offline" / "TEST06")
    (root / HOME / "compliance" / SYSTEM / "retinanet" / "SingleStream" / "TEST06" / "verify_accuracy.txt").unlink()
    assert {rule for rule, *_ in broken(root, rules)} == {"compliance.test_missing", "compliance.verify_accuracy"}


def test_two_accuracies_are_compared_by_every_metric(tmp_path: Path, rules: Round) -> None:
    root = tree(tmp_path)
    test = root / HOME / "compliance" / SYSTEM / "retinanet" / "Offline" / "TEST01"
    (test / "verify_accuracy.txt").write_text("TEST FAIL\n")
    (test / "accuracy" / "baseline_accuracy.txt").write_text("mAP=37.5%\nboxes=20\n")
    for boxes, expected in (("20.3", set()), ("20.5", {"compliance.accuracy_differs"})):
        (test / "accuracy" / "compliance_accuracy.txt").write_text(f"mAP=37.4%\nboxes={boxes}\n")
        assert {rule for rule, *_ in broken(root, rules)} == expected
