"""`inferdeck store list | verify | remove | why`."""

from __future__ import annotations

import msgspec

from engine.cli import output, words
from engine.cli.screen import Cell, Screen
from engine.errors import UsageError, nearest
from engine.job.survey import age
from engine.store.folders import folders
from engine.store.recipe import differences
from engine.store.store import Manifest, Store
from engine.text import size

_COMMANDS = ("list", "verify", "remove", "why")


def store_command(arguments: list[str]) -> int:
    """Look after the artifacts on this machine."""
    asked = words.parse_simple(arguments)
    command = asked.positional[0] if asked.positional else "list"
    names = asked.positional[1:]
    store = Store(folders(asked.values.get("home")).store)
    if command not in _COMMANDS:
        raise UsageError(f"the store has no command '{command}'", nearest(command, _COMMANDS))
    if command == "list":
        return _list(store, as_json="json" in asked.flags)
    if command == "verify":
        return _verify(store, names)
    if len(names) != 1:
        raise UsageError(f"store {command} takes the name or key of one entry", "inferdeck store list shows them")
    return _remove(store, names[0]) if command == "remove" else _why(store, names[0])


def _list(store: Store, *, as_json: bool) -> int:
    entries = [(name, manifest) for name in store.names() if (manifest := store.manifest(name))]
    if as_json:
        plain = [
            {"entry": name, **msgspec.to_builtins(manifest), "bytes": manifest.bytes} for name, manifest in entries
        ]
        output.write_json(plain)
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


def _verify(store: Store, names: list[str]) -> int:
    """Hash every file again; exit status 1 if one is damaged."""
    screen = Screen()
    damaged = 0
    for name in [store.named(one) for one in names] or store.names():
        manifest = store.manifest(name)
        fault = "its manifest" if manifest is None else store.damage(name, manifest, deep=True)
        damaged += fault is not None
        text = "as published" if fault is None else f"{fault} is damaged: inferdeck store remove {name}"
        screen.cells([(name, "bold"), ("  " + text, "good" if fault is None else "bad")])
    return 1 if damaged else 0


def _remove(store: Store, start: str) -> int:
    name = store.named(start)
    store.remove(name)
    Screen().line(f"removed {name}")
    return 0


def _why(store: Store, start: str) -> int:
    """Say what an entry was made from, and how it differs from the others of its component."""
    name = store.named(start)
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
