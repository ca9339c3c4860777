"""`inferdeck system new | list | show`: systems under test, and describing this machine as one."""

from __future__ import annotations

import io
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.screen import Cell, Screen
from engine.cli.workers_table import draw_kept
from engine.errors import UsageError
from engine.profile import catalog, systems
from engine.profile.known_rounds import DEFAULT
from engine.profile.names import refuse_system_name
from engine.profile.round_file import load_round
from engine.profile.rounds import Round
from engine.store.folders import Folders, folders
from engine.submission import user_systems
from engine.submission.form import Field, form
from engine.text import clean

ASKED = (
    "submitter",
    "division",
    "system_type",
    "system_name",
    "host_memory_configuration",
    "host_storage_type",
    "host_networking",
    "host_network_card_count",
    "host_networking_topology",
    "system_type_detail",
    "cooling",
    "hw_notes",
    "sw_notes",
)
"""Fields that no program can detect; the other empty fields concern few systems."""


def _profiles(asked: words.Words) -> tuple[Folders, catalog.Catalog]:
    places = folders(asked.values.get("home"))
    return places, catalog.load([*places.own_profiles, *asked.profiles])


def list_command(asked: words.Words) -> int:
    """Show the systems under test."""
    places = _profiles(asked)[1].folders
    screen = Screen()
    rows: list[list[Cell]] = [[(word, "dim") for word in ("system", "described", "run figures", "file")]]
    files = [path for folder in places for path in sorted((folder / "systems").glob("*.yaml"))]
    used = {path.stem: path for path in files}
    if "json" in asked.flags:
        output.write_json([_as_data(path) for path in files if used[path.stem] == path])
        return 0
    for path in files:
        hidden = [("", ""), (f"not used: {used[path.stem]} takes precedence", "todo")]
        cells = _row(path) if used[path.stem] == path else hidden
        rows.append([(path.stem, "bold"), *cells, (str(path), "dim")])
    screen.table(rows)
    return 0


def _as_data(path: Path) -> dict[str, object]:
    """Return a system as plain data; `error` where its file can't be used."""
    try:
        found = systems.load_system(path)
    except UsageError as error:
        return {"system": path.stem, "file": str(path), "error": error.what}
    return {"system": path.stem, "file": str(path), **_plain(found)}


def _plain(found: systems.System) -> dict[str, object]:
    return {
        "description": dict(found.description),
        "runs": {
            backend: {one: dict(figures) for one, figures in runs.items()} for backend, runs in found.runs.items()
        },
        "tuned": msgspec.to_builtins(found.tuned),
    }


def _row(path: Path) -> list[Cell]:
    """Return whether a system is described and what its run figures cover, or the error in its file."""
    try:
        refuse_system_name(path.stem)
        found = systems.load_system(path)
    except UsageError as error:
        return [("can't be used", "bad"), (f"{error.what}; {error.remedy}", "bad")]
    figures = ", ".join(f"{backend}: {', '.join(runs)}" for backend, runs in found.runs.items())
    described = str(found.description.get("system_name") or "yes") if found.description else "no"
    return [(described, ""), (figures or "measured at start", "")]


def show_command(asked: words.Words) -> int:
    """Show one system under test."""
    places, name = _profiles(asked)[1].folders, asked.positional[0]
    path = catalog.profile_file(places, "systems", name)
    found = systems.load_system(path)
    if "json" in asked.flags:
        output.write_json({"system": name, "file": str(path), **_plain(found)})
        return 0
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
    draw_kept(screen, found.tuned)
    return 0


def new_command(asked: words.Words) -> int:
    """Write a description of this machine to the user's profiles, prompting for what can't be detected."""
    (places, known), name = _profiles(asked), asked.positional[0]
    target = user_systems.path_of(places.profiles, name)
    if target.exists() and "again" not in asked.flags:
        raise UsageError(f"{target} exists already", "edit it, or replace it with --again: its run figures are kept")
    user_systems.refuse_taken(known.folders, name)
    rules = load_round(known.profile("rounds", asked.values.get("round", DEFAULT)))
    with words.named_options(asked):
        description = user_systems.new(rules, places.store, asked.changes.options)
    if sys.stdin.isatty() and "quiet" not in asked.flags:
        _ask(description, rules)
    user_systems.write(places.profiles, name, description)
    screen = Screen()
    screen.line(f"wrote {target}", "good")
    _show_what_is_missing(screen, form(description, rules, {}))
    screen.line(f"use it with {shlex.quote(f'--env.CM_SUT_NAME={name}')}")
    return 0


def _show_what_is_missing(screen: Screen, fields: Sequence[Field]) -> None:
    for field in fields:
        if field.verdict in ("problem", "warning"):
            screen.line(f"{field.name}: {field.said}; {field.remedy}", "bad" if field.verdict == "problem" else "todo")
    empty = [field.name for field in fields if field.verdict == "empty"]
    if empty:
        screen.line(f"empty (allowed, with a warning): {', '.join(empty)}", "todo")


def _ask(description: dict[str, str | int | float | bool], rules: Round) -> None:
    picks = {field.name: field.picks for field in form(description, rules, {})}
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    for field in (name for name in ASKED if name in picks):
        hint = f" ({' | '.join(pick.value for pick in picks[field])})" if picks[field] else ""
        while not description.get(field) and (answer := _answer(f"{field}{hint}: ")):
            try:
                user_systems.refuse_value(field, {**description, field: answer}, rules)
            except UsageError as error:
                sys.stdout.write(clean(f"{error.what}; {error.remedy}") + "\n")
                continue
            description[field] = answer


def _answer(question: str) -> str:
    """Return the line typed; empty where nothing is, or at the end of input."""
    sys.stdout.write(clean(question))
    sys.stdout.flush()
    return sys.stdin.readline().strip()
