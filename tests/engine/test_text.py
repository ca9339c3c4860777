"""Text from outside on its way to a terminal."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text import clean, clean_lines, csv_cell, whole_path


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_clean_text_can_be_written_and_steers_nothing(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode().decode() == cleaned
    assert not [one for one in cleaned if unicodedata.category(one) == "Cc" and one != "\t"]
    assert not [one for one in cleaned if unicodedata.bidirectional(one) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI")]
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("r\udce9sultats", r"r\xe9sultats"),
        ("\x1b]0;title\x07\x1b[31m", "]0;title[31m"),
        ("one\r\ntwo\nthree", "one two three"),
        ("a\u202eb\u2066c", "abc"),
        ("\ud800", "\ufffd"),
        ("é 雪 \t", "é 雪 \t"),
    ],
)
def test_what_a_person_sees(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_several_lines_stay_several() -> None:
    assert clean_lines("a\x1b[1m\nb") == "a[1m\nb"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd|' ,C calc'!A0", "'=cmd|' ,C calc'!A0"),
        ("+1+cmd", "'+1+cmd"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("-x", "'-x"),
        ("-1.5e+3", "-1.5e+3"),
        ("+191 %", "+191 %"),
        ("ResNet-50 = fast", "ResNet-50 = fast"),
        ("b\udcfcx\nnext\x1b", "b\\xfcx next"),
        ("", ""),
    ],
)
def test_a_cell_is_never_a_formula(text: str, cell: str) -> None:
    assert csv_cell(text) == cell
    csv_cell(text).encode()


def test_a_path_is_whole_even_with_a_user_that_is_not_known_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert whole_path("~/x") == Path("/home/me/x")
    assert whole_path("~no-such-user/x") == tmp_path / "~no-such-user" / "x"
    assert whole_path("x") == tmp_path / "x"
