from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ascii import to_ascii


@pytest.mark.parametrize(
    ("text", "width", "plain"),
    [
        ("a", 1, "a"),
        ("│", 1, "|"),
        ("╭", 1, "+"),
        ("━", 1, "-"),
        ("●", 1, "*"),
        ("é", 1, "e"),
        ("⣿", 1, ":"),
        ("⠉", 1, "'"),
        ("⣀", 1, "."),
        ("⠀", 1, " "),
        ("漢", 2, "??"),
        ("\uff21", 2, "A "),
        ("\u00a0", 1, " "),
    ],
)
def test_characters_look_alike(text: str, width: int, plain: str) -> None:
    assert to_ascii(text, width) == plain


@given(st.text(min_size=1, max_size=3), st.sampled_from([1, 2]))
def test_nothing_gets_past(text: str, width: int) -> None:
    assert to_ascii(text, width).isascii()


@given(st.characters(min_codepoint=0xA0, exclude_categories=["Cs"]), st.sampled_from([1, 2]))
def test_the_width_stays(character: str, width: int) -> None:
    assert len(to_ascii(character, width)) == width
