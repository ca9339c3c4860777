"""The distance of words: its table for small texts, and what any distance obeys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.word_errors import distance, errors

texts = st.lists(st.sampled_from("abc"), max_size=9)


@pytest.mark.parametrize(
    ("found", "right", "expected"),
    [
        ("", "", 0),
        ("a b c", "a b c", 0),
        ("", "a b", 2),
        ("a b", "", 2),
        ("a x c", "a b c", 1),
        ("b c d", "a b c", 2),
        ("a b", "b a", 2),
        ("the cat sat", "the cat sat down there", 2),
    ],
)
def test_the_fewest_changes_are_counted(found: str, right: str, expected: int) -> None:
    assert distance(found.split(), right.split()) == expected


@given(texts, texts, texts)
def test_it_is_a_distance(one: list[str], two: list[str], three: list[str]) -> None:
    assert distance(one, two) == distance(two, one)
    assert (distance(one, two) == 0) == (one == two)
    assert distance(one, three) <= distance(one, two) + distance(two, three)
    assert abs(len(one) - len(two)) <= distance(one, two) <= max(len(one), len(two))


def test_blanks_are_no_words() -> None:
    assert errors([("  a   b ", "a b"), ("", ""), ("x", "a b c")]) == (3, 5)
