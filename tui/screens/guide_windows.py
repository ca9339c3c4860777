"""Dialogs of the guide: a folder to check, and which submission to resume."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.guide import state
from engine.text import whole_path
from tui.screens.checked_tree import CheckedTree
from tui.screens.choosing import Write
from tui.screens.dialogs import Question

if TYPE_CHECKING:
    from tui.deck import Deck


def ask_folder(deck: Deck) -> None:
    """Ask for a submission folder, and check it."""

    def opened(path: str | None) -> None:
        if path:
            deck.push_screen(CheckedTree(whole_path(path)))

    about = "the folder that holds closed/, open/ or network/"
    deck.push_screen(Write("check a submission folder", about, "", _no_folder), opened)


def ask_guide(deck: Deck, then: Callable[[str], None]) -> None:
    """Ask for an existing submission, or start another; `then` gets its name."""
    folders = deck.place.folders
    answers = [(name, f"resume {name}") for name in state.names(folders)]

    def answered(name: str | None) -> None:
        if name is not None:
            then(name or state.save(folders, state.another(folders)).name)

    text = "Each has its own choices and results."
    deck.push_screen(Question("choose a submission", text, [*answers, ("", "a new one")]), answered)


def _no_folder(path: str) -> str:
    return "" if whole_path(path).is_dir() else "there is no such folder"
