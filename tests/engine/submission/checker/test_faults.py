"""Single-fault trees: each has one fault, and the checker must report exactly that."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.submission.checker.check import check
from engine.submission.checker.rules import RULES
from tests.engine.submission.base_tree import RULES as ROUND
from tests.engine.submission.base_tree import SYSTEMS, write_system
from tests.engine.submission.checker import (
    faults_accuracy,
    faults_compliance,
    faults_layout,
    faults_measurements,
    faults_models,
    faults_performance,
    faults_placement,
    faults_power,
    faults_system,
    later_faults,
)
from tests.engine.submission.checker.faults import Fault

FAULTS = [
    *faults_layout.FAULTS,
    *faults_models.FAULTS,
    *faults_system.FAULTS,
    *faults_measurements.FAULTS,
    *faults_accuracy.FAULTS,
    *faults_performance.FAULTS,
    *faults_placement.FAULTS,
    *faults_compliance.FAULTS,
    *faults_power.FAULTS,
]


EMPTIED = {"layout.empty_folder"}
"""Result of removing a folder's only file."""


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a read-only tree of one system."""
    made: dict[str, Path] = {}

    def tree(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("base")
            write_system(made[name], SYSTEMS[name])
        return made[name]

    return tree


@pytest.mark.parametrize("name", SYSTEMS)
def test_an_untouched_tree_is_clean(name: str, base: Callable[[str], Path]) -> None:
    report = check(base(name), ROUND)
    assert report.findings == []
    assert report.verdict == "pass"
    assert {result.verdict for result in report.results} == {"pass"}
    system = SYSTEMS[name]
    assert len(report.results) == sum(len(system.scenarios_of(model)) for model in system.models)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_single_fault(fault: Fault, base: Callable[[str], Path], tmp_path: Path) -> None:
    root = tmp_path / "tree"
    shutil.copytree(base(fault.system), root)
    fault.make(root / (fault.at or fault.path))
    report = check(root, ROUND)
    said = [(finding.rule, finding.severity, finding.path) for finding in report.findings]
    assert (fault.rule, fault.severity, fault.path) in said
    others = {rule for rule, _, path in said if (rule, path) != (fault.rule, fault.path)}
    assert others <= fault.also | EMPTIED
    assert report.verdict == ("fail" if fault.severity == "error" else "pass")
    stands = fault.severity != "error" or fault.results_stand
    assert all(result.verdict == "pass" for result in report.results) == (stands or not report.results)
    for finding in report.findings:
        assert finding.found
        assert finding.remedy


def test_there_is_a_tree_for_every_rule() -> None:
    tried = {fault.rule for fault in FAULTS} | {fault.rule for fault in later_faults.faults()}
    # Root reads everything; a submitter's own model names, power in later rounds, and results without their outputs or
    # in a scenario that can't be judged have tests of their own.
    own = {"layout.unreadable", "model.mapping", "measurements.power", "accuracy.samples_shown", "performance.refused"}
    assert set(RULES) - tried == own
    assert len(FAULTS) >= 120
    assert len({(str(fault), fault.path) for fault in FAULTS}) == len(FAULTS)
