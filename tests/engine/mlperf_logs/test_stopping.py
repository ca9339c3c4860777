"""Sentences of early stopping, from either log."""

from __future__ import annotations

import pytest

from engine.mlperf_logs.stopping import stopping_words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (" * Run unsuccessful.  * Processed 23898 queries.", ["Run unsuccessful.", "Processed 23898 queries."]),
        (["* Run unsuccessful.", "* Need 609 more,", "  at least."], ["Run unsuccessful.", "Need 609 more, at least."]),
        ("", []),
        (None, []),
        (7, []),
        ([None, 3], []),
    ],
)
def test_each_sentence_by_itself(said: object, words: list[str]) -> None:
    assert stopping_words(said) == words
