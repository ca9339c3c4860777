"""The tables of docs/rounds.md, from the rounds' files.

    python -m tools.round_tables

writes them again; tests/tools/test_round_tables.py says when that is needed.
"""

from __future__ import annotations

import re
from pathlib import Path

from engine.profile.benchmark_rules import Category
from engine.profile.catalog import load
from engine.profile.known_rounds import all_rounds
from engine.profile.rounds import Round

PAGE = Path(__file__).parents[1] / "docs" / "rounds.md"
CATEGORIES: tuple[tuple[str, Category], ...] = (("Edge", "edge"), ("Datacenter", "datacenter"))
_SHORT = {"SingleStream": "SS", "MultiStream": "MS", "Server": "S", "Offline": "O", "Interactive": "I"}


def table(rounds: list[Round], category: Category) -> str:
    """Return which benchmarks a category has in which round, with the scenarios, as a Markdown table."""
    names = dict.fromkeys(name for one in rounds for name in one.benchmarks)
    cells = {name: [_cell(one, name, category) for one in rounds] for name in names}
    rows = [["", *(one.name for one in rounds)], *([name, *found] for name, found in cells.items() if any(found))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def _cell(rules: Round, name: str, category: Category) -> str:
    benchmark = rules.benchmarks.get(name)
    if benchmark is None or category not in benchmark.scenarios:
        return ""
    required = [_SHORT[one] for one in benchmark.scenarios[category]]
    return " ".join([*required, *filter(None, ["/".join(_SHORT[one] for one in benchmark.one_of.get(category, ()))])])


def page(text: str) -> str:
    """Return the page with its tables as they are in the rounds' files."""
    rounds = all_rounds(load([]).folders)
    for title, category in CATEGORIES:
        text = re.sub(rf"(### {title}\n\n)(?:\|.*\n)+", lambda found: f"{found[1]}{table(rounds, category)}\n", text)  # noqa: B023
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
