"""What the terminal can show, decided before Textual is imported.

Textual reads its switches from the environment while it is imported, takes several capable terminals for ones of 16
colours, and draws a full screen on `TERM=dumb`. So the decision is made here, from the environment alone, as one frozen
record that the rest of the interface asks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Literal

View = Literal["full", "plain"]
Glyphs = Literal["braille", "block", "ascii"]
DriverName = Literal["diff", "stock"]

_TRUECOLOR = frozenset(
    "alacritty alacritty-direct contour contour-direct foot foot-extra foot-direct ghostty iterm2 iterm2-direct "
    "kitty-direct mintty-direct rio wezterm xterm-direct xterm-direct256 xterm-ghostty xterm-kitty".split()
)
"""Values of TERM that name a terminal with 24-bit colour."""

_TRUECOLOR_PROGRAMS = frozenset("ghostty iTerm.app rio vscode WezTerm".split())
"""The same for TERM_PROGRAM, where TERM says only `xterm-256color`."""

_TRUECOLOR_MARKS = ("KONSOLE_VERSION", "VTE_VERSION", "WT_SESSION")
"""Variables that only terminals with 24-bit colour set."""

_NO_BRAILLE = ("linux", "cygwin", "cons25")
"""Consoles whose font has block elements but no braille."""

_PAGE = "textual.drivers.web_driver:WebDriver"
"""What textual-serve puts into TEXTUAL_DRIVER."""

_COLOUR_SYSTEM = "TEXTUAL_COLOR_SYSTEM"
_COLOUR_SYSTEMS = ("auto", "standard", "256", "truecolor", "windows")

_ASCII_ONLY = ("vt", "ansi", "xterm-mono", "sun")

_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
"""What Python puts into LC_CTYPE by itself where the locale is C (PEP 538)."""


@dataclass(frozen=True)
class Wishes:
    """What the user asked for by a switch or a setting; None leaves it to the terminal."""

    view: View | None = None
    glyphs: Glyphs | None = None
    mouse: bool | None = None
    animations: bool | None = None
    driver: DriverName | None = None


@dataclass(frozen=True)
class Terminal:
    """What to draw, how finely and how often."""

    view: View
    """`plain` is one line per change: for pipes, TERM=dumb and screen readers."""
    glyphs: Glyphs
    """The finest characters for charts. With `ascii` nothing beyond ASCII may be drawn at all."""
    colours: str | None
    """The value for TEXTUAL_COLOR_SYSTEM; None where Textual finds out rightly itself."""
    remote: bool
    """Whether a network lies between (SSH)."""
    web: bool
    """Whether the screen is a page that `inferdeck serve` shows."""
    mouse: bool
    animations: bool
    chart_interval: float
    """Seconds between two drawings of a chart."""
    number_interval: float
    """Seconds between two drawings of the numbers."""
    driver: DriverName
    """`diff` sends changed cells only (tui/driver.py), `stock` leaves the writing to Textual."""


def decide(environ: Mapping[str, str], *, tty: bool, wishes: Wishes = Wishes()) -> Terminal:
    """Return what suits this terminal. `tty`: whether standard input and output are a terminal (`is_tty`)."""
    web = environ.get("TEXTUAL_DRIVER") == _PAGE
    remote = not web and bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    return Terminal(
        view=wishes.view or ("full" if web or (tty and environ.get("TERM", "") not in ("", "dumb")) else "plain"),
        glyphs=wishes.glyphs or ("braille" if web else _glyphs(environ)),
        colours=None if web else _colours(environ),
        remote=remote,
        web=web,
        mouse=not remote if wishes.mouse is None else wishes.mouse,
        animations=not remote if wishes.animations is None else wishes.animations,
        chart_interval=2.0 if remote else 1.0,
        number_interval=0.5 if remote else 0.25,
        driver="stock" if web else wishes.driver or "diff",
    )


def is_tty() -> bool:
    """Return whether standard input and output are a terminal."""
    return os.isatty(0) and os.isatty(1)


def textual_switches(terminal: Terminal) -> dict[str, str]:
    """Return the environment variables that Textual must find when it is imported."""
    switches = {}
    if terminal.colours:
        switches[_COLOUR_SYSTEM] = terminal.colours
    if not terminal.animations:
        switches["TEXTUAL_ANIMATIONS"] = "none"
    if not terminal.mouse:
        switches["TEXTUAL_SMOOTH_SCROLL"] = "0"
    return switches


def apply(terminal: Terminal, environ: MutableMapping[str, str] | None = None) -> None:
    """Set the switches before Textual is imported. What the user has set is kept, unless it would do harm.

    That is a colour system that there is not, and a size: COLUMNS and LINES are what a shell once found, and Textual
    would believe them rather than the terminal. Of a page they are the size.
    """
    target = os.environ if environ is None else environ
    if target.get(_COLOUR_SYSTEM) not in _COLOUR_SYSTEMS:
        target.pop(_COLOUR_SYSTEM, None)
    for name in () if terminal.web else ("COLUMNS", "LINES"):
        target.pop(name, None)
    for name, value in textual_switches(terminal).items():
        target.setdefault(name, value)


def _glyphs(environ: Mapping[str, str]) -> Glyphs:
    term = environ.get("TERM", "")
    if not _is_utf8(environ) or term.startswith(_ASCII_ONLY):
        return "ascii"
    return "block" if term in _NO_BRAILLE else "braille"


def _is_utf8(environ: Mapping[str, str]) -> bool:
    """Return whether the locale is UTF-8; where none is set (most containers), today's terminals are."""
    kind = environ.get("LC_CTYPE", "")
    if kind in _COERCED and environ.get("LANG"):
        kind = ""
    name = environ.get("LC_ALL") or kind or environ.get("LANG") or "C.UTF-8"
    return "utf8" in name.lower().replace("-", "")


def _colours(environ: Mapping[str, str]) -> str | None:
    """Inside tmux and screen the marks are those of the terminal in which they were started: not to be trusted."""
    if environ.get("COLORTERM") or environ.get(_COLOUR_SYSTEM) in _COLOUR_SYSTEMS:
        return None
    known = (
        environ.get("TERM", "") in _TRUECOLOR
        or environ.get("TERM_PROGRAM", "") in _TRUECOLOR_PROGRAMS
        or any(environ.get(name) for name in _TRUECOLOR_MARKS)
    )
    inside = environ.get("TMUX") or environ.get("STY")
    return "truecolor" if known and not inside else None
