"""Draw any cell with ASCII alone, for terminals and locales that have no more.

Widgets of Textual draw borders, bars and marks beyond ASCII wherever they please. Translating cells at the very end is
the one place that none of them can get past.
"""
# ruff: noqa: RUF001  (the characters are here because they look like others)

from __future__ import annotations

import unicodedata

_SAME = {
    "-": "─━┄┅┈┉╌╍═╴╶╸╺╼╾‐‑‒–—―−⎯",
    "|": "│┃┆┇┊┋╎╏║╵╷╹╻╽╿▏▎▍▌▐▕⎸⎹",
    "+": "╭╮╰╯┌┍┎┏┐┑┒┓└┕┖┗┘┙┚┛├┝┞┟┠┡┢┣┤┥┦┧┨┩┪┫┬┭┮┯┰┱┲┳┴┵┶┷┸┹┺┻┼┽┾┿╀╁╂╃╄╅╆╇╈╉╊╋╒╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡╢╣╤╥╦╧╨╩╪╫╬",
    "#": "█▉▊▋▓■▮◼",
    ":": "▒░",
    "=": "▄▅▆▇≡",
    "_": "▁▂▃",
    '"': "▀▔“”„«»",
    "'": "‘’‚",
    "*": "•●◉◆★·∙⋅",
    "o": "○◯◇☐□▪▫◌",
    ">": "▶▷▸▹►❯›→⟶⇒",
    "<": "◀◁◂◃◄❮‹←⟵⇐≤",
    "^": "▲△▴▵↑⇑",
    "v": "▼▽▾▿↓⇓✓✔",
    "x": "×✗✘✕✖",
    "~": "≈∼",
    "/": "╱⁄∕",
    "\\": "╲",
    "X": "╳☒☑",
    "u": "µμ",
}
_TABLE = {other: plain for plain, others in _SAME.items() for other in others} | {
    "≥": ">",
    "±": "+",
    "…": ".",
    "°": "o",
}
_BRAILLE = range(0x2801, 0x2900)


def to_ascii(text: str, width: int) -> str:
    """Return `width` ASCII characters that stand for the text of one cell."""
    if text.isascii():
        return text
    first = text[0]
    found = drawing(first)
    if found is None:
        found = unicodedata.normalize("NFKD", first)[0]
    if not found.isascii() or not found.isprintable():
        found = " " if first.isspace() or first == "\u2800" else "?"
    return found.ljust(width, found if found == "?" else " ")


def drawing(character: str) -> str | None:
    """Return the ASCII character for one that draws (boxes, bars, arrows, marks, braille); None for letters and the
    like, which nothing can stand for."""
    code = ord(character)
    return _dots(code - 0x2800) if code in _BRAILLE else _TABLE.get(character)


def _dots(pattern: int) -> str:
    """Return the mark that lies where the dots of a braille character lie."""
    upper = pattern & 0b0001_1011
    lower = pattern & 0b1110_0100
    return ":" if upper and lower else "'" if upper else "."
