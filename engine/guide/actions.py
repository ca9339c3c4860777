"""Actions of the guide's steps. Each is also available as a command, and is safe to repeat."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from engine.errors import UsageError, nearest
from engine.events import AnyEvent
from engine.guide import offers
from engine.guide.look import ROUND, Looker, Overview
from engine.guide.state import Guide, save
from engine.jobs import preparation
from engine.jobs.jobs import Job
from engine.jobs.start import begin
from engine.profile.names import WHOLE_LOGS
from engine.profile.rounds import Round
from engine.step import Step
from engine.steps.results import build_submission as submission
from engine.submission import identity, own, pack
from engine.submission.checker.check import check
from engine.submission.truncate import truncate, whole_logs
from engine.survey.prepare import Prepared, prepare

_CHOICES = ("offer", "benchmark", "division", "category", "backend", "pictures", "style", "system")


def choose(looker: Looker, guide: Guide, name: str, value: str) -> Guide:
    """Set a choice and save it. Raises UsageError for an unknown name."""
    if name not in _CHOICES:
        raise UsageError(f"a guide has no choice '{name}'", nearest(name, _CHOICES))
    new = msgspec.structs.replace(guide, **{name: value.strip()})
    offer = offers.OFFERS.get(new.offer)
    if name == "offer" and offer is not None:
        division = new.division if new.division in offer.divisions else offer.divisions[0]
        offered = offers.models(new.offer, looker.place.catalog)
        benchmark = new.benchmark if new.benchmark in offered else next(iter(offered))
        new = msgspec.structs.replace(new, division=division, benchmark=benchmark, style="")
    return save(looker.place.folders, new)


def describe(looker: Looker, guide: Guide, changes: Mapping[str, str]) -> Path:
    """Write fields of the description to the user's own file, which starts with everything detected.

    Without changes the file is only created. Raises UsageError where an example has that name.
    """
    if own.is_shipped(looker.place.catalog.folders, guide.system):
        raise UsageError(f"the system {guide.system} is an example", "give yours another name in step 1")
    profiles = looker.place.folders.profiles
    path = own.path_of(profiles, guide.system)
    if not path.is_file():
        own.write(profiles, guide.system, looker.draft(guide))
    for name, value in changes.items():
        own.say(profiles, guide.system, name, value)
    _add_network_fields(looker.rules, looker, guide)
    return path


def _add_network_fields(rules: Round, looker: Looker, guide: Guide) -> None:
    """Add the fields of a network system, which the checker requires even if they are empty."""
    description = looker.draft(guide)
    if str(description.get("is_network", "")).lower() == "true":
        for name in rules.system.network:
            if name not in description:
                own.say(looker.place.folders.profiles, guide.system, name, "")


def get(sight: Overview) -> Job:
    """Start the job that prepares model and data."""
    return preparation.begin(_prepared(sight), sight.data)


def try_out(sight: Overview) -> Job:
    """Start the short trial run."""
    _prepared(sight)
    assert sight.trial is not None
    return begin(sight.trial)


def run(sight: Overview, scenario: str = "") -> Job:
    """Start or resume all runs, or repeat those of one scenario. Both end with the tree, checked."""
    prepared = _prepared(sight)
    if sight.stale:
        _forget_tree(sight)
    if scenario:
        prepared = prepare(
            sight.place, offers.one_scenario(sight.guide, sight.place.catalog, scenario), output=str(sight.results)
        )
    return begin(prepared)


def build(sight: Overview) -> None:
    """Rebuild the tree from the existing runs, truncate, check and pack it."""
    _forget_tree(sight)
    options = _prepared(sight).plan.nodes[_node(sight)].values()
    submission.build(
        Step(
            id=_node(sight),
            title="",
            options={**options, "round": ROUND},
            inputs={},
            output=sight.folder,
            emit=_ignore,
            profiles=sight.place.catalog.folders,
            results=sight.results,
        )
    )


def _forget_tree(sight: Overview) -> None:
    """Delete a tree that is out of date; it was built from results, which are kept."""
    for folder in (sight.tree, sight.results / WHOLE_LOGS):
        shutil.rmtree(folder, ignore_errors=True)
    sight.zip.unlink(missing_ok=True)


def pack_tree(sight: Overview) -> Path:
    """Pack the tree; returns the zip. Raises DataError where that is not allowed."""
    identity.refuse(sight.tree, sight.place.catalog.folders)
    pack.refuse_the_refused(sight.tree, check(sight.tree, sight.rules, processes=1))
    return pack.pack(sight.tree, sight.zip).file


def truncate_tree(tree: Path, rules: Round) -> int:
    """Truncate the accuracy logs of a tree, keeping full copies outside it; returns how many were cut."""
    done = truncate(tree, whole_logs(tree), rules)
    return sum(one.action != "left alone" for one in done)


def have_read(sight: Overview) -> Guide:
    """Record that the user has read the preflight of this plan."""
    return save(sight.place.folders, msgspec.structs.replace(sight.guide, read=sight.fingerprint))


def skip(sight: Overview, step: str) -> Guide:
    """Skip a step, or unskip it."""
    old = sight.guide.skipped
    new = tuple(name for name in old if name != step) if step in old else (*old, step)
    return save(sight.place.folders, msgspec.structs.replace(sight.guide, skipped=new))


def have_sent(sight: Overview) -> Guide:
    """Record that the user has submitted the result."""
    return save(sight.place.folders, msgspec.structs.replace(sight.guide, sent=not sight.guide.sent))


def _prepared(sight: Overview) -> Prepared:
    if sight.stuck is not None:
        raise sight.stuck
    if sight.prepared is None:
        raise UsageError("no plan yet", "steps 1 and 2 come first")
    return sight.prepared


def _node(sight: Overview) -> str:
    plan = _prepared(sight).plan
    return next(edge.node for edge in plan.nodes[plan.root].after if edge.name == "submission")


def _ignore(_: AnyEvent) -> None:
    """Ignore the progress of a build: its report is read from the tree."""
