"""`inferdeck store list | verify | accept | remove | clean | why`."""

from __future__ import annotations

import msgspec

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.screen import Cell, Screen
from engine.errors import StoreError, UsageError
from engine.store.folders import folders
from engine.store.recipe import differences
from engine.store.store import Manifest, Store
from engine.store.upkeep import Unfinished, accept, remove_attempt, unfinished
from engine.text import clean, date_time, size


def _store(asked: words.Words) -> Store:
    return Store(folders(asked.values.get("home")).store)


def list_command(asked: words.Words) -> int:
    """List the artifacts on this machine."""
    store = _store(asked)
    entries, damaged = store.readable()
    left = unfinished(store)
    if "json" in asked.flags:
        plain = [
            {"entry": name, **msgspec.to_builtins(manifest), "bytes": manifest.bytes}
            for name, manifest in entries.items()
        ]
        plain += [{"entry": name, "damaged": why} for name, why in damaged.items()]
        plain += [{"unfinished": one.name, "bytes": one.bytes, "in_use": one.in_use} for one in left]
        output.write_json(plain)
        return 0
    screen = Screen()
    rows: list[list[Cell]] = [[(word, "dim") for word in ("entry", "size", "files", "made", "with")]]
    for name, manifest in entries.items():
        options = ", ".join(f"{key} {value}" for key, value in manifest.recipe.options.items() if _short(value))
        cells = (size(manifest.bytes), str(len(manifest.files)), date_time(manifest.made), options[:60])
        rows.append([(name, "bold"), *((cell, "") for cell in cells)])
    for one in left:
        word = "being made" if one.in_use else "unfinished"
        rows.append([(one.name, ""), (size(one.bytes), ""), ("", ""), ("", ""), (word, "todo")])
    screen.table(rows, right=(1, 2))
    for name, why in damaged.items():
        screen.cells([(name, "bold"), (f"  {why}", "bad")])
    total = sum(manifest.bytes for manifest in entries.values())
    screen.line(f"{len(entries)} entries, {size(total)} in {store.folder}")
    _say_unfinished(screen, left)
    return 0


def _say_unfinished(screen: Screen, left: list[Unfinished]) -> None:
    idle = [one for one in left if not one.in_use]
    if idle:
        room = size(sum(one.bytes for one in idle))
        screen.line(f"{len(idle)} unfinished, {room}: the same command resumes it, inferdeck store clean deletes it")


def verify_command(asked: words.Words) -> int:
    """Verify the hashes of all files; exit status 1 if a plan can't use an entry: damaged, or copied or touched."""
    store, names = _store(asked), asked.positional
    screen = Screen()
    entries, unreadable = store.readable()
    damaged = moved = 0
    for name in [store.named(one) for one in names] or store.names():
        manifest = entries.get(name)
        fault = unreadable.get(name) if manifest is None else store.damage(name, manifest, deep=True)
        damaged += fault is not None
        text, style = "as published", "good"
        if manifest is None:
            text, style = str(fault), "bad"
        elif fault is not None:
            text, style = f"{fault} is damaged: inferdeck store remove {name}", "bad"
        elif store.damage(name, manifest) is not None:
            moved += 1
            text, style = "as published, but copied or touched since: a plan would rebuild it", "todo"
        screen.cells([(name, "bold"), ("  " + text, style)])
    if moved:
        screen.line("inferdeck store accept accepts what was copied or touched, after verifying its hashes")
    return 1 if damaged or moved else 0


def accept_command(asked: words.Words) -> int:
    """Accept entries whose files have the right content; exit status 1 if one is damaged."""
    store, names = _store(asked), asked.positional
    screen = Screen()
    damaged = 0
    for name in [store.named(one) for one in names] or store.names():
        try:
            accept(store, name)
        except StoreError as error:
            damaged += 1
            screen.cells([(name, "bold"), (f"  {clean(error.what)}: {clean(error.remedy)}", "bad")])
        else:
            screen.cells([(name, "bold"), ("  as published", "good")])
    return 1 if damaged else 0


def clean_command(asked: words.Words) -> int:
    """Delete the leftovers of attempts that no process is working on."""
    store = _store(asked)
    screen = Screen()
    gone = [one for one in unfinished(store) if remove_attempt(store, one.name)]
    for one in gone:
        screen.line(f"deleted {one.name}, {size(one.bytes)}")
    screen.line(f"{len(gone)} unfinished deleted, {size(sum(one.bytes for one in gone))}")
    return 0


def remove_command(asked: words.Words) -> int:
    """Delete an entry."""
    store = _store(asked)
    name = store.named(asked.positional[0])
    store.remove(name)
    Screen().line(f"removed {name}")
    return 0


def why_command(asked: words.Words) -> int:
    """Show what an entry was made from, and how it differs from others of its component."""
    store = _store(asked)
    name = store.named(asked.positional[0])
    manifest = store.manifest(name)
    screen = Screen()
    if manifest is None:
        raise UsageError(f"{name} has no readable manifest", f"inferdeck store remove {name}")
    recipe = manifest.recipe
    screen.line(f"{name}: made {date_time(manifest.made)} in {manifest.seconds:.1f} s, {size(manifest.bytes)}", "bold")
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
    component = manifest.recipe.component
    entries = store.readable()[0].items()
    return [(other, found) for other, found in entries if other != name and found.recipe.component == component]


def _short(value: object) -> bool:
    return isinstance(value, str | int | float | bool) and len(str(value)) < 24
