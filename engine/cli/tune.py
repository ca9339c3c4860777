"""`inferdeck tune`: choose the workers of each scenario by measuring; `tune show` prints what was chosen."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from engine.cli import arguments as words
from engine.cli import output, run
from engine.cli.prepare import prepare_words
from engine.cli.screen import Screen
from engine.cli.workers_table import draw_kept
from engine.errors import UsageError
from engine.profile import systems
from engine.profile.catalog import load
from engine.store.folders import folders

VARIATION = "_tune"


def tune_command(asked: words.Words) -> int:
    """Run a selection with `_tune`."""
    if "locked" in asked.values:
        raise UsageError("a locked plan is run as it is", "inferdeck run --locked FILE")
    asked = replace(asked, lists={**asked.lists, "tags": (*asked.lists.get("tags", ()), VARIATION)})
    return run.start(prepare_words(asked), asked)


def show_command(asked: words.Words) -> int:
    """Show the saved tuning of a system's run configuration."""
    places = folders(asked.values.get("home"))
    known = load([*places.own_profiles, *asked.profiles])
    path, _ = systems.find(known.folders, asked.positional[0], "")
    screen, tuned = Screen(), systems.load_system(path).tuned
    if "json" in asked.flags:
        output.write_json(msgspec.to_builtins(tuned))
        return 0
    screen.line(str(path), "dim")
    if not tuned:
        screen.line(f"the workers of {path.stem} were never tuned; inferdeck tune --tags=... --sut={path.stem}", "todo")
    draw_kept(screen, tuned)
    return 0
