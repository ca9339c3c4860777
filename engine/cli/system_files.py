"""`inferdeck system import | export | check`: descriptions as files of mlperf-sysinfo, and whether one is complete."""

from __future__ import annotations

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.screen import Cell, Screen
from engine.errors import UsageError
from engine.profile import catalog
from engine.profile.known_rounds import DEFAULT, round_of
from engine.profile.rounds import Round
from engine.store.folders import Folders, folders
from engine.submission import describe, sysinfo_file, user_systems
from engine.submission.form import form
from engine.text import clean, whole_path

PROBLEM, ATTENTION = "problem", "warning"


def _place(asked: words.Words) -> tuple[Folders, catalog.Catalog, Round]:
    places = folders(asked.values.get("home"))
    known = catalog.load([*places.own_profiles, *asked.profiles])
    return places, known, round_of(known.folders, asked.values.get("round", DEFAULT))


def import_command(asked: words.Words) -> int:
    """Write a system of the user's from a file of mlperf-sysinfo."""
    places, known, rules = _place(asked)
    name, path = asked.positional[0], whole_path(asked.positional[1])
    target = user_systems.path_of(places.profiles, name)
    if target.exists() and "again" not in asked.flags:
        raise UsageError(f"{target} exists already", "replace it with --again: its run figures are kept")
    user_systems.refuse_taken(known.folders, name)
    found = sysinfo_file.read_description(path, rules)
    user_systems.write(places.profiles, name, found.description)
    screen = Screen()
    screen.line(f"wrote {target}", "good")
    if found.unknown:
        screen.line(f"left out, not in round {rules.name}: {clean(', '.join(found.unknown))}", "dim")
    if found.unfilled:
        screen.line(f"left empty, still starter text: {clean(', '.join(found.unfilled))}", "todo")
    return 0


def export_command(asked: words.Words) -> int:
    """Print a system's description as a file of mlperf-sysinfo."""
    places, known, rules = _place(asked)
    described = describe.description_of(known.folders, asked.positional[0], rules, places.store.parent)
    output.write_json(sysinfo_file.file_of(described, rules), indent=2)
    return 0


def check_command(asked: words.Words) -> int:
    """Check a system's description; exit status 0 where it is complete, 1 where the round would reject it."""
    places, known, rules = _place(asked)
    described = describe.description_of(known.folders, asked.positional[0], rules, places.store.parent)
    fields = form(described, rules, {})
    found = {kind: [one for one in fields if one.verdict == kind] for kind in (PROBLEM, ATTENTION)}
    status = 1 if found[PROBLEM] else 0
    if "json" in asked.flags:
        said = {
            f"{kind}s": [{"field": one.name, "what": one.said, "remedy": one.remedy} for one in those]
            for kind, those in found.items()
        }
        output.write_json({"system": asked.positional[0], "round": rules.name, "complete": status == 0, **said})
        return status
    screen = Screen()
    rows: list[list[Cell]] = [
        [(kind, "bad" if kind == PROBLEM else "todo"), (one.name, "bold"), (one.said, ""), (one.remedy, "dim")]
        for kind, those in found.items()
        for one in those
    ]
    screen.table(rows)
    screen.line("complete" if not status else f"{len(found[PROBLEM])} to mend", "good" if not status else "bad")
    return status
