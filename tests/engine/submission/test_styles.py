"""Notices of non-submittable run styles."""

from __future__ import annotations

import pytest

from engine.submission.checker.rules import RULES
from engine.submission.styles import SHORT_RUN, try_out
from tests.engine.submission.results_folder import rules


@pytest.mark.parametrize("style", ["test", "fast"])
def test_a_try_out_says_what_it_is_not(style: str) -> None:
    said = try_out(style, rules())
    assert said.startswith(f"run style {style}: ")
    assert "only _valid can be submitted" in said


def test_a_style_of_the_rules_needs_no_word() -> None:
    assert try_out("valid", rules()) == ""
    assert try_out("none", rules()) == ""


def test_what_short_runs_break_are_rules_of_the_checker() -> None:
    assert set(SHORT_RUN) <= set(RULES)
