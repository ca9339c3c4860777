"""`inferdeck results pin | archive | restore | delete | import`."""

from __future__ import annotations

import sys

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.results import all_known
from engine.cli.screen import Screen
from engine.errors import UsageError
from engine.explore import history, pins, runs
from engine.explore.imported import import_results
from engine.jobs import removing
from engine.store.folders import folders
from engine.text import size, whole_path


def pin_command(asked: words.Words) -> int:
    """Pin a run, remove its pin, or list what is pinned."""
    places, screen = folders(asked.values.get("home")), Screen()
    if not asked.positional:
        found = pins.read_pins(places)
        screen.table([[(key, ""), (run, "bold")] for key, run in sorted(found.items())])
        if not found:
            screen.line("no run is pinned: inferdeck results pin RUN", "dim")
        return 0
    run = runs.find(all_known(asked), asked.positional[0])
    if "remove" in asked.flags:
        before = pins.unpin_run(places, run)
        screen.line(f"{before or 'no run'} was pinned for {pins.question(run)}")
        return 0
    before = pins.pin_run(places, run)
    instead = f", instead of {before}" if before and before != run.id else ""
    screen.line(f"{run.id} is the baseline of {pins.question(run)}{instead}")
    return 0


def archive_command(asked: words.Words) -> int:
    """Take jobs out of all lists."""
    places, screen = folders(asked.values.get("home")), Screen()
    for found in [removing.removal(places, word) for word in dict.fromkeys(asked.positional)]:
        removing.archive(places, found)
        screen.line(f"{found.name} is archived; inferdeck results restore {found.name} brings it back")
    return 0


def restore_command(asked: words.Words) -> int:
    """Bring archived jobs back; without names list them."""
    places, screen = folders(asked.values.get("home")), Screen()
    if not asked.positional:
        listed = history.archived_runs(places)
        screen.table([[(run.id, "bold"), (run.benchmark, ""), (runs.day(run.when), "")] for run in listed])
        if not listed:
            screen.line("nothing is archived", "dim")
    for found in [removing.removal(places, word, archived=True) for word in dict.fromkeys(asked.positional)]:
        removing.restore(places, found)
        screen.line(f"{found.name} is back")
    return 0


def delete_command(asked: words.Words) -> int:
    """Delete jobs after a confirmation; exit status 1 if it was refused."""
    places, screen = folders(asked.values.get("home")), Screen()
    archived = "archived" in asked.flags
    known = history.archived_runs(places) if archived else all_known(asked)
    found = [removing.removal(places, word, archived=archived) for word in dict.fromkeys(asked.positional)]
    for one in found:
        ids = [run.id for run in known if run.job == one.name]
        screen.line(f"{removing.effect(one, ids, deletes=True)} ({size(one.bytes)})", "todo")
    if "yes" not in asked.flags:
        if not sys.stdin.isatty():
            raise UsageError("deleting needs a confirmation, and this is no terminal", "--yes confirms it")
        sys.stdout.write("type yes to delete: ")
        sys.stdout.flush()
        if sys.stdin.readline().strip() != "yes":
            screen.line("nothing was deleted")
            return 1
    for one in found:
        removing.delete(one)
    screen.line(f"deleted {', '.join(one.name for one in found)}")
    return 0


def import_command(asked: words.Words) -> int:
    """Copy the runs of another machine's results folder."""
    source = whole_path(asked.positional[0])
    found = import_results(folders(asked.values.get("home")), source, asked.values.get("name", source.name))
    if "json" in asked.flags:
        output.write_json([run.id for run in found])
        return 0
    screen = Screen()
    for run in found:
        screen.cells([(run.id, "bold"), (f"  {run.benchmark} {run.sut} {run.verdict}", "")])
    screen.line(f"{len(found)} runs are in the list now; inferdeck results delete {found[0].job} removes them", "dim")
    return 0
