"""Suggestions of the nearest valid word, or none if that would be a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import closest, nearest

WORDS = st.lists(st.text("abcdeABC_-12", min_size=1, max_size=6), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("word", "allowed", "said"),
    [
        ("scenaros", ("scenarios", "modes"), "did you mean 'scenarios'?"),
        ("OFFLINE", ("Offline", "Server"), "did you mean 'Offline'?"),
        ("output-dir", ("output_dir", "home"), "did you mean 'output_dir'?"),
        ("TEST02", ("TEST01", "TEST04", "TEST05"), "did you mean 'TEST01', 'TEST04' or 'TEST05'?"),
        ("TEST06", ("TEST01", "TEST16"), "did you mean 'TEST01' or 'TEST16'?"),
        ("x", ("one", "two"), "allowed: one, two"),
        ("x", (), "nothing is allowed here"),
        ("x", [f"n{i:02}" for i in range(20)], "n11, ..."),
    ],
)
def test_the_nearest_words_are_named(word: str, allowed: tuple[str, ...], said: str) -> None:
    assert said in nearest(word, allowed)


def test_a_prefix_stands_before_every_word() -> None:
    assert nearest("TEST02", ("TEST01", "TEST05"), "--") == "did you mean '--TEST01' or '--TEST05'?"
    assert nearest("zzz", ("a", "b"), "_") == "allowed: _a, _b"


@given(words=WORDS, word=st.text("abcdeABC_-12", min_size=1, max_size=6))
def test_only_allowed_words_are_near_and_the_word_itself_is_the_nearest(words: list[str], word: str) -> None:
    assert set(closest(word, words)) <= set(words)
    assert word in closest(word, {word, "unlike"})
