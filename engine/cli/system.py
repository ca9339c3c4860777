"""`inferdeck system new | list | show`: the systems under test, and how to describe this machine as one."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.cli import words
from engine.cli.screen import Cell, Screen
from engine.errors import UsageError, nearest
from engine.profile import catalog, systems
from engine.profile.rounds import Round, load_round
from engine.store.files import write_atomic
from engine.store.folders import Folders, folders
from engine.submission import describe

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
    return 0


def _new(asked: words.Words, places: Folders, known: catalog.Catalog, name: str) -> int:
    """Write a description of this machine into the person's own profiles; ask for what can't be read."""
    target = places.profiles / "systems" / f"{name}.yaml"
    if target.exists() and "again" not in asked.flags:
        raise UsageError(f"{target} exists already", "edit it, or write it anew with --again")
    rules = load_round(known.profile("rounds", asked.options.pop("round", "v2.1")))
    given = asked.options
    for field in given:
        if field not in (*rules.system.required, *rules.system.network, *rules.system.optional):
            raise UsageError(f"the rules know no field '{field}'", nearest(field, rules.system.required))
    places.store.mkdir(parents=True, exist_ok=True)
    description = {**describe.detected(rules, places.store, describe.frameworks()), **given}
    if sys.stdin.isatty() and "quiet" not in asked.flags:
        _ask(description, rules)
    write_atomic(target, _yaml(description).encode())
    screen = Screen()
    screen.line(f"wrote {target}", "good")
    empty = describe.empty_fields(description)
    if empty:
        screen.line(f"empty, and that is allowed where nothing can be said: {', '.join(empty)}", "todo")
    screen.line(f"use it with --env.CM_SUT_NAME={name}")
    return 0


def _ask(description: dict[str, str], rules: Round) -> None:
    choices = {
        "division": tuple(rules.divisions),
        "system_type": tuple(rules.system.types),
        "status": rules.system.status,
    }
    for field in ASKED:
        if description.get(field):
            continue
        hint = f" ({' | '.join(choices[field])})" if field in choices else ""
        sys.stdout.write(f"{field}{hint}: ")
        sys.stdout.flush()
        description[field] = sys.stdin.readline().strip()


def _yaml(description: dict[str, str]) -> str:
    import yaml  # noqa: PLC0415

    head = "# The fields of the rules. Run figures go under runs: backend: benchmark: {Scenario: target}.\n"
    return head + yaml.safe_dump({"targets": "measured", "description": description, "runs": {}}, sort_keys=False)
