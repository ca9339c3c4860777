"""Pictures of a run: its first samples with truth and answer, in half blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.color import Color
from textual.content import Content
from textual.style import Style

from engine.errors import InferdeckError
from engine.text import clean
from tui.screens.dialogs import Reading

if TYPE_CHECKING:
    from engine.explore.runs import Run
    from engine.tasks.picture import Picture
    from tui.deck import Deck

COUNT = 4
FRAME = 8
"""Cells beside a text in its window: margins, frame and scroll bar."""
AROUND, LEAST = 12, 8
"""Lines around a picture in its window, and the fewest that it has."""


def look_at(deck: Deck, run: Run) -> None:
    """Read the first samples of a run, and show them in a window."""
    width = max(deck.size.width * 8 // 10 - FRAME, 20)
    height = max(deck.size.height - AROUND, LEAST)

    def read() -> None:
        from engine.explore.history import all_runs  # noqa: PLC0415
        from engine.explore.pictures import pictures  # noqa: PLC0415

        try:
            found = pictures(run, all_runs(deck.place.folders), COUNT)
        except InferdeckError as error:
            deck.call_from_thread(deck.say_error, error)
            return
        content = Content("\n").join(_drawn(picture, width, height, colours=not deck.no_color) for picture in found)
        deck.call_from_thread(deck.push_screen, Reading(f"pictures of {run.id}", content))

    deck.run_worker(read, thread=True, group="pictures", exclusive=True, exit_on_error=False)


def _drawn(picture: Picture, width: int, height: int, *, colours: bool) -> Content:
    """Return a picture below its name and captions."""
    from engine.explore import drawing  # noqa: PLC0415  (numpy and Pillow)

    head = Content.styled(clean(picture.name), "bold") + Content(f"\n{drawing.captions(picture, width)}\n")
    if not colours:
        return head + Content("\n".join(drawing.plain_rows(picture, width, height)) + "\n")
    lines = (
        Content.assemble(*((cell.text, Style(Color(*cell.back), Color(*cell.fore))) for cell in row))
        for row in drawing.rows(picture, width, height)
    )
    return head + Content("\n").join(lines) + Content("\n")
