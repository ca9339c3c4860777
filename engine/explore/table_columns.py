"""Columns of a table of anything: what a row shows, what it is sorted by, in which direction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

TableRow = TypeVar("TableRow")


@dataclass(frozen=True)
class TableColumn(Generic[TableRow]):
    """A column: what it shows of a row."""

    key: str
    header: str
    text: Callable[[TableRow], str]
    value: Callable[[TableRow], Any]
    """Return the value to sort by and to export."""
    number: bool = False
    """Right-aligned; sorted best first."""
    lower: bool = False
    """Whether lower is better."""


def ordered(rows: Iterable[TableRow], by: TableColumn[TableRow], *, reverse: bool = False) -> list[TableRow]:
    """Sort rows by a column: texts alphabetically, figures best first, times newest first.

    Rows without a value come last in either direction; the sort is stable.
    """
    known, without = [], []
    for row in rows:
        value = by.value(row)
        if value in (None, ""):
            without.append(row)
        else:
            known.append((value, row))
    high_first = (by.number and not by.lower) or by.key == "when"
    known.sort(key=lambda one: one[0], reverse=high_first != reverse)
    return [*(row for _, row in known), *without]
