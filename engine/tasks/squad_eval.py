"""Answer extraction from logits and scoring: the rules' accuracy-squad.py and SQuAD's v1.1 evaluation.

The arithmetic is identical: sums of logits are in float64, sorting is stable, and the means are summed question by
question.
"""

from __future__ import annotations

import re
import string
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.tasks.base import Array
from engine.tasks.squad import Feature, SquadQuestion
from engine.tasks.wordpiece import CONTINUES, words

CANDIDATES = 20
"""Start and end candidates of an answer: those with the highest logits."""
LONGEST_ANSWER = 30
"""Tokens."""
NO_ANSWER = "empty"
"""Placeholder of a missing answer."""

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


class Span(NamedTuple):
    """An answer in a feature."""

    feature: Feature
    start: int
    end: int
    """First and last token, as indices of the feature's tokens."""
    logit: float
    """The sum of both logits."""


class Figures(NamedTuple):
    """Scores of answers, in per cent."""

    exact_match: float
    f1: float


def best_span(feature: Feature, logits: Array) -> Span | None:
    """Return the best answer in a feature by its logits, float32 [n,2] of start and end; None if there is none.

    An answer has at most LONGEST_ANSWER tokens of the span and starts where that token has the most context. Of equal
    sums the first wins, by the rank of its start, then of its end; of equal logits the first token. n may be larger
    than the feature: the rest is ranked too, as in the rules' script.
    """
    starts, ends = (_highest(column) for column in logits.T)
    length = len(feature.word)
    counts = np.zeros(max(len(logits), feature.end), np.bool_)
    counts[feature.start : feature.end] = feature.counts
    begins, stops = starts[:, None], ends[None, :]
    fits = counts[begins] & (stops < feature.start + length) & (stops >= begins) & (stops - begins < LONGEST_ANSWER)
    if not fits.any():
        return None
    sums = np.where(fits, logits[starts, 0].astype(np.float64)[:, None] + logits[ends, 1].astype(np.float64), -np.inf)
    start, end = divmod(int(sums.argmax()), len(ends))
    return Span(feature, int(starts[start]), int(ends[end]), float(sums[start, end]))


def _highest(logits: Array) -> Array:
    """Return the indices of the highest logits, descending, in a stable order."""
    return np.argsort(-logits, kind="stable")[:CANDIDATES]


def answer(question: SquadQuestion, spans: Sequence[Span | None]) -> str:
    """Return the text of the best answer in a question's features, of equal ones the first."""
    found = [one for one in spans if one is not None]
    return _text(question, max(found, key=lambda one: one.logit)) if found else NO_ANSWER


def _text(question: SquadQuestion, span: Span) -> str:
    """Return the part of the context that is the answer, in its original spelling."""
    feature = span.feature
    joined = " ".join(feature.tokens[span.start : span.end + 1])
    plain = " ".join(joined.replace(f" {CONTINUES}", "").replace(CONTINUES, "").split())
    first, last = (int(feature.word[place - feature.start]) for place in (span.start, span.end))
    return aligned(plain, " ".join(question.words[first : last + 1]))


def aligned(plain: str, source: str) -> str:
    """Return the part of `source` that was tokenised to `plain`, such as `Steve Smith` in `Steve Smith's`.

    Characters are matched one by one, ignoring blanks. If that is impossible, because lower case or accents changed
    their number, or the tokens are missing, all of `source` is returned.
    """
    tokens = " ".join(words(source))
    found = tokens.find(plain)
    places = [place for place, character in enumerate(source) if character != " "]
    of_tokens = [place for place, character in enumerate(tokens) if character != " "]
    if not plain or found < 0 or len(places) != len(of_tokens):
        return source
    first, last = (bisect_left(of_tokens, place) for place in (found, found + len(plain) - 1))
    return source[places[first] : places[last] + 1]


def evaluate(questions: Sequence[SquadQuestion], answers: Sequence[str]) -> Figures:
    """Return the mean scores of answers, one for each question: the maximum over its correct answers."""
    exact = 0
    f1 = 0.0
    for question, given in zip(questions, answers, strict=True):
        exact += max(normalised(given) == normalised(right) for right in question.answers)
        f1 += max(overlap(given, right) for right in question.answers)
    return Figures(100.0 * exact / len(questions), 100.0 * f1 / len(questions))


def overlap(given: str, right: str) -> float:
    """Return the F1 of two answers as bags of words, 0...1."""
    mine, other = normalised(given).split(), normalised(right).split()
    common = sum((Counter(mine) & Counter(other)).values())
    if not common:
        return 0.0
    precision, recall = common / len(mine), common / len(other)
    return (2 * precision * recall) / (precision + recall)


def normalised(text: str) -> str:
    """Return a text in lower case without ASCII punctuation, articles and superfluous white space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())
