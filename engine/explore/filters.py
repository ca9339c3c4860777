"""Filter a list of runs by words and by columns: `scenario:offline state:invalid p99<10 -demo`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, get_args

from engine.errors import UsageError
from engine.explore.columns import Column, column
from engine.explore.metrics import RESULT
from engine.explore.runs import Run, State, day

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

Test = Callable[[Run], bool]


def matching(runs: Iterable[Run], words: str) -> list[Run]:
    """Return the runs that fulfil every term; a leading `-` excludes those that fulfil it. Case is ignored.

    `COLUMN:TEXT` and `COLUMN=TEXT`: the column's text contains it, or equals it where it is a whole value that some run
    has (`state:valid` finds no INVALID run). `COLUMN<NUMBER`, and `<=`, `>`, `>=`, in the column's unit: runs without a
    value do not match. Another word must be contained somewhere; one that is a whole scenario, mode, state or the like
    means that: `offline` finds no Server run of a system `demo-offline`.
    Choices can be typed as they are listed: `workers.seconds=6`.

    Raises UsageError for a column that does not exist, and for a comparison with something that is no number.
    """
    listed = list(runs)
    names = _NAMES.union(*(_names(run) for run in listed))
    tests = [_test(term, listed, names) for term in words.split()]
    return [run for run in listed if all(test(run) for test in tests)]


def _test(term: str, runs: Sequence[Run], names: AbstractSet[str]) -> Test:
    found = _TERM.fullmatch(term)
    if found is None:
        return lambda run: _has_word(run, term.lower(), names)
    minus, name, sign, wanted = found.groups()
    try:
        test = _column_test(column(name), sign, wanted, runs)
    except UsageError:
        if sign == "=" and any(term.removeprefix("-").lower() in _words(run) for run in runs):
            return lambda run: _has_word(run, term.lower(), names)  # a choice: workers.seconds=6
        raise
    return (lambda run: not test(run)) if minus else test


def _column_test(one: Column, sign: str, wanted: str, runs: Sequence[Run]) -> Test:
    if one.number:
        return _number_test(one, sign, wanted)
    if sign not in ":=":
        raise UsageError(f"'{one.header}' is a text", f"use {one.key}:{wanted}")
    text = wanted.lower()
    if text in _NAMES or any(str(one.value(run)).lower() == text for run in runs):
        return lambda run: str(one.value(run)).lower() == text
    return lambda run: text in one.text(run).lower()


def _number_test(one: Column, sign: str, wanted: str) -> Test:
    try:
        limit = float(wanted.replace(",", ""))
    except ValueError:
        raise UsageError(f"'{wanted}' is not a number", f"for example {one.key}{sign}10") from None
    compared = _COMPARED[sign]

    def test(run: Run) -> bool:
        value = one.value(run)
        return value is not None and compared(value, limit)

    return test


def _has_word(run: Run, word: str, names: AbstractSet[str]) -> bool:
    without, text = (True, word[1:]) if word.startswith("-") and len(word) > 1 else (False, word)
    return (text in (_names(run) if text in names else _words(run))) != without


def _names(run: Run) -> set[str]:
    """Return a run's values of enumerated fields (scenario, mode, state and the like)."""
    values = (run.scenario, run.mode, *run.beside, run.state, run.benchmark, run.backend, run.device, run.style)
    return {word.lower() for word in values if word}


def _words(run: Run) -> str:
    values = (run.id, run.benchmark, run.sut, run.model_name, run.backend, run.backend_version, run.device, run.style)
    more = (run.scenario, run.mode, run.verdict, run.choices_text(), run.why, run.notice, day(run.when))
    return " ".join((*values, *more)).lower()
