"""Tables of text as aligned columns, Markdown or CSV; text from outside is cleaned of control characters, escaped."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence

from engine.text import cells, clean, csv_cell, fit, fit_right

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|])")

TableRows = Sequence[Sequence[str]]
"""TableRows of cells; the first is the header."""


def drawn_tables(tables: Sequence[tuple[TableRows, Sequence[int]]], lines: Sequence[str], as_: str) -> str:
    """Return tables (rows, and the indices of right-aligned columns) followed by lines, as `text` or Markdown, `md`."""
    draw, say, gap = (_markdown, escaped, "\n\n") if as_ == "md" else (_text, one_line, "\n")
    found = [draw(rows, right) for rows, right in tables if len(rows) > 1]
    return "\n".join([*found, *([gap.join(map(say, lines)) + "\n"] if lines else [])])


def csv_text(rows: TableRows) -> str:
    """Return rows as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([csv_cell(one_line(cell)) for cell in row] for row in rows)
    return out.getvalue()


def json_text(data: object) -> str:
    """Return data as JSON that a person can read."""
    return json.dumps(data, indent=1) + "\n"


def escaped(text: str) -> str:
    """Return the text on one line of Markdown, in which nothing is markup."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def one_line(text: str) -> str:
    """Return the text on one line, without control characters."""
    return clean(" ".join(text.split()))


def _text(rows: TableRows, right: Sequence[int]) -> str:
    cleaned = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(cells, column)) for column in zip(*cleaned, strict=True)]
    lines = [
        "  ".join(
            fit_right(cell, width) if number in right else fit(cell, width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cleaned
    ]
    return "\n".join(lines) + "\n"


def _markdown(rows: TableRows, right: Sequence[int]) -> str:
    ruled = ["---:" if number in right else "---" for number in range(len(rows[0]))]
    lines = [[escaped(cell) for cell in rows[0]], ruled, *([escaped(cell) for cell in row] for row in rows[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
