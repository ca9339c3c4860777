"""Each finding has the key that fixes it, or an explanation; findings form a tree by place."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.guide import fixes, presets
from engine.guide.fixes import AnnotatedFinding, annotated_findings, fix_expected
from engine.submission.checker.findings import Finding
from engine.submission.preflight import Expected
from tests.engine.guide.driver import GuideDriver

OFFLINE = "open/Acme/results/box/resnet50/Offline/performance/run_1/mlperf_log_detail.txt"


@pytest.fixture
def driver(tmp_path: Path) -> GuideDriver:
    found = GuideDriver(tmp_path)
    found.choose()
    found.describe()
    found.measure()
    found.build()
    return found


def annotated(
    driver: GuideDriver, rule: str, severity: str, path: str = OFFLINE, found: str = "", *, own: bool = True
) -> AnnotatedFinding:
    overview = driver.overview()
    finding = Finding(rule, severity, path, found, "")  # type: ignore[arg-type]
    by_design = presets.FEW.expected
    return annotated_findings(overview.tree, [finding], overview.rules, own=own, by_design=by_design)[0]


@pytest.mark.parametrize(
    ("rule", "severity", "words"),
    [
        ("performance.min_duration", "warning", "style test are short"),
        ("performance.sample_count", "error", "has 1024 samples"),
        ("accuracy.data_set", "note", "open division allows"),
        ("accuracy.target", "note", "no accuracy target"),
        ("performance.warning", "note", "without consequences"),
    ],
)
def test_what_belongs_to_a_practice_is_explained_and_not_to_be_mended(
    driver: GuideDriver, rule: str, severity: str, words: str
) -> None:
    found = annotated(driver, rule, severity)
    assert words in found.explained
    assert found.fix is None


def test_an_invalid_run_is_no_part_of_any_practice(driver: GuideDriver) -> None:
    found = annotated(driver, "performance.validity", "error")
    assert found.explained == ""
    assert found.fix == fixes.Fix("r", "run Offline again", scenario="Offline")
    assert annotated(driver, "performance.early_stopping", "error").fix is not None
    assert annotated(driver, "performance.validity", "error", own=False).fix is None, "another's runs are not here"


@pytest.mark.parametrize(
    ("rule", "found", "field"),
    [
        ("system.field_empty", "cooling, hw_notes", "cooling"),
        ("system.field_missing", "no cooling, hw_notes", "cooling"),
        ("system.field_text", "hw_notes 5, sw_notes 7", "hw_notes"),
        ("system.field_unknown", "colour", "colour"),
        ("system.type", "system_type 'x'", "system_type"),
        ("model.category", "edge", "system_type"),
    ],
)
def test_a_finding_about_the_description_leads_to_its_field(
    driver: GuideDriver, rule: str, found: str, field: str
) -> None:
    fix = annotated(driver, rule, "warning", "open/Acme/systems/box.json", found).fix
    assert fix is not None
    assert (fix.key, fix.field) == ("e", field)


def test_logs_are_truncated_in_any_tree(driver: GuideDriver) -> None:
    fix = annotated(driver, "accuracy.log_size", "error", own=False).fix
    assert fix is not None
    assert fix.key == "t"


def test_a_finding_in_a_tree_of_others_has_no_origin_to_explain_it(driver: GuideDriver) -> None:
    found = annotated(
        driver, "performance.min_duration", "warning", "open/Other/results/x/resnet50/Offline/performance"
    )
    assert found.explained == ""


def test_what_the_preflight_says_leads_to_where_it_is_mended() -> None:
    description = fix_expected(Expected("error", "x", "y", "description"))
    assert description is not None
    assert description.key == "e"
    chosen = fix_expected(Expected("error", "x", "y", "style"))
    assert chosen is not None
    assert chosen.key == "Enter"
    assert fix_expected(Expected("note", "x", "y", "runs")) is None
    assert fix_expected(Expected("error", "x", "y", "disk")) is None
