"""What the screen of an exploration asks: how to sort, which columns, the form of a report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from engine.design_space import trial_table
from engine.design_space.exploration import Exploration
from engine.errors import InferdeckError
from engine.text import clean
from tui.screens import explore
from tui.screens.column_chooser import ColumnChooser
from tui.screens.dialogs import Question
from tui.settings import save

if TYPE_CHECKING:
    from engine.store.folders import Folders
    from tui.deck import Deck

NEWEST = ""
"""Instead of a column: the newest trials first."""
ReportFormat = Literal["html", "csv", "json", "md", "text"]
_FORMS = (
    ("html", "HTML, one file with charts, to hand to a colleague"),
    ("csv", "CSV, every trial, for a spreadsheet"),
    ("json", "JSON, everything, for programs"),
    ("md", "Markdown, for an issue or a web page"),
    ("text", "text"),
)


def ask_order(deck: Deck, exploration: Exploration, taken: Callable[[str], None]) -> None:
    """Ask for a column to sort trials by; `taken` gets its key, or NEWEST."""
    columns = trial_table.trial_columns(exploration).values()

    def answered(key: str | None) -> None:
        if key is not None:
            taken(key.removeprefix("newest"))

    answers = [("newest", "the newest first"), *((one.key, clean(one.header)) for one in columns)]
    deck.push_screen(Question("sort by", "Figures best first; trials without one come last.", answers), answered)


def ask_columns(deck: Deck, taken: Callable[[], None]) -> None:
    """Ask for the columns of the trials, and keep the choice in the settings."""

    def answered(keys: tuple[str, ...] | None) -> None:
        if keys is None:
            return
        deck.settings = msgspec.structs.replace(deck.settings, trial_columns=keys)
        taken()
        try:
            save(deck.place.folders.config, deck.settings)
        except InferdeckError as error:
            deck.say_error(error)

    shown = deck.settings.trial_columns or trial_table.USUAL
    deck.push_screen(ColumnChooser(shown, trial_table.CHOICES, trial_table.ALWAYS), answered)


def ask_report(deck: Deck, exploration: Exploration) -> None:
    """Ask for the form of a report, write it, and say where it is."""

    def answered(answer: str | None) -> None:
        form = next((one for one in get_args(ReportFormat) if one == answer), None)
        if form is not None:
            explore.in_thread(deck, partial(_written, deck.place.folders, exploration, form), written)

    def written(path: Path) -> None:
        deck.copy_to_clipboard(str(path))
        deck.say(f"written, and its path copied:\n{path}")

    deck.push_screen(Question("report", f"Write the report of {clean(exploration.name)} as", _FORMS), answered)


def _written(places: Folders, exploration: Exploration, form: ReportFormat) -> Path:
    from engine.design_space import reports  # noqa: PLC0415
    from engine.explore.export import write_export  # noqa: PLC0415

    make = {"html": reports.html, "csv": reports.csv, "json": reports.json, "md": reports.md, "text": reports.text}
    return write_export(places, exploration.name, form, make[form](exploration))
