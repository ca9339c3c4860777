"""Open a saved selection, or save one: recipes, as YAML in the user's own profiles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.errors import InferdeckError
from engine.plan.selection import Selection
from engine.plan.selection_syntax import as_recipe, of_recipe
from engine.profile import recipe_files
from engine.store.files import write_atomic
from tui.screens.choosing import Write
from tui.screens.dialogs import Question

if TYPE_CHECKING:
    from tui.deck import Deck

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


def choose_recipe(deck: Deck) -> None:
    """Ask which recipe to open, the user's own first, and go to the plan with it."""
    files = recipe_files.files(deck.place.catalog.folders)
    shipped = deck.place.catalog.folders[0]
    answers = []
    for name, path in sorted(files.items(), key=lambda one: one[1].is_relative_to(shipped)):
        try:
            title = recipe_files.read(path).title
        except InferdeckError as error:
            title = f"can't be read: {error.what}"
        answers.append((name, f"{name:16} {title}"))

    def opened(name: str | None) -> None:
        if name is None:
            return
        try:
            chosen = of_recipe(recipe_files.read(files[name]))
        except InferdeckError as error:
            deck.say_error(error)
            return
        deck.go_plan(chosen)

    about = "A recipe is a saved set of choices; s on Plan saves one."
    deck.push_screen(Question("open a recipe", about, answers), opened)


def save_recipe(deck: Deck, chosen: Selection) -> None:
    """Ask for a name and save the selection in the user's own profiles."""
    folder = deck.place.folders.profiles / "recipes"

    def verdict(name: str) -> str:
        return "" if _NAME.fullmatch(name) else "letters, digits, dots and dashes, for example resnet50-server"

    def named(name: str | None) -> None:
        if name is None:
            return
        path = folder / f"{name}.yaml"
        try:
            write_atomic(path, recipe_files.text(as_recipe(chosen, name)).encode())
        except InferdeckError as error:
            deck.say_error(error)
            return
        deck.open_place()
        deck.say(f"saved {path}; open it with o on Home, or: inferdeck plan --recipe={name}")

    deck.push_screen(Write("save as a recipe", f"a name; the file goes to {folder}", "", verdict), named)
