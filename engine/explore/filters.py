"""Filter a list of runs by words and by columns: `scenario:offline state:invalid p99<10 -demo`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from engine.errors import UsageError
from engine.explore.columns import column
from engine.explore.metrics import RESULT
from engine.explore.runs import Run, State, day
from engine.explore.table_columns import TableColumn

_TERM = re.compile(r"(-?)([A-Za-z][\w./%-]*?)(<=|>=|[:=<>])(.+)")
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    ":": operator.eq,
    "=": operator.eq,
}

_NAMES = frozenset(word.lower() for word in (*RESULT, *get_args(State), "performance", "accuracy"))

TableRow = TypeVar("TableRow")


@dataclass(frozen=True)
class FilterLanguage(Generic[TableRow]):
    """What a filter can say about rows."""

    column: Callable[[str], TableColumn[TableRow]]
    """Return a column by its name. Raises UsageError for an unknown one."""
    words: Callable[[TableRow], str]
    """Return the text, in lower case, in which words are searched."""
    names: Callable[[TableRow], set[str]]
    """Return a row's values of enumerated fields, in lower case."""


def matching(runs: Iterable[Run], words: str) -> list[Run]:
    """Return the runs that fulfil every term, see `filtered`."""
    return filtered(runs, words, RUNS)


def filtered(rows: Iterable[TableRow], words: str, language: FilterLanguage[TableRow]) -> list[TableRow]:
    """Return the rows that fulfil every term; a leading `-` excludes those that fulfil it. Case is ignored.

    `COLUMN:TEXT` and `COLUMN=TEXT`: the column's text contains it, or equals it where it is a whole value that some row
    has (`state:valid` finds no INVALID run). `COLUMN<NUMBER`, and `<=`, `>`, `>=`, in the column's unit: rows without a
    value do not match. Another word must be contained somewhere; one that is a whole scenario, mode, state or the like
    means that: `offline` finds no Server run of a system `demo-offline`.
    Choices can be typed as they are listed: `workers.seconds=6`.

    Raises UsageError for a column that does not exist, and for a comparison with something that is no number.
    """
    listed = list(rows)
    if not words.split():
        return listed
    matcher = _Matcher(language, listed)
    tests = [matcher.test(term) for term in words.split()]
    return [row for row in listed if all(test(row) for test in tests)]


class _Matcher(Generic[TableRow]):
    """Makes a test of each term."""

    def __init__(self, language: FilterLanguage[TableRow], listed: Sequence[TableRow]) -> None:
        self.language, self.listed = language, listed
        self.names = _NAMES.union(*(language.names(row) for row in listed))

    def test(self, term: str) -> Callable[[TableRow], bool]:
        found = _TERM.fullmatch(term)
        if found is None:
            return self._word_test(term.lower())
        minus, name, sign, wanted = found.groups()
        try:
            test = self._column_test(self.language.column(name), sign, wanted)
        except UsageError:
            word = term.removeprefix("-").lower()
            if sign == "=" and any(word in self.language.words(row) for row in self.listed):
                return self._word_test(term.lower())  # a choice: workers.seconds=6
            raise
        return (lambda row: not test(row)) if minus else test

    def _column_test(self, one: TableColumn[TableRow], sign: str, wanted: str) -> Callable[[TableRow], bool]:
        if one.number:
            return _number_test(one, sign, wanted)
        if sign not in ":=":
            raise UsageError(f"'{one.header}' is a text", f"use {one.key}:{wanted}")
        text = wanted.lower()
        if text in _NAMES or any(str(one.value(row)).lower() == text for row in self.listed):
            return lambda row: str(one.value(row)).lower() == text
        return lambda row: text in one.text(row).lower()

    def _word_test(self, word: str) -> Callable[[TableRow], bool]:
        without, text = (True, word[1:]) if word.startswith("-") and len(word) > 1 else (False, word)
        names, words = self.language.names, self.language.words
        if text in self.names:
            return lambda row: (text in names(row)) != without
        return lambda row: (text in words(row)) != without


def _number_test(one: TableColumn[TableRow], sign: str, wanted: str) -> Callable[[TableRow], bool]:
    try:
        limit = float(wanted.replace(",", ""))
    except ValueError:
        raise UsageError(f"'{wanted}' is not a number", f"for example {one.key}{sign}10") from None
    compared = _COMPARED[sign]

    def test(row: TableRow) -> bool:
        value = one.value(row)
        return value is not None and compared(value, limit)

    return test


def _names(run: Run) -> set[str]:
    """Return a run's values of enumerated fields (scenario, mode, state and the like)."""
    values = (run.scenario, run.mode, *run.beside, run.state, run.benchmark, run.backend, run.device, run.style)
    return {word.lower() for word in values if word}


def _words(run: Run) -> str:
    values = (run.id, run.benchmark, run.sut, run.model_name, run.backend, run.backend_version, run.device, run.style)
    more = (run.scenario, run.mode, run.verdict, run.choices_text(), run.why, run.notice, day(run.when))
    return " ".join((*values, *more)).lower()


RUNS: FilterLanguage[Run] = FilterLanguage(column, _words, _names)
