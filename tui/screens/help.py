"""Help: the screen, the focused pane, the keys, and the glossary. Also the palette's list."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.content import Content
from textual.screen import Screen

from engine.errors import InferdeckError
from engine.text import time_of_day
from tui.glossary import WORDS
from tui.screens.base import DeckScreen
from tui.screens.dialogs import Reading
from tui.settings import save, with_theme
from tui.widgets.header import MODES
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from tui.deck import Deck

_Parts = list[tuple[str, str]]

_EVERYWHERE = (
    ("1 to 6", "go to a screen"),
    ("↑ ↓ ← →", "move; Tab goes to the next pane, Esc back"),
    ("?", "this help"),
    (": or ctrl+p", "all actions, by name"),
    ("ctrl+l", "redraw the screen"),
    ("q", "quit; jobs continue"),
)


def help_of(screen: Screen[Any]) -> Reading:
    """Return the help of a screen as it is now."""
    parts: _Parts = []
    if isinstance(screen, DeckScreen):
        parts += [(screen.ABOUT + "\n\n", "")]
        pane = _focused_pane(screen)
        if pane is not None and pane.about:
            parts += [(f"This pane: {pane.title}\n", "bold"), (pane.about + "\n\n", "")]
        parts += [("Keys here\n", "bold")]
        for action in screen.ACTIONS:
            reason = screen.why_not(action.name)
            parts += _line(action.shown_key, action.help + (f" (not now: {reason})" if reason else ""))
        parts += [("\n", "")]
    parts += [("Keys everywhere\n", "bold")]
    for key, text in _EVERYWHERE:
        parts += _line(key, text)
    parts += [("\nGlossary\n", "bold")]
    for word, meaning in WORDS.items():
        parts += _line(word, meaning, 20)
    return Reading("help", Content.assemble(*parts))


def commands(app: Deck, screen: Screen[Any]) -> Iterable[SystemCommand]:
    """Yield what the palette offers: the screen's actions, the screens, themes, messages and the glossary."""
    if isinstance(screen, DeckScreen):
        for action in screen.ACTIONS:
            yield SystemCommand(
                f"{action.label}  ({action.shown_key})", action.help, partial(screen.action_act, action.name)
            )
    for key, mode, label in MODES:
        yield SystemCommand(f"{label}  ({key})", f"go to {label}", partial(app.run_action, f"switch_mode('{mode}')"))
    for theme in ("inferdeck-dark", "inferdeck-light"):
        yield SystemCommand(
            f"theme {theme}", "change the colours, and keep the change", partial(_take_theme, app, theme)
        )
    yield SystemCommand("messages", "all messages that were shown", partial(_show_messages, app))
    yield SystemCommand("help  (?)", "explain this screen", app.action_help)
    yield SystemCommand("quit  (q)", "leave; jobs continue", app.action_leave)
    for word, meaning in WORDS.items():
        yield SystemCommand(f"what is: {word}", meaning, partial(_explain, app, word, meaning))


def _take_theme(app: Deck, theme: str) -> None:
    """Change the colours and keep that in the settings."""
    app.theme = theme
    if app.opened:
        try:
            app.settings = with_theme(app.settings, theme)
            app.say(f"saved in {save(app.place.folders.config, app.settings)}")
        except InferdeckError as error:
            app.say_error(error)


def _show_messages(app: Deck) -> None:
    lines = [f"{time_of_day(one.at)}  {one.text}" for one in reversed(app.messages)]
    app.push_screen(Reading("messages", "\n".join(lines) or "no messages yet"))


def _explain(app: Deck, word: str, meaning: str) -> None:
    app.push_screen(Reading(word, meaning))


def _focused_pane(screen: Screen[Any]) -> Pane | None:
    focused = screen.focused
    return next((one for one in focused.ancestors_with_self if isinstance(one, Pane)), None) if focused else None


def _line(key: str, text: str, width: int = 13) -> _Parts:
    return [(f"  {key:{width}} ", "bold $mark"), (text + "\n", "")]
