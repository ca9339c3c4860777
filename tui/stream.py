"""Parses Textual's output into what it draws and what it only sends to the terminal.

Textual draws with absolute cursor moves, SGR and plain text (textual._compositor of the version that pyproject.toml
pins). Everything else is passed through; what could change cells in another way makes the drawing `lost`, and the
screen is then written whole.
"""

from __future__ import annotations

import re

from engine.ascii import to_ascii
from tui.cells import PLAIN, Cell, Grid, cells_of, styled

_TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-9;:<=>?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b\]8;(?P<link>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|(?P<string>\x1b[\]P_^X].*?(?:\x07|\x1b\\))"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<other>\x1b[ -/]*[0-~]|.)",
    re.DOTALL,
)

_SYNCHRONIZED = "?2026"
_ALTERNATE_SCREEN = "?1049"
_HARMLESS = frozenset("hlnutcqp")
"""Final letters of sequences that change no cell: modes, reports, keyboards, cursor shape."""


class Drawing:
    """What Textual wants the terminal to show."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        self.grid = Grid()
        self.cursor = (0, 0)
        """Column and row."""
        self.synchronized = False
        """Whether frames are to be shown at once (mode 2026): Textual has found that the terminal can do so."""
        self.lost = False
        """Something was passed through that leaves the terminal's content unknown."""
        self._style = PLAIN
        self._ascii_only = ascii_only

    def draw(self, data: str) -> str:
        """Parse a text; returns the part to pass through unchanged."""
        passed = []
        for token in _TOKEN.finditer(data):
            kind = token.lastgroup
            if kind == "text":
                self._write(token[0])
            elif kind == "final":
                passed.append(self._control(token))
            elif kind == "link":
                target = token["link"].partition(";")[2]
                self._style = self._style._replace(link=token["link"] if target else "")
            elif token[0] == "\r":
                self.cursor = (0, self.cursor[1])
            elif token[0] == "\n":
                self.cursor = (0, self.cursor[1] + 1)
            elif kind == "string" or token[0] == "\a":
                passed.append(token[0])
            elif token[0].startswith("\x1b"):
                passed.append(token[0])
                self.lost = True
        return "".join(passed)

    def _control(self, token: re.Match[str]) -> str:
        parameters, final = token["parameters"], token["final"]
        if final == "m" and not token["between"] and not parameters.startswith((">", "?", "<")):
            self._style = styled(self._style, parameters)
            return ""
        if final in "Hf":
            row, _, column = parameters.partition(";")
            self.cursor = (int(column or 1) - 1, int(row or 1) - 1)
            return ""
        if parameters == _SYNCHRONIZED and not token["between"]:
            self.synchronized = True
            return ""
        if parameters == _ALTERNATE_SCREEN:
            self.lost = True
            return "\x1b[m" + token[0]
        if final not in _HARMLESS:
            self.lost = True
        return token[0]

    def _write(self, text: str) -> None:
        cells = cells_of(text, self._style)
        if self._ascii_only and not text.isascii():
            cells = _in_ascii(cells)
        x, y = self.cursor
        self.grid.put(x, y, cells)
        self.cursor = (x + len(cells), y)


def _in_ascii(cells: list[Cell]) -> list[Cell]:
    """Put one ASCII character into every cell, both of a wide character too."""
    found: list[Cell] = []
    for number, (text, style) in enumerate(cells):
        width = 2 if number + 1 < len(cells) and not cells[number + 1][0] else 1
        if text:
            found.extend((one, style) for one in to_ascii(text, width))
    return found
