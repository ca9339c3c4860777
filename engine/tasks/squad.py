"""SQuAD v1.1: its file format, and the rules' features (language/bert/create_squad_data.py, v2.1).

A question and the words of its context are tokenised. If they don't fit into one sample, the context is cut into
overlapping spans, one feature each: `[CLS] question [SEP] span [SEP]`. A token in several spans counts in the one with
the most context on its shorter side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine import codec
from engine.errors import DataError
from engine.store.files import read_plain
from engine.tasks.base import Array
from engine.tasks.wordpiece import CLS, SEP, Tokenizer

LONGEST = 384
"""Tokens of a feature."""
LONGEST_QUERY = 64
"""Tokens of a question; the rest is truncated."""
STRIDE = 128
"""Tokens between the starts of consecutive spans."""

VERSION = "1.1"

_BETWEEN_WORDS = re.compile("[ \t\r\n\u202f]+")
"""Separators of a context's words. A no-break space is none."""

_AS_PUBLISHED = "take dev-v1.1.json as it was published"


class _Answer(msgspec.Struct, frozen=True):
    text: str


class _Question(msgspec.Struct, frozen=True):
    id: str
    question: str
    answers: tuple[_Answer, ...]
    is_impossible: bool = False


class _Paragraph(msgspec.Struct, frozen=True):
    context: str
    qas: tuple[_Question, ...]


class _Article(msgspec.Struct, frozen=True):
    paragraphs: tuple[_Paragraph, ...]


class _File(msgspec.Struct, frozen=True):
    data: tuple[_Article, ...]
    version: str = VERSION


@dataclass(frozen=True)
class SquadQuestion:
    """A question and the context of its answer."""

    id: str
    text: str
    words: Sequence[str]
    """Of the context; questions on one context share the object."""
    answers: Sequence[str]
    """All correct answers."""


@dataclass(frozen=True)
class Feature:
    """One sample: a question and a span of its context."""

    question: int
    """Index of the question."""
    tokens: Sequence[str]
    """All tokens, including special ones; at most LONGEST."""
    start: int
    """Index of the span's first token."""
    word: Array
    """Word index of each token of the span: int64 [span]."""
    counts: Array
    """Whether an answer may start at a token of the span, that is, whether it has the most context here: bool
    [span]."""

    @property
    def end(self) -> int:
        """Return the index after the span's last token."""
        return self.start + len(self.word)


def read(path: Path) -> list[SquadQuestion]:
    """Read a file in SQuAD v1.1 format, in its order.

    Raises DataError if it is truncated or invalid, has no questions, is of version 2.0 or has a question without an
    answer, without words in its context, or with a duplicate id.
    """
    file = _decoded(path)
    found = [
        SquadQuestion(one.id, one.question, words, tuple(answer.text for answer in one.answers))
        for article in file.data
        for paragraph in article.paragraphs
        for words in [_words(paragraph.context)]
        for one in paragraph.qas
    ]
    if not found:
        raise DataError(f"{path} has no questions", _AS_PUBLISHED)
    _refuse_unfit(path, file, found)
    return found


def _decoded(path: Path) -> _File:
    try:
        return codec.decode(read_plain(path), type=_File)
    except OSError as error:
        raise DataError(f"{path}: the questions cannot be read: {error.strerror}", _AS_PUBLISHED) from error
    except msgspec.ValidationError as error:
        raise DataError(f"{path} is no SQuAD file: {error}", _AS_PUBLISHED) from None
    except msgspec.DecodeError as error:
        raise DataError(f"{path} is truncated, or not JSON: {error}", f"fetch it again, or {_AS_PUBLISHED}") from None


def _refuse_unfit(path: Path, file: _File, questions: Sequence[SquadQuestion]) -> None:
    """Raise DataError that names the first question that is invalid in v1.1."""
    every = (one for article in file.data for paragraph in article.paragraphs for one in paragraph.qas)
    seen: set[str] = set()
    for raw, question in zip(every, questions, strict=True):
        if raw.is_impossible or not question.answers:
            raise DataError(
                f"{path}: question {question.id} has no answer: this is SQuAD v2.0, and the rules use v{VERSION}",
                _AS_PUBLISHED,
            )
        if not question.words:
            raise DataError(f"{path}: the context of question {question.id} is empty", _AS_PUBLISHED)
        if question.id in seen:
            raise DataError(f"{path}: question {question.id} is there twice", _AS_PUBLISHED)
        seen.add(question.id)
    if not file.version.removeprefix("v").startswith(VERSION):
        raise DataError(f"{path} is SQuAD of version {file.version}, and the rules use v{VERSION}", _AS_PUBLISHED)


def _words(context: str) -> tuple[str, ...]:
    return tuple(word for word in _BETWEEN_WORDS.split(context) if word)


def first(path: Path, count: int) -> bytes:
    """Return a SQuAD file of the first `count` questions of a file that `read` accepts; nothing else of it changes."""
    whole: dict[str, Any] = codec.decode(read_plain(path), type=dict[str, Any])
    left = count
    for article in whole["data"]:
        for paragraph in article["paragraphs"]:
            paragraph["qas"] = paragraph["qas"][:left]
            left -= len(paragraph["qas"])
        article["paragraphs"] = [one for one in article["paragraphs"] if one["qas"]]
    whole["data"] = [one for one in whole["data"] if one["paragraphs"]]
    return codec.encode(whole)


def query_tokens(question: SquadQuestion, tokenizer: Tokenizer) -> list[str]:
    """Return the tokens of a question, not truncated."""
    return tokenizer.tokens(question.text)


def features(questions: Iterable[SquadQuestion], tokenizer: Tokenizer) -> Iterator[Feature]:
    """Yield the features of questions: their position is the QSL index. A context of no tokens has none."""
    words: Sequence[str] = ()
    context: list[str] = []
    places = np.empty(0, np.int64)
    for number, question in enumerate(questions):
        if question.words is not words:
            words = question.words
            pieces = [tokenizer.tokens(word) for word in words]
            context = [piece for one in pieces for piece in one]
            places = np.repeat(np.arange(len(words)), [len(one) for one in pieces])
        head = [CLS, *query_tokens(question, tokenizer)[:LONGEST_QUERY], SEP]
        spans = _spans(len(context), LONGEST - len(head) - 1)
        owner = _owners(spans, len(context))
        for index, (begin, end) in enumerate(spans):
            tokens = (*head, *context[begin:end], SEP)
            yield Feature(number, tokens, len(head), places[begin:end], owner[begin:end] == index)


def _spans(total: int, room: int) -> list[tuple[int, int]]:
    """Return start and end of each span of `total` tokens, `room` of which fit into a feature."""
    found: list[tuple[int, int]] = []
    begin = 0
    while begin < total:
        end = min(begin + room, total)
        found.append((begin, end))
        if end == total:
            break
        begin += min(end - begin, STRIDE)
    return found


def _owners(spans: Sequence[tuple[int, int]], total: int) -> Array:
    """Return for each token the index of the span in which it has the most context: int64 [total].

    That is the distance to the nearer end of the span, plus a hundredth of the span's length; the first of equals.
    """
    owner, best = np.zeros(total, np.int64), np.full(total, -1.0)
    for number, (begin, end) in enumerate(spans):
        length = end - begin
        left = np.arange(length)
        context = np.minimum(left, length - 1 - left) + 0.01 * length
        better = context > best[begin:end]
        owner[begin:end][better] = number
        best[begin:end][better] = context[better]
    return owner
