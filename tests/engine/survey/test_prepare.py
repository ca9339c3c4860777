"""A prepared plan: what it says of its results before there are any."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.facts import NO_ACCURACY
from engine.plan.selection_syntax import selection_of
from engine.survey.prepare import prepare, workplace

TAGS = "--tags=app,mlperf,inference"


@pytest.mark.parametrize(
    ("words", "unshown"),
    [
        (",_bert-99,_span-net,_int8", True),
        (",_bert-99,_stand-in,_int8", True),
        (",_rnnt,_letters-net,_int8", True),
        (",_bert-99,_span-net,_int8,_all-modes", False),
        (",_bert-99,_span-net,_int8,_accuracy-only", False),
        (",_bert-99,_span-net", False),
        (",_bert-99,_int8", False),  # as published
    ],
)
def test_the_speed_of_int8_made_here_is_said_to_show_no_accuracy(tmp_path: Path, words: str, unshown: bool) -> None:
    chosen, _ = selection_of([TAGS + words])
    prepared = prepare(workplace(str(tmp_path)), chosen)
    assert (prepared.accuracy_note == NO_ACCURACY) == unshown
    assert (NO_ACCURACY in prepared.start_notice) == unshown
