"""Each finding has the key that fixes it, or an explanation; findings form a tree by place."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.guide import mending, offers
from engine.guide.mending import Remark, mend_expected, remarks
from engine.submission.checker.findings import Finding
from engine.submission.preflight import Expected
from tests.engine.guide.way import Way

OFFLINE = "open/Acme/results/box/resnet50/Offline/performance/run_1/mlperf_log_detail.txt"


@pytest.fixture
def way(tmp_path: Path) -> Way:
    found = Way(tmp_path)
    found.choose()
    found.describe()
    found.measure()
    found.build()
    return found


def remark(way: Way, rule: str, severity: str, path: str = OFFLINE, found: str = "", *, own: bool = True) -> Remark:
    sight = way.sight()
    finding = Finding(rule, severity, path, found, "")  # type: ignore[arg-type]
    foreseen = offers.OFFERS[offers.PHOTOGRAPHS].expected
    return remarks(sight.tree, [finding], sight.rules, own=own, foreseen=foreseen)[0]


@pytest.mark.parametrize(
    ("rule", "severity", "words"),
    [
        ("performance.min_duration", "warning", "style test is short"),
        ("performance.sample_count", "error", "has 1024 images"),
        ("accuracy.data_set", "note", "open division allows"),
        ("accuracy.target", "note", "no accuracy to reach"),
        ("performance.warning", "note", "changes nothing"),
    ],
)
def test_what_belongs_to_a_practice_is_explained_and_not_to_be_mended(
    way: Way, rule: str, severity: str, words: str
) -> None:
    found = remark(way, rule, severity)
    assert words in found.explained
    assert found.mend is None


def test_an_invalid_run_is_no_part_of_any_practice(way: Way) -> None:
    found = remark(way, "performance.validity", "error")
    assert found.explained == ""
    assert found.mend == mending.Mend("r", "run Offline again", scenario="Offline")
    assert remark(way, "performance.early_stopping", "error").mend is not None
    assert remark(way, "performance.validity", "error", own=False).mend is None, "another's runs are not here"


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
def test_a_finding_about_the_description_leads_to_its_field(way: Way, rule: str, found: str, field: str) -> None:
    mend = remark(way, rule, "warning", "open/Acme/systems/box.json", found).mend
    assert mend is not None
    assert (mend.key, mend.field) == ("e", field)


def test_logs_are_truncated_in_any_tree(way: Way) -> None:
    mend = remark(way, "accuracy.log_size", "error", own=False).mend
    assert mend is not None
    assert mend.key == "t"


def test_a_finding_in_a_tree_of_others_has_no_origin_to_explain_it(way: Way) -> None:
    found = remark(way, "performance.min_duration", "warning", "open/Other/results/x/resnet50/Offline/performance")
    assert found.explained == ""


def test_what_the_preflight_says_leads_to_where_it_is_mended() -> None:
    description = mend_expected(Expected("error", "x", "y", "description"))
    assert description is not None
    assert description.key == "e"
    chosen = mend_expected(Expected("error", "x", "y", "style"))
    assert chosen is not None
    assert chosen.key == "Enter"
    assert mend_expected(Expected("note", "x", "y", "runs")) is None
    assert mend_expected(Expected("error", "x", "y", "disk")) is None
