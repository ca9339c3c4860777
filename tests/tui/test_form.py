"""A form's lines: whether a field is right is a word, and a value never breaks the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.submission.form import Field, Verdict
from tui.widgets.form import WORDS, annotated, explanation, row


def field(value: str = "x", verdict: Verdict = "ok", said: str = "", detected: str = "") -> Field:
    return Field("cooling", "cooling", "group", value, "how it is cooled", (), detected, verdict, said, "say it")


@pytest.mark.parametrize("verdict", WORDS)
def test_what_a_field_is_stands_there_as_a_word(verdict: Verdict) -> None:
    assert WORDS[verdict][0] in row(field(verdict=verdict), 80).plain


def test_a_detected_value_is_shown_as_such_and_another_one_beside_it() -> None:
    assert annotated(field("air", detected="air")) == "detected on this machine"
    assert annotated(field("air", detected="water")) == "detected: water"
    assert annotated(field("air", said="no", detected="water")) == "no"
    assert "detected on this machine" in row(field("air", detected="air"), 120).plain


def test_what_is_wrong_comes_with_what_to_do() -> None:
    text = explanation(field(verdict="problem", said="it is empty")).plain
    assert "it is empty; say it" in text


@given(st.text(max_size=300), st.text(max_size=300), st.integers(60, 160))
def test_no_line_is_wider_than_the_screen_or_holds_an_escape(value: str, said: str, width: int) -> None:
    text = row(field(value, "warning", said, value), width).plain
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(text) <= width
