"""Recipes: saved selections, as YAML files in the folders of the profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.profile import document

FOLDER = "recipes"
KEYS = ("title", "tags", "options", "env", "adr")


@dataclass(frozen=True)
class RecipeFile:
    """A selection as written in its file; `engine.plan.selection_syntax` converts it."""

    title: str
    tags: tuple[str, ...]
    """Tags and variations as on the command line: `app`, `_resnet50`."""
    options: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    adr: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Dependency → changed property (`tags`, `version`, an option) → value."""


def files(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the files of all recipes by name; a later folder overrides an earlier."""
    found = {path.stem: path for folder in folders for path in sorted((folder / FOLDER).glob("*.yaml"))}
    return dict(sorted(found.items()))


def read(path: Path) -> RecipeFile:
    """Read a recipe. Raises ProfileError with the position of the error."""
    return of_keys(document.read(path).section(KEYS, required=("tags",)), path.stem)


def of_keys(keys: Mapping[str, document.Value], title: str) -> RecipeFile:
    """Read the selection of a file from those of its keys that are `KEYS`; `title` is used where it has none."""

    def written(key: str) -> dict[str, str]:
        return {name: _text(value) for name, value in keys[key].items()} if key in keys else {}

    return RecipeFile(
        title=str(keys["title"].plain()) if "title" in keys else title,
        tags=tuple(keys["tags"].words()) if "tags" in keys else (),
        options=written("options"),
        env=written("env"),
        adr={name: {what: _text(value) for what, value in inner.items()} for name, inner in keys["adr"].items()}
        if "adr" in keys
        else {},
    )


def text(recipe: RecipeFile) -> str:
    """Return the text of a recipe's file; `read` restores an equal recipe."""
    import yaml  # noqa: PLC0415  (start-up: only who saves a recipe needs it)

    parts: dict[str, Any] = {
        "title": recipe.title,
        "tags": ",".join(recipe.tags),
        "options": dict(recipe.options),
        "env": dict(recipe.env),
        "adr": {name: dict(changes) for name, changes in recipe.adr.items()},
    }
    kept = {key: value for key, value in parts.items() if value}
    return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=1000)


def _text(value: document.Value) -> str:
    plain = value.plain()
    return ",".join(str(one) for one in plain) if isinstance(plain, list) else str(plain)
