"""`inferdeck store list | verify | remove | why`."""

from __future__ import annotations

import json
import sys

import msgspec

from engine.cli import words
from engine.cli.screen import Cell, Screen
from engine.errors import UsageError
from engine.job.survey import age
from engine.store.folders import folders
from engine.store.recipe import differences
from engine.store.store import Manifest, Store
from engine.text import size


def _store(asked: words.Words) -> Store:
    return Store(folders(asked.values.get("home")).store)


def list_command(asked: words.Words) -> int:
    """Show the artifacts on this machine."""
    store = _store(asked)
    entries = [(name, manifest) for name in store.names() if (manifest := store.manifest(name))]
    if "json" in asked.flags:
        plain = [
            {"entry": name, **msgspec.to_builtins(manifest), "bytes": manifest.bytes} for name, manifest in entries
        ]
        sys.stdout.write(json.dumps(plain) + "\n")
        return 0
    screen = Screen()
    rows: list[list[Cell]] = [[(word, "dim") for word in ("entry", "size", "files", "made", "with")]]
    for name, manifest in entries:
        options = ", ".join(f"{key} {value}" for key, value in manifest.recipe.options.items() if _short(value))
        cells = (size(manifest.bytes), str(len(manifest.files)), age(manifest.made), options[:60])
        rows.append([(name, "bold"), *((cell, "") for cell in cells)])
    screen.table(rows, right=(1, 2))
    screen.line(f"{len(entries)} entries, {size(sum(manifest.bytes for _, manifest in entries))} in {store.folder}")
    return 0


def verify_command(asked: words.Words) -> int:
    """Hash every file again; exit status 1 if one is damaged."""
    store, names = _store(asked), asked.positional
    screen = Screen()
    damaged = 0
    for name in [store.named(one) for one in names] or store.names():
        manifest = store.manifest(name)
        fault = "its manifest" if manifest is None else store.damage(name, manifest, deep=True)
        damaged += fault is not None
        text = "as published" if fault is None else f"{fault} is damaged: inferdeck store remove {name}"
        screen.cells([(name, "bold"), ("  " + text, "good" if fault is None else "bad")])
    return 1 if damaged else 0


def remove_command(asked: words.Words) -> int:
    """Delete an entry."""
    store = _store(asked)
    name = store.named(asked.positional[0])
    store.remove(name)
    Screen().line(f"removed {name}")
    return 0


def why_command(asked: words.Words) -> int:
    """Say what an entry was made from, and how it differs from the others of its component."""
    store = _store(asked)
    name = store.named(asked.positional[0])
    manifest = store.manifest(name)
    screen = Screen()
    if manifest is None:
        raise UsageError(f"{name} has no readable manifest", f"inferdeck store remove {name}")
    recipe = manifest.recipe
    screen.line(f"{name}: made {age(manifest.made)} in {manifest.seconds:.1f} s, {size(manifest.bytes)}", "bold")
    fault = store.damage(name, manifest)
    screen.line(f"  a plan with this recipe {'hits' if fault is None else f'misses: {fault} was changed or is gone'}")
    rows: list[list[Cell]] = [
        [("  made by", "dim"), (recipe.definition, "")],
        [("  code", "dim"), (recipe.code[:20], "")],
    ]
    rows += [[(f"  option {key}", "dim"), (str(value), "")] for key, value in recipe.options.items()]
    rows += [[(f"  input {key}", "dim"), (" ".join(keys), "")] for key, keys in recipe.inputs.items()]
    screen.table(rows)
    for other, found in _others(store, name, manifest):
        causes = "; ".join(str(cause) for cause in differences(recipe, found.recipe))
        screen.line(f"  not {other}: {causes}")
    return 0


def _others(store: Store, name: str, manifest: Manifest) -> list[tuple[str, Manifest]]:
    return [
        (other, found)
        for other in store.names()
        if other != name
        and (found := store.manifest(other)) is not None
        and found.recipe.component == manifest.recipe.component
    ]


def _short(value: object) -> bool:
    return isinstance(value, str | int | float | bool) and len(str(value)) < 24
