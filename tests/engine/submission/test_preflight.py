"""Problems that can be predicted are reported before the runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.submission.identity import IdentityWarning
from engine.submission.preflight import Intended, preflight
from tests.engine.submission.results_folder import rules

RULES = rules()
DESCRIPTION = {
    **dict.fromkeys(RULES.system.required, ""),
    "division": "closed",
    "submitter": "Me",
    "status": "available",
    "system_type": "edge",
}
GOOD = Intended(
    benchmark="resnet50",
    style="valid",
    scenarios=("SingleStream", "MultiStream", "Offline"),
    modes=("performance", "accuracy"),
    compliance=("TEST01", "TEST04", "TEST05"),
    description=DESCRIPTION,
    samples=50_000,
    stand_in=False,
    notice="",
    own_calibration="",
    targets={"SingleStream": 9, "MultiStream": 200, "Offline": 410},
    disk_needed=1,
    disk_free=2,
)


def test_nothing_is_said_of_a_plan_that_will_pass() -> None:
    assert preflight(GOOD, RULES) == []


@pytest.mark.parametrize(
    ("changes", "severity", "what", "remedy"),
    [
        ({"style": "fast"}, "error", "style fast", "_valid"),
        ({"stand_in": True}, "error", "synthetic weights", "real model"),
        ({"notice": "x"}, "error", "demonstration", "real"),
        (
            {"own_calibration": "calibration-patterns"},
            "error",
            "calibration-patterns are no",
            "_option-1",
        ),
        ({"disk_needed": 3}, "error", "are free", "free some space"),
        ({"description": {}}, "error", "no description", "system new"),
        ({"description": {**DESCRIPTION, "division": "opn"}}, "error", "division is 'opn'", "closed"),
        ({"description": {**DESCRIPTION, "status": "soon"}}, "error", "status is 'soon'", "preview"),
        ({"description": {**DESCRIPTION, "system_type": "edge, datacenter"}}, "error", "system_type", "edge"),
        ({"description": {**DESCRIPTION, "submitter": ""}}, "error", "no submitter", "submitter"),
        ({"description": {k: v for k, v in DESCRIPTION.items() if k != "cooling"}}, "error", "missing cooling", "add"),
        ({"scenarios": ("Offline",)}, "error", "SingleStream, MultiStream must be run", "_all-scenarios"),
        ({"modes": ("performance",)}, "error", "needs accuracy runs", "_all-modes"),
        ({"compliance": ("TEST01",)}, "error", "TEST04, TEST05", "_compliance"),
        ({"samples": 20}, "error", "has 20 samples", "whole data set"),
        ({"samples": 5000}, "warning", "5000 of 50000", "whole data set"),
        ({"targets": ()}, "note", "Offline has no configured target", "_find-performance"),
        ({"min_duration_ms": 1000}, "warning", "Offline may end after 1000 of 600000 ms", "--min_duration_ms"),
        ({"doubts": (IdentityWarning("the name is another's", "say yours"),)}, "warning", "zip refuses", "say yours"),
        ({"benchmark": "bert-99.9"}, "error", "not in this system's category", "system_type"),
    ],
)
def test_what_will_be_refused_is_said_with_its_remedy(
    changes: dict[str, Any], severity: str, what: str, remedy: str
) -> None:
    found = preflight(replace(GOOD, **changes), RULES)
    assert any(one.severity == severity and what in one.what and remedy in one.remedy for one in found), found


def test_the_open_division_asks_less() -> None:
    open_ = replace(GOOD, description={**DESCRIPTION, "division": "open"}, scenarios=("Offline",), compliance=())
    assert preflight(open_, RULES) == []


def test_an_unknown_size_is_not_judged() -> None:
    assert preflight(replace(GOOD, samples=None), RULES) == []
