"""Generates articles with questions and answers, in the form of SQuAD v1.1's dev-v1.1.json.

Where the real articles cannot be had, every step still runs on a file of the real kind: contexts of very different
lengths, some too long for one span of 384 tokens, names with accents, numbers, quotes and no-break spaces, several
questions on a context and several answers to a question. An article depends on seed, purpose and index alone, so a
larger set begins with the smaller one, on every platform.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any, Literal

from engine.datasets.article_kinds import FILLER_VALUES, FILLERS, KINDS, OPENINGS, Kind
from engine.datasets.article_values import Draw, Value
from engine.step import Options, Step

ARTICLES = "dev-v1.1.json"
VERSION = "1.1"

Purpose = Literal["test", "calibration", "training", "held-out"]
"""What a set of articles is for. Sets of different purposes share no article, whatever their seeds."""

WORDS = (15, 35, 48, 60, 72, 85, 100, 120, 145, 190, 420)
"""Half of the contexts have fewer than 85 words, some need two spans of 384 tokens."""
QUESTIONS = (2, 3, 3, 4, 4, 5, 5, 6, 7, 9)
PARAGRAPHS = (2, 3, 4, 5, 6)
SENTENCES = (6, 9, 12, 15)
"""Of a kind, those that are tried for one thing: what they would tell a second time is left out."""
MOST_FACTS = 5
"""About one thing, after which the next comes."""
FILLER = 0.12
OPENING = 0.08
SHORT_NAME = 0.4
"""Shares: of sentences that tell nothing, of openings, and of surnames that stand alone."""


@dataclass(frozen=True)
class ArticleQuestion:
    """A question, and its answers as they stand in the context, the longest first: (text, place of its start)."""

    id: str
    text: str
    answers: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Paragraph:
    """A context and the questions on it."""

    context: str
    questions: Sequence[ArticleQuestion]


@dataclass(frozen=True)
class Article:
    """A title and paragraphs."""

    title: str
    paragraphs: Sequence[Paragraph]


@dataclass(frozen=True)
class ArticleSet:
    """A set of articles that exists as soon as it is named: each is drawn on demand."""

    seed: int
    purpose: Purpose = "test"
    words: Sequence[int] = WORDS
    """Quantiles of the number of words in a context."""

    def article(self, index: int) -> Article:
        """Draw an article."""
        key = f"{self.purpose} {self.seed} {index}"
        draw = Draw(key)
        paragraphs = [
            _Writer(draw, f"{key} {number}").paragraph(draw.along(self.words), draw.pick(QUESTIONS))
            for number in range(draw.pick(PARAGRAPHS))
        ]
        return Article(f"Article_{index + 1}", paragraphs)

    def first(self, questions: int) -> list[Article]:
        """Return the first articles with as many questions together, the last one cut where they end."""
        articles: list[Article] = []
        for index in range(questions):
            kept: list[Paragraph] = []
            for paragraph in self.article(index).paragraphs:
                chosen = paragraph.questions[:questions]
                questions -= len(chosen)
                kept += [Paragraph(paragraph.context, chosen)] if chosen else []
            articles.append(Article(f"Article_{index + 1}", kept))
            if not questions:
                break
        return articles


class ArticleOptions(Options, frozen=True, kw_only=True):
    """Which articles are generated."""

    count: int
    """Questions."""
    seed: int
    purpose: Purpose = "test"


def generate(step: Step) -> dict[str, Any]:
    """Write `dev-v1.1.json`.

    Facts: `labels` (the file),
    `count` (questions).
    """
    options = step.read_options(ArticleOptions)
    articles = ArticleSet(options.seed, options.purpose)
    (step.output / ARTICLES).write_bytes(file_of(articles.first(options.count)))
    return {"labels": ARTICLES, "count": options.count}


def file_of(articles: Sequence[Article]) -> bytes:
    """Return the file with these articles, the same bytes everywhere."""
    data = [{"title": one.title, "paragraphs": [_paragraph(each) for each in one.paragraphs]} for one in articles]
    return json.dumps({"data": data, "version": VERSION}, separators=(",", ":")).encode("ascii")


def _paragraph(paragraph: Paragraph) -> dict[str, Any]:
    questions = [
        {
            "answers": [{"answer_start": start, "text": text} for text, start in question.answers],
            "question": question.text,
            "id": question.id,
        }
        for question in paragraph.questions
    ]
    return {"context": paragraph.context, "qas": questions}


@dataclass(frozen=True)
class _Told:
    """A fact that stands in the context."""

    thing: "_Thing"
    fact: str
    start: int


class _Thing:
    """A thing of a kind: its name, and the facts about it, drawn when they are first told."""

    def __init__(self, kind: Kind, name: str, draw: Draw) -> None:
        self.kind, self.name, self._draw = kind, name, draw
        self._values: dict[str, Value] = {}

    @cached_property
    def surname(self) -> str:
        """The name without first names."""
        parts = self.name.split(" ")
        return " ".join(part for part in parts[1:] if not part.endswith("."))

    def called(self) -> str:
        """Return the name, or now and then the surname alone."""
        return self.surname if self.kind.by_surname and self._draw.chance(SHORT_NAME) else self.name

    def value(self, fact: str, taken: set[str]) -> Value:
        """Return what a fact says; no two facts of a context say the same where that can be helped."""
        if fact not in self._values:
            for _ in range(10):
                self._values[fact] = value = self.kind.facts[fact].value(self._draw)
                if value.text not in taken:
                    break
            taken.add(self._values[fact].text)
        return self._values[fact]


class _Writer:
    """Writes one context and its questions."""

    def __init__(self, draw: Draw, key: str) -> None:
        self._draw, self._key = draw, key
        self._text = ""
        self._told: list[_Told] = []
        self._taken: set[str] = set()

    def paragraph(self, words: int, questions: int) -> Paragraph:
        """Return a context of about so many words and at most so many questions on it."""
        while self._text.count(" ") < words:
            self._tell(self._thing())
        chosen = self._draw.shuffled(self._told)[:questions]
        return Paragraph(self._text, [self._question(number, told) for number, told in enumerate(chosen)])

    def _thing(self) -> _Thing:
        kind = self._draw.pick(KINDS)
        while True:
            thing = _Thing(kind, kind.name(self._draw).text, self._draw)
            known = {thing.name, thing.surname} if kind.by_surname else {thing.name}
            if not known & self._taken:
                self._taken |= known
                return thing

    def _tell(self, thing: _Thing) -> None:
        """Add some sentences about a thing, none with a fact that another has."""
        told: set[str] = set()
        for sentence in self._draw.shuffled(thing.kind.sentences)[: self._draw.pick(SENTENCES)]:
            facts = _slots(sentence) - {"name"}
            if facts & told:
                continue
            told |= facts
            self._sentence(thing, sentence)
            if self._draw.chance(FILLER):
                self._filler()
            if len(told) >= MOST_FACTS:
                break

    def _sentence(self, thing: _Thing, sentence: str) -> None:
        start = len(self._text) + 1 if self._text else 0
        opened = sentence.startswith("{name}") and self._draw.chance(OPENING)
        written, places = self._draw.pick(OPENINGS) if opened else "", []
        for literal, slot, _, _ in Formatter().parse(sentence):
            written += literal
            if slot:
                value = thing.called() if slot == "name" else thing.value(slot, self._taken).text
                if not written:
                    value = value[0].upper() + value[1:]
                if slot != "name":
                    places.append((slot, start + len(written)))
                written += value
        self._text += (" " if self._text else "") + written
        self._told += [_Told(thing, fact, place) for fact, place in places]

    def _filler(self) -> None:
        sentence = self._draw.pick(FILLERS)
        values = {slot: FILLER_VALUES[slot](self._draw).text for slot in sorted(_slots(sentence))}
        self._text += " " + sentence.format(**values)

    def _question(self, number: int, told: _Told) -> ArticleQuestion:
        thing, draw = told.thing, self._draw
        text = draw.pick(thing.kind.facts[told.fact].questions).format(name=thing.called())
        value = thing.value(told.fact, self._taken)
        answer = self._text[told.start : told.start + len(value.text)]
        answers = [(answer, told.start)] * draw.between(1, 3)
        if value.short and value.short != answer:
            answers.append((value.short, told.start + answer.index(value.short)))
        identity = hashlib.sha256(f"{self._key} {number}".encode()).hexdigest()[:24]
        return ArticleQuestion(identity, text, answers)


def _slots(sentence: str) -> set[str]:
    return {slot for _, slot, _, _ in Formatter().parse(sentence) if slot}
