"""Samples of a run with truth and answer, drawn on the terminal or written as PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import get_terminal_size

from engine.cli.screen import Screen
from engine.explore import drawing
from engine.explore.pictures import pictures
from engine.explore.runs import Run
from engine.tasks.picture import Picture

USUAL = 4
"""Pictures where no number is given."""
LINES = 40
"""Of a picture at most."""


def show(screen: Screen, run: Run, known: Sequence[Run], values: Mapping[str, str]) -> None:
    """Draw the first samples of a run; with `png` write them instead. Raises UsageError and DataError."""
    found = pictures(run, known, int(values.get("pictures", USUAL)))
    if "png" in values:
        for path in drawing.save(found, Path(values["png"]).expanduser()):
            screen.line(f"written: {path}")
        return
    for picture in found:
        _draw(screen, picture)
    screen.line("as files: --png=DIR", "dim")


def _draw(screen: Screen, picture: Picture) -> None:
    width = get_terminal_size().columns
    screen.line(picture.name, "bold")
    screen.line(drawing.captions(picture, width))
    if screen.in_colour:
        screen.pixels(drawing.rows(picture, width, LINES))
    else:
        for line in drawing.plain_rows(picture, width, LINES):
            screen.line(line)
    screen.line()
