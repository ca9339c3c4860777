"""Diagnose arguments with look-alike characters: other dashes, stray blanks, typographic quotation marks.

A shell passes them on unchanged, and they are hard to see in a terminal, so errors name them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from engine.errors import UsageError

_QUOTES = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b"
"""Typographic quotation marks, double and single."""
_LEADING = frozenset(f"\"'{_QUOTES}\u00ab\u00bb\u2212")
"""Characters that may precede an option by mistake, besides dashes, blanks and invisible characters."""


def refuse_odd_start(word: str) -> None:
    """Raise UsageError for an option that begins with something else than `--`: a blank, an en dash, a quotation
    mark."""
    rest = word
    while rest and _leads(rest[0]):
        rest = rest[1:]
    lead = word[: len(word) - len(rest)]
    odd = next((char for char in lead if char != "-"), "")
    if odd and rest and any(unicodedata.category(char) == "Pd" or char == "\u2212" for char in lead):
        written = rest.rstrip(_QUOTES)
        raise UsageError(f"'{word}' begins with {_character_name(odd)}, not with --", f"write --{written}")


def refuse_quotes(name: str, value: str) -> None:
    """Raise UsageError for a value that begins with a typographic quotation mark."""
    if value[:1] and value[0] in _QUOTES:
        raise UsageError(
            f"the value of '--{name}' begins with {_character_name(value[0])}", f"write --{name}={value.strip(_QUOTES)}"
        )


def refuse_gap(before: str, word: str) -> None:
    """Raise UsageError for an argument that a blank next to a comma has cut off from the previous one."""
    if before.endswith(",") or (before and word.startswith(",")):
        place = "after" if before.endswith(",") else "before"
        raise UsageError(f"there is a blank {place} a comma: '{before} {word}'", f"write it without: {before}{word}")


def refuse_variation(word: str) -> None:
    """Raise UsageError for a variation outside --tags."""
    if word.startswith(("_", "-_")):
        raise UsageError(f"'{word}' is a variation: it belongs in --tags", f"write --tags=...,{word}")


def refuse_blank(name: str, rest: Sequence[str]) -> None:
    """Raise UsageError where a blank separates an option from its value, the first of the following arguments."""
    value = rest[0].lstrip("=") if rest and not rest[0].startswith("-") else ""
    if value:
        raise UsageError(f"there is a blank next to the = of '--{name}'", f"write --{name}={value}")


def _leads(char: str) -> bool:
    return char in _LEADING or char.isspace() or unicodedata.category(char) in ("Pd", "Cf")


def _character_name(char: str) -> str:
    name = unicodedata.name(char, f"U+{ord(char):04X}").lower()
    if char == " ":
        return "a blank"
    if unicodedata.category(char) == "Cf":
        return f"an invisible character ({name})"
    return f"a special blank ({name})" if char.isspace() else f"{char} ({name})"
