"""Reduce terminal cells to ASCII, for terminals and locales that can't show more.

Textual's widgets draw borders, bars and marks beyond ASCII. They are translated cell by cell just before output, the
one point that all of them pass.
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
    """Return `width` ASCII characters for the text of one cell."""
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
    """Return the ASCII replacement of a drawing character (boxes, bars, arrows, marks, braille); None for letters and
    the like, which have no replacement."""
    code = ord(character)
    return _dots(code - 0x2800) if code in _BRAILLE else _TABLE.get(character)


def _dots(pattern: int) -> str:
    """Return an ASCII mark with the position of a braille character's dots."""
    upper = pattern & 0b0001_1011
    lower = pattern & 0b1110_0100
    return ":" if upper and lower else "'" if upper else "."
