"""Sorting and exporting a table: choose the column or the format, write the file, show its path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.errors import InferdeckError
from engine.explore.columns import COLUMNS
from engine.explore.export import Format, format_named, write_export
from tui.screens.dialogs import Question

if TYPE_CHECKING:
    from tui.deck import Deck

FORMS = (
    ("text", "text, as shown here"),
    ("csv", "CSV, every value, for a spreadsheet"),
    ("json", "JSON, everything, for programs"),
    ("md", "Markdown, for an issue or a web page"),
)
SORTS = ("when", "samples_per_second", "latency_p99", "accuracy", "run", "model", "scenario", "state")
"""The columns that runs can be sorted by."""


def ask_order(deck: Deck, taken: Callable[[str | None], None]) -> None:
    """Ask for a column to sort runs by; `taken` gets its key, None for Esc."""
    answers = [(key, f"{COLUMNS[key].header:12} {_direction(key)}") for key in SORTS]
    deck.push_screen(Question("sort by", "Runs without a value come last.", answers), taken)


def _direction(key: str) -> str:
    return "newest first" if key == "when" else "best first" if COLUMNS[key].number else "a to z"


def ask_export(deck: Deck, what: str, name: str, make: Callable[[Format], str], written: Callable[[str], None]) -> None:
    """Ask for a format of `what`, write the text of `make` to a file `name`, copy its path and call `written`."""

    def taken(answer: str | None) -> None:
        if answer is None:
            return
        as_ = format_named(answer)
        try:
            path = write_export(deck.place.folders, name, as_, make(as_))
        except InferdeckError as error:
            deck.say_error(error)
            return
        deck.copy_to_clipboard(str(path))
        deck.say(f"written, and its path copied:\n{path}")
        written(str(path))

    deck.push_screen(Question("export", f"Write {what} as", FORMS), taken)
