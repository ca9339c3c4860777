"""Turn command-line arguments into a prepared plan, for every command that takes a selection."""

from __future__ import annotations

import os
from dataclasses import replace

from engine.cli import arguments as words
from engine.errors import UsageError
from engine.plan.selection_syntax import selection_of
from engine.survey import lock as locks
from engine.survey.prepare import Prepared, Workplace, prepare, workplace
from engine.text import whole_path


def prepare_words(asked: words.Words) -> Prepared:
    """Read the profiles, resolve the selection and survey this machine."""
    place = workplace(asked.values.get("home"), asked.profiles)
    locked = None
    bundled = _taken_in(place, asked.values["bundle"]) if "bundle" in asked.values else ()
    if "locked" in asked.values:
        refuse_selection(asked, "a locked plan is run as it is", "leave out the selection, or write a new lock")
        locked = locks.read(whole_path(asked.values["locked"]))
        chosen, output = selection_of(locked.command)
    elif bundled and not asked.selects:
        chosen, output = selection_of(bundled)[0], ""
    else:
        chosen, output = words.selection(asked, place.catalog), ""
    if "yes-install" in asked.flags:
        chosen = replace(chosen, env={**chosen.env, "YES_INSTALL": "yes"})
    output, anew, at_once = asked.values.get("output_dir", output), "again" in asked.flags, "now" in asked.flags
    with words.named_options(asked):
        prepared = prepare(place, chosen, output=output, again=anew, now=at_once)
    if locked is not None:
        locks.refuse_changes(locked, prepared.lock())
    return prepared


def _taken_in(place: Workplace, name: str) -> tuple[str, ...]:
    """Add a bundle to the store and install environments from its wheels; returns the command that it is for."""
    from engine.jobs import bundle  # noqa: PLC0415  (start-up: few commands have one)

    contents, wheels = bundle.take_in(whole_path(name), place.folders.store)
    if contents.wheels:
        os.environ.update(bundle.without_index(wheels))
    return contents.lock.command


def refuse_selection(asked: words.Words, what: str, remedy: str) -> None:
    """Raise UsageError for selection options where nothing can be selected."""
    if asked.selects:
        raise UsageError(f"{what}: nothing else can be selected", remedy)
