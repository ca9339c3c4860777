"""Which columns of a list of runs fit into a width: figures and states whole, texts cut, the least needed dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.explore.columns import Column
from engine.explore.runs import Run
from engine.text import cells, clean

GAP = 2
"""Cells between two columns."""

_SHORTENED = {"choices": 10, "model": 8, "backend": 11, "system": 8, "benchmark": 8, "why": 24}
"""Columns whose texts may be cut → the least width in cells at which they still tell something."""

_DROPPED = (
    *("why", "scored", "when", "samples_per_second", "style", "system", "benchmark", "backend", "target"),
    *("workers", "model", "latency_p99", "accuracy", "dice", "choices", "n", "spread", "change", "result", "state"),
)
"""Columns in the order in which they give way; any other column goes before these, the run never."""

Texts = Callable[[Column, Run], str]


@dataclass(frozen=True)
class TableLayout:
    """The columns that are shown, and what all runs have in common."""

    columns: tuple[Column, ...]
    widths: tuple[int, ...]
    """Cells of each column."""
    common: tuple[str, ...]
    """Texts that are equal in all runs, said once instead of in each row."""


def layout(
    runs: Sequence[Run], columns: Sequence[Column], width: int, text: Texts = lambda column, run: column.text(run)
) -> TableLayout:
    """Fit columns into `width` cells.

    Columns without a value are left out, and so are texts that several runs have in common. If the rest is too wide,
    texts that may be cut shrink first; then columns are dropped, the least needed first.
    """
    filled = [column for column in columns if any(text(column, run) not in ("", "-") for run in runs)]
    shared = [column for column in filled if len(runs) > 1 and _is_shared(column, runs, text)]
    kept = [column for column in filled if column not in shared]
    common = tuple(clean(text(column, runs[0])) for column in shared)
    natural = {column.key: _width(column, runs, text) for column in kept}
    while len(kept) > 1 and _least(kept, natural) > width:
        kept.remove(min(kept, key=_rank))
    return TableLayout(tuple(kept), tuple(_shrunk(kept, natural, width)), common)


def _is_shared(column: Column, runs: Sequence[Run], text: Texts) -> bool:
    if column.number or column.key in ("run", "when", "state", "scenario", "scored"):
        return False
    return len({text(column, run) for run in runs}) == 1


def _width(column: Column, runs: Sequence[Run], text: Texts) -> int:
    return max(cells(column.header), *(cells(clean(text(column, run))) for run in runs))


def _rank(column: Column) -> int:
    if column.key == "run":
        return len(_DROPPED)
    return _DROPPED.index(column.key) if column.key in _DROPPED else -1


def _least(columns: Sequence[Column], natural: dict[str, int]) -> int:
    widths = (min(natural[one.key], _SHORTENED.get(one.key, natural[one.key])) for one in columns)
    return sum(widths) + GAP * (len(columns) - 1)


def _shrunk(columns: Sequence[Column], natural: dict[str, int], width: int) -> list[int]:
    """Return the widths: those that may be cut share what is missing, the widest first."""
    widths = {one.key: natural[one.key] for one in columns}
    missing = sum(widths.values()) + GAP * (len(columns) - 1) - width
    while missing > 0:
        room = {key: widths[key] - least for key, least in _SHORTENED.items() if widths.get(key, 0) > least}
        if not room:
            break
        widest = max(room, key=lambda key: room[key])
        widths[widest] -= 1
        missing -= 1
    return [widths[one.key] for one in columns]
