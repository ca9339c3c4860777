"""Answer extraction, text and scores; test_squad_goldens.py compares them with the rules' scripts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backends.base import Array
from engine.tasks import squad, squad_eval
from engine.tasks.wordpiece import words

LENGTH, START = 60, 4
LETTERS = st.text("abcXYZ\u00e9\u0130\u00df\u4e2d'.,- \u00a0\u0301", max_size=20)


def feature(*, counts: Array | None = None) -> squad.Feature:
    """A question of two tokens and a span of 55."""
    span = LENGTH - START - 1
    tokens = ("[CLS]", "q", "q", "[SEP]", *(f"t{place}" for place in range(span)), "[SEP]")
    return squad.Feature(0, tokens, START, np.arange(span), np.ones(span, np.bool_) if counts is None else counts)


def logits(starts: dict[int, float], ends: dict[int, float], length: int = LENGTH) -> Array:
    """Low everywhere, descending by index, except as given."""
    found = np.repeat(-100 - np.arange(length, dtype=np.float32)[:, None], 2, axis=1)
    for column, given_ in enumerate((starts, ends)):
        for place, value in given_.items():
            found[place, column] = value
    return found


def span(found: squad_eval.Span | None) -> tuple[int, int] | None:
    return None if found is None else (found.start, found.end)


def test_the_highest_sum_wins_and_of_equal_ones_the_first_by_rank() -> None:
    assert span(squad_eval.best_span(feature(), logits({10: 5, 45: 4}, {12: 1, 47: 3}))) == (45, 47)
    assert span(squad_eval.best_span(feature(), logits({10: 5, 45: 5}, {12: 3, 47: 3}))) == (10, 12)
    assert span(squad_eval.best_span(feature(), logits({10: 4, 45: 5}, {12: 4, 47: 3}))) == (45, 47)


@pytest.mark.parametrize(
    ("start", "end"),
    [(2, 12), (10, 3), (10, 9), (10, 40), (10, LENGTH - 1)],
    ids=["in the question", "end in the question", "backwards", "31 tokens", "at the separator"],
)
def test_what_is_no_answer_is_passed_over(start: int, end: int) -> None:
    found = squad_eval.best_span(feature(), logits({start: 50, 30: 1}, {end: 50, 31: 1}))
    assert span(found) != (start, end)
    assert found is not None
    assert START <= found.start <= found.end < LENGTH - 1
    assert found.end - found.start < squad_eval.LONGEST_ANSWER


def test_30_tokens_and_the_very_last_one_are_an_answer() -> None:
    assert span(squad_eval.best_span(feature(), logits({10: 50}, {39: 50}))) == (10, 39)
    last = LENGTH - 2
    assert span(squad_eval.best_span(feature(), logits({last: 50}, {last: 50}))) == (last, last)


def test_an_answer_begins_where_its_context_is_most_and_may_end_elsewhere() -> None:
    counts = np.ones(LENGTH - START - 1, np.bool_)
    counts[6:10] = False
    found = squad_eval.best_span(feature(counts=counts), logits({10: 50, 9: 40}, {12: 50}))
    assert span(found) == (9, 12)


def test_the_21st_begin_is_not_looked_at() -> None:
    starts = {place: 100.0 - place for place in range(20)}
    ends = {place: 100.0 - place for place in range(1, 21)}
    assert span(squad_eval.best_span(feature(), logits(starts, ends))) == (4, 4)
    only_the_question = dict.fromkeys(range(4), 100.0) | dict.fromkeys(range(40, 56), 90.0)
    assert squad_eval.best_span(feature(), logits(only_the_question, dict.fromkeys(range(4, 24), 1.0))) is None


def test_what_fills_a_response_up_takes_part_in_the_ranking() -> None:
    low = np.full((squad.LONGEST, 2), -10_000, np.float32)
    low[:LENGTH] = -20_000
    assert squad_eval.best_span(feature(), low) is None
    question = squad.SquadQuestion("q", "q", ("a",), ("a",))
    assert squad_eval.answer(question, [None, None]) == squad_eval.answer(question, []) == "empty"


def test_of_equal_features_the_first_answers() -> None:
    question = squad.SquadQuestion("q", "q", tuple(f"t{place}" for place in range(100)), ("a",))
    spans = [squad_eval.Span(feature(), place, place + 1, 3.0) for place in (10, 20)]
    assert squad_eval.answer(question, [None, *spans]) == "t6 t7"


@pytest.mark.parametrize(
    ("plain", "source", "text"),
    [
        ("steve smith", "Steve Smith's", "Steve Smith"),
        ("1895", "(1895\u20131943).", "1895"),
        ("gdansk", "Gda\u0144sk,", "Gda\u0144sk"),
        ("istanbul", "\u0130stanbul,", "\u0130stanbul"),
        ("[UNK]", "w" * 101, "w" * 101),
        ("", "any", "any"),
        ("clair", "e\u0301clair.", "e\u0301clair."),
        ("b", "a\u200bb c", "a\u200bb c"),
    ],
)
def test_an_answer_is_written_as_in_the_context(plain: str, source: str, text: str) -> None:
    assert squad_eval.aligned(plain, source) == text


@given(st.lists(st.text("abcDEF'.,-\u00e9", min_size=1, max_size=6), min_size=1, max_size=5))
def test_all_tokens_of_a_text_are_all_of_the_text(parts: list[str]) -> None:
    source = " ".join(parts)
    assert squad_eval.aligned(" ".join(words(source)), source) == source


@given(LETTERS, LETTERS)
def test_an_aligned_answer_is_a_part_of_the_source(plain: str, source: str) -> None:
    assert squad_eval.aligned(plain, source) in source


@given(st.data())
def test_an_aligned_answer_has_the_tokens_that_were_asked_for(data: st.DataObject) -> None:
    source = data.draw(st.text("abcD\u00e9 ,.'-", min_size=1, max_size=25).filter(lambda text: bool(words(text))))
    tokens = words(source)
    first = data.draw(st.integers(0, len(tokens) - 1))
    last = data.draw(st.integers(first, len(tokens) - 1))
    assert words(squad_eval.aligned(" ".join(tokens[first : last + 1]), source)) == tokens[first : last + 1]


@pytest.mark.parametrize(
    ("given_", "right", "exact", "f1"),
    [
        ("The  Cat.", "cat", True, 1.0),
        ("an a the", "", True, 0.0),
        ("cat cat dog", "cat dog dog", False, 2 / 3),
        ("cat", "dog", False, 0.0),
        ("theatre", "atre", False, 0.0),
    ],
)
def test_answers_are_compared_without_case_punctuation_and_articles(
    given_: str, right: str, exact: bool, f1: float
) -> None:
    assert (squad_eval.normalised(given_) == squad_eval.normalised(right)) is exact
    assert squad_eval.overlap(given_, right) == pytest.approx(f1)


def test_the_better_of_the_right_answers_counts() -> None:
    questions = [squad.SquadQuestion(name, "?", ("a",), ("red", "blue sky")) for name in "ab"]
    found = squad_eval.evaluate(questions, ["the blue sky", "sky"])
    assert found == (50.0, 100.0 * (1 + 2 / 3) / 2)
