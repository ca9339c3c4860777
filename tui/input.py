"""Parses terminal input before Textual: keys, mouse and modes are passed on, answers to queries are not.

Textual types a sequence that it does not know as so many keys, so that a terminal's answer to another program's
query (its colours, its name) would act as keys. Here a sequence is passed on whole or not at all.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable

from textual import constants
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import SPECIAL_SEQUENCES, XTermParser
from textual.events import Key
from textual.message import Message

_SEQUENCE = re.compile(
    r"\x1b(?:"
    r"\[M(?P<mouse>[^\x1b]{3})"
    r"|\[\[[A-E]"  # function keys of the Linux console
    r"|\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-LN-Z\\-~]|(?<!\[)M)"
    r"|(?P<string>[\]P_^X][^\x07\x18\x1a\x1b]*(?:[\x07\x18\x1a]|\x1b\\|(?=\x1b[^\\])))"
    r"|O[ -~]"
    r")",
)
_BEGINNING = re.compile(r"\x1b(?:\[(?:M[^\x1b]{0,2}|\[|[0-?]*[ -/]*)|[\]P_^X][^\x07\x18\x1a\x1b]*\x1b?|O)?\Z")
_LONG_NUMBER = re.compile(r"\d{8}")
_MODE = re.compile(r"\x1b\[\?\d+;\d\$y")
_PLACE = re.compile(r"\x1b\[\d+;\d+R")
_SIZE = re.compile(r"\x1b\[48;[1-9]\d*(?::[\d:]*)?;[1-9]\d*(?::[\d:]*)?;\d+(?::[\d:]*)?;\d+(?::[\d:]*)?t")
_MOUSE = re.compile(r"\x1b\[(?:<?-?\d+;-?\d+;-?\d+[mM])")

_PATIENCE = 1.0
"""Seconds for which the rest of a sequence is awaited. A slow link may cut one anywhere."""
_LONGEST = 65536
"""Characters of one sequence; what is longer is given up."""


class InputParser(XTermParser):
    """Textual's parser, which receives only keys, text and sequences that it knows."""

    def __init__(self, debug: bool = False, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(debug)
        self._clock = clock
        self._rest = ""
        """The beginning of a sequence whose end has not come yet."""
        self._since = 0.0

    def feed(self, data: str) -> Iterable[Message]:
        """Parse terminal input; yields events."""
        if not data:  # Textual's parser takes it for the end
            return
        data = self._rest + data
        beginning = _BEGINNING.search(data)
        cut = beginning.start() if beginning else len(data)
        data, self._rest = data[:cut], data[cut : cut + _LONGEST]
        self._since = self._clock()
        if known := _SEQUENCE.sub(self._known, data):
            yield from super().feed(known)

    def tick(self) -> Iterable[Message]:
        """Call at regular intervals: an incomplete sequence that does not continue is the Escape key, or nothing."""
        waited = self._clock() - self._since
        if len(self._rest) == 1 and waited >= constants.ESCAPE_DELAY:
            self._rest = ""
            yield Key("escape", "\x1b")
        elif self._rest and waited >= _PATIENCE:
            self._rest = ""
        yield from super().tick()

    def parse_mouse_code(self, code: str) -> Message | None:
        """Read a mouse event; a terminal that tells no size in pixels counts in cells."""
        if self.terminal_pixel_size is not None and not all(self.terminal_pixel_size):
            self.mouse_pixels = False
        return super().parse_mouse_code(code)

    def _known(self, found: re.Match[str]) -> str:
        """Return a sequence that Textual knows, and nothing for any other."""
        sequence = found[0]
        if found["mouse"] or found["string"] or _LONG_NUMBER.search(sequence):
            return ""  # Textual reads SGR mouse events only
        if sequence in SPECIAL_SEQUENCES or any(one.fullmatch(sequence) for one in (_MODE, _PLACE, _SIZE, _MOUSE)):
            return sequence
        return sequence if sequence in ANSI_SEQUENCES_KEYS or self._is_key(sequence) else ""

    def _is_key(self, sequence: str) -> bool:
        """Say whether it is a key in kitty's protocol, of a character that there is."""
        try:
            keys = self._parse_extended_key(sequence)
            return keys is not None and all((key.character or "").encode() is not None for key in keys)
        except (ValueError, OverflowError):  # no such character
            return False
