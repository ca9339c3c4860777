"""Actions of the guide's steps. Each is also available as a command, and is safe to repeat."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from engine.errors import UsageError, nearest
from engine.events import AnyEvent
from engine.guide import choices_form, presets
from engine.guide.overview import Overview, OverviewReader
from engine.guide.state import Guide, save
from engine.jobs import preparation
from engine.jobs.jobs import Job
from engine.jobs.start import begin
from engine.profile.known_rounds import newest_with
from engine.profile.names import WHOLE_LOGS
from engine.profile.rounds import Round
from engine.step import Step
from engine.steps.results import build_submission as submission
from engine.submission import identity, pack, user_systems
from engine.submission.checker.check import check
from engine.submission.truncate import truncate, whole_logs
from engine.survey.prepare import Prepared, prepare
from engine.text import whole_path

_FOLDERS = ("data", "results")


def choose(reader: OverviewReader, guide: Guide, name: str, value: str) -> Guide:
    """Set a choice and save it, with those that follow from it. Raises UsageError for an unknown name."""
    if name not in choices_form.NAMES:
        raise UsageError(f"a guide has no choice '{name}'", nearest(name, choices_form.NAMES))
    value = value.strip()
    if name in _FOLDERS and value:
        value = str(whole_path(value))
    new = msgspec.structs.replace(guide, **{name: value})
    if name in ("offer", "benchmark"):
        new = _fitting(new, reader, turned=name == "benchmark")
    decided = presets.filled(new, reader.place.catalog).round
    return save(reader.place.folders, msgspec.structs.replace(new, round=decided))


def _fitting(guide: Guide, reader: OverviewReader, *, turned: bool) -> Guide:
    """Return the choices with those changed that another kind, or another benchmark (`turned`), does not have."""
    catalog = reader.place.catalog
    named = presets.filled(guide, catalog)
    file = presets.file_of(named, catalog)
    if file is None:
        return guide
    if turned:
        few = next((name for name in file.offers if name not in presets.PRESETS), presets.PRACTICE)
        lost = guide.offer and guide.offer not in file.offers
        types, folders = presets.CATEGORIES.items(), catalog.folders
        categories = [name for name, type_ in types if newest_with(folders, named.benchmark, type_)]
        guide = msgspec.structs.replace(
            guide,
            offer=few if lost else guide.offer,
            category=guide.category if guide.category in categories else categories[0],
            backend=guide.backend if guide.backend in file.backends else "",
            data="",
        )
    preset = presets.PRESETS.get(guide.offer, presets.FEW)
    division = guide.division if guide.division in preset.divisions else preset.divisions[0]
    return msgspec.structs.replace(guide, division=division, style="" if not turned else guide.style)


def describe(reader: OverviewReader, guide: Guide, changes: Mapping[str, str]) -> Path:
    """Write fields of the description to the user's own file, which starts with everything detected.

    Without changes the file is only created. Raises UsageError where an example has that name.
    """
    if user_systems.is_shipped(reader.place.catalog.folders, guide.system):
        raise UsageError(f"the system {guide.system} is an example", "give yours another name in step 1")
    profiles = reader.place.folders.profiles
    path = user_systems.path_of(profiles, guide.system)
    if not path.is_file():
        user_systems.write(profiles, guide.system, reader.draft(guide))
    for name, value in changes.items():
        user_systems.set_field(profiles, guide.system, name, value)
    _add_network_fields(reader.rules(guide), reader, guide)
    return path


def _add_network_fields(rules: Round, reader: OverviewReader, guide: Guide) -> None:
    """Add the fields of a network system, which the checker requires even if they are empty."""
    description = reader.draft(guide)
    if str(description.get("is_network", "")).lower() == "true":
        for name in rules.system.network:
            if name not in description:
                user_systems.set_field(reader.place.folders.profiles, guide.system, name, "")


def get(overview: Overview) -> Job:
    """Start the job that prepares model and data."""
    return preparation.begin(_prepared(overview), overview.data)


def try_out(overview: Overview) -> Job:
    """Start the short trial run."""
    _prepared(overview)
    assert overview.trial is not None
    return begin(overview.trial)


def run(overview: Overview, scenario: str = "") -> Job:
    """Start or resume all runs, or repeat those of one scenario. Both end with the tree, checked."""
    prepared = _prepared(overview)
    if overview.stale:
        _forget_tree(overview)
    if scenario:
        prepared = prepare(
            overview.place,
            presets.one_scenario(overview.guide, overview.place.catalog, scenario),
            output=str(overview.results),
        )
    return begin(prepared)


def build(overview: Overview) -> None:
    """Rebuild the tree from the existing runs, truncate, check and pack it."""
    _forget_tree(overview)
    options = _prepared(overview).plan.nodes[_node(overview)].values()
    submission.build(
        Step(
            id=_node(overview),
            title="",
            options={**options, "round": overview.rules.name},
            inputs={},
            output=overview.folder,
            emit=_ignore,
            profiles=overview.place.catalog.folders,
            results=overview.results,
        )
    )


def _forget_tree(overview: Overview) -> None:
    """Delete a tree that is out of date; it was built from results, which are kept."""
    for folder in (overview.tree, overview.results / WHOLE_LOGS):
        shutil.rmtree(folder, ignore_errors=True)
    overview.zip.unlink(missing_ok=True)


def pack_tree(overview: Overview) -> Path:
    """Pack the tree; returns the zip. Raises DataError where that is not allowed."""
    identity.refuse(overview.tree, overview.place.catalog.folders)
    pack.refuse_the_refused(overview.tree, check(overview.tree, overview.rules, processes=1))
    return pack.pack(overview.tree, overview.zip).file


def truncate_tree(tree: Path, rules: Round) -> int:
    """Truncate the accuracy logs of a tree, keeping full copies outside it; returns how many were cut."""
    done = truncate(tree, whole_logs(tree), rules)
    return sum(one.action != "left alone" for one in done)


def have_read(overview: Overview) -> Guide:
    """Record that the user has read the preflight of this plan."""
    return save(overview.place.folders, msgspec.structs.replace(overview.guide, read=overview.fingerprint))


def skip(overview: Overview, step: str) -> Guide:
    """Skip a step, or unskip it."""
    old = overview.guide.skipped
    new = tuple(name for name in old if name != step) if step in old else (*old, step)
    return save(overview.place.folders, msgspec.structs.replace(overview.guide, skipped=new))


def have_sent(overview: Overview) -> Guide:
    """Record that the user has submitted the result."""
    return save(overview.place.folders, msgspec.structs.replace(overview.guide, sent=not overview.guide.sent))


def _prepared(overview: Overview) -> Prepared:
    if overview.stuck is not None:
        raise overview.stuck
    if overview.prepared is None:
        raise UsageError("no plan yet", "steps 1 and 2 come first")
    return overview.prepared


def _node(overview: Overview) -> str:
    plan = _prepared(overview).plan
    return next(edge.node for edge in plan.nodes[plan.root].after if edge.name == "submission")


def _ignore(_: AnyEvent) -> None:
    """Ignore the progress of a build: its report is read from the tree."""
