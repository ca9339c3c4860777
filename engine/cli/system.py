"""`inferdeck system new | list | show`: the systems under test, and how to describe this machine as one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from engine.cli import tune, words
from engine.cli.screen import Cell, Screen
from engine.errors import UsageError, nearest
from engine.profile import catalog, systems
from engine.profile.rounds import Round, load_round
from engine.store.folders import Folders, folders
from engine.submission import own
from engine.submission.form import Field, form
from engine.text import clean

COMMANDS = ("new", "list", "show")

ASKED = (
    "submitter",
    "division",
    "system_type",
    "system_name",
    "host_memory_configuration",
    "host_storage_type",
    "host_networking",
    "cooling",
    "hw_notes",
    "sw_notes",
)
"""What no program can read off a machine; the other empty fields concern few systems."""


def system_command(arguments: list[str]) -> int:
    """Look after the systems under test."""
    asked = words.parse(arguments)
    command = asked.positional[0] if asked.positional else "list"
    places = folders(asked.values.get("home"))
    known = catalog.load([*([places.profiles] if places.profiles.is_dir() else []), *asked.profiles])
    if command not in COMMANDS:
        raise UsageError(f"system has no command '{command}'", nearest(command, COMMANDS))
    if command == "list":
        return _list(known.folders)
    if len(asked.positional) != 2:
        raise UsageError(f"system {command} takes one name", f"inferdeck system {command} NAME")
    name = asked.positional[1]
    return _show(known.folders, name) if command == "show" else _new(asked, places, known, name)


def _list(places: tuple[Path, ...]) -> int:
    screen = Screen()
    rows: list[list[Cell]] = [[(word, "dim") for word in ("system", "described", "run figures", "file")]]
    for folder in places:
        for path in sorted((folder / "systems").glob("*.yaml")):
            found = systems.load_system(path)
            figures = ", ".join(f"{backend}: {', '.join(runs)}" for backend, runs in found.runs.items())
            described = str(found.description.get("system_name") or "yes") if found.description else "no"
            rows.append(
                [(path.stem, "bold"), (described, ""), (figures or "measured at start", ""), (str(path), "dim")]
            )
    screen.table(rows)
    return 0


def _show(places: tuple[Path, ...], name: str) -> int:
    path = catalog.profile_file(places, "systems", name)
    found = systems.load_system(path)
    screen = Screen()
    screen.line(str(path), "dim")
    screen.table(
        [[(field, "dim"), (str(value), "")] for field, value in found.description.items()] or [[("no description", "")]]
    )
    for backend, runs in found.runs.items():
        for benchmark, figures in runs.items():
            screen.line(
                f"{backend} {benchmark}: " + ", ".join(f"{scenario} {value:g}" for scenario, value in figures.items())
            )
            for scenario, one in found.found.get(backend, {}).get(benchmark, {}).items():
                if figures.get(scenario) == one.target:
                    text = f"{backend} {benchmark} {scenario} {one.target:g}: found on {one.date}, {one.confidence()}"
                    screen.line(text, "dim")
    tune.draw_kept(screen, found.tuned)
    return 0


def _new(asked: words.Words, places: Folders, known: catalog.Catalog, name: str) -> int:
    """Write a description of this machine into the person's own profiles; ask for what can't be read."""
    target = own.path_of(places.profiles, name)
    if target.exists() and "again" not in asked.flags:
        raise UsageError(f"{target} exists already", "edit it, or write it anew with --again")
    rules = load_round(known.profile("rounds", asked.options.pop("round", "v2.1")))
    description = own.new(rules, places.store, asked.options)
    if sys.stdin.isatty() and "quiet" not in asked.flags:
        _ask(description, rules)
    own.write(places.profiles, name, description)
    screen = Screen()
    screen.line(f"wrote {target}", "good")
    _show_what_is_missing(screen, form(description, rules, {}))
    screen.line(f"use it with --env.CM_SUT_NAME={name}")
    return 0


def _show_what_is_missing(screen: Screen, fields: Sequence[Field]) -> None:
    for field in fields:
        if field.verdict in ("problem", "warning"):
            screen.line(f"{field.name}: {field.said}; {field.remedy}", "bad" if field.verdict == "problem" else "todo")
    empty = [field.name for field in fields if field.verdict == "empty"]
    if empty:
        screen.line(f"empty, and that is allowed where nothing can be said: {', '.join(empty)}", "todo")


def _ask(description: dict[str, str | int | float | bool], rules: Round) -> None:
    picks = {field.name: field.picks for field in form(description, rules, {})}
    for field in ASKED:
        if description.get(field):
            continue
        hint = f" ({' | '.join(pick.value for pick in picks[field])})" if picks[field] else ""
        sys.stdout.write(clean(f"{field}{hint}: "))
        sys.stdout.flush()
        description[field] = sys.stdin.readline().strip()
