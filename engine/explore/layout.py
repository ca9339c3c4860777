"""Which columns of a table fit into a width: figures and states whole, texts cut, the least needed dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

from engine.explore.table_columns import TableColumn, TableRow
from engine.text import cells, clean

GAP = 2
"""Cells between two columns."""

_SHORTENED = {"choices": 10, "model": 8, "backend": 11, "system": 8, "benchmark": 8, "why": 24}

_DROPPED = (
    *("why", "scored", "when", "samples_per_second", "style", "system", "benchmark", "backend", "target"),
    *("workers", "model", "latency_p99", "accuracy", "dice", "choices", "n", "spread", "change", "result", "state"),
)

Texts = Callable[[TableColumn[TableRow], TableRow], str]


@dataclass(frozen=True)
class Narrowing:
    """What gives way where a table is too wide."""

    shortened: Mapping[str, int]
    """Columns whose texts may be cut → the least width in cells at which they still tell something."""
    dropped: Sequence[str]
    """Columns in the order in which they give way; any other column goes before these."""
    kept: str
    """The column that never goes."""
    never_common: frozenset[str]
    """Columns that stay even where all rows are equal."""


RUNS = Narrowing(_SHORTENED, _DROPPED, "run", frozenset({"run", "when", "state", "scenario", "scored"}))


def _text(column: TableColumn[TableRow], row: TableRow) -> str:
    return column.text(row)


@dataclass(frozen=True)
class TableLayout(Generic[TableRow]):
    """The columns that are shown, and what all runs have in common."""

    columns: tuple[TableColumn[TableRow], ...]
    widths: tuple[int, ...]
    """Cells of each column."""
    common: tuple[str, ...]
    """Texts that are equal in all runs, said once instead of in each row."""


def layout(
    rows: Sequence[TableRow],
    columns: Sequence[TableColumn[TableRow]],
    width: int,
    text: Texts[TableRow] = _text,
    narrowing: Narrowing = RUNS,
) -> TableLayout[TableRow]:
    """Fit columns into `width` cells.

    Columns without a value are left out, and so are texts that several rows have in common. If the rest is too wide,
    texts that may be cut shrink first; then columns are dropped, the least needed first.
    """
    filled = [column for column in columns if any(text(column, row) not in ("", "-") for row in rows)]
    shared = [column for column in filled if len(rows) > 1 and _is_shared(column, rows, text, narrowing)]
    kept = [column for column in filled if column not in shared]
    common = tuple(clean(text(column, rows[0])) for column in shared)
    natural = {column.key: _width(column, rows, text) for column in kept}
    while len(kept) > 1 and _least(kept, natural, narrowing) > width:
        kept.remove(min(kept, key=lambda column: _rank(column, narrowing)))
    return TableLayout(tuple(kept), tuple(_shrunk(kept, natural, width, narrowing)), common)


def _is_shared(
    column: TableColumn[TableRow], rows: Sequence[TableRow], text: Texts[TableRow], narrowing: Narrowing
) -> bool:
    if column.number or column.key in narrowing.never_common:
        return False
    return len({text(column, row) for row in rows}) == 1


def _width(column: TableColumn[TableRow], rows: Sequence[TableRow], text: Texts[TableRow]) -> int:
    return max(cells(column.header), *(cells(clean(text(column, row))) for row in rows))


def _rank(column: TableColumn[TableRow], narrowing: Narrowing) -> int:
    if column.key == narrowing.kept:
        return len(narrowing.dropped)
    return narrowing.dropped.index(column.key) if column.key in narrowing.dropped else -1


def _least(columns: Sequence[TableColumn[TableRow]], natural: dict[str, int], narrowing: Narrowing) -> int:
    widths = (min(natural[one.key], narrowing.shortened.get(one.key, natural[one.key])) for one in columns)
    return sum(widths) + GAP * (len(columns) - 1)


def _shrunk(
    columns: Sequence[TableColumn[TableRow]], natural: dict[str, int], width: int, narrowing: Narrowing
) -> list[int]:
    """Return the widths: those that may be cut share what is missing, the widest first."""
    widths = {one.key: natural[one.key] for one in columns}
    missing = sum(widths.values()) + GAP * (len(columns) - 1) - width
    while missing > 0:
        room = {key: widths[key] - least for key, least in narrowing.shortened.items() if widths.get(key, 0) > least}
        if not room:
            break
        widest = max(room, key=lambda key: room[key])
        widths[widest] -= 1
        missing -= 1
    return [widths[one.key] for one in columns]
