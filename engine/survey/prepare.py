"""From a selection to a prepared plan: resolve it, survey this machine, lock what was chosen.

The command line and the screen share this code, so that what one shows is what the other runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import engine
from engine.facts import NO_ACCURACY
from engine.plan.decide import RuleBook
from engine.plan.plan import Plan
from engine.plan.resolve import DependencyChange, resolve
from engine.plan.rule_book import refuse_foreign_scenarios, rule_book
from engine.plan.selection import Selection
from engine.plan.selection_syntax import with_whole_paths
from engine.profile import catalog
from engine.profile.component import fill
from engine.profile.known_rounds import DEFAULT, round_at
from engine.profile.rounds import Round
from engine.profile.systems import describer
from engine.store.folders import Folders, folders
from engine.submission.styles import try_out
from engine.survey import lock as locks
from engine.survey import on_load, output_dir
from engine.survey.survey import Survey, Surveyor
from engine.text import absolute, whole_path

SUBMISSION = "submission"
"""Name of the step that builds a benchmark's submission."""


@dataclass(frozen=True)
class Workplace:
    """The folders of a user, and the profiles that they see."""

    folders: Folders
    catalog: catalog.Catalog

    def round(self, name: str) -> Round:
        """Return the rules of a round."""
        return round_at(self.catalog.profile("rounds", name))

    def rules(self, name: str) -> RuleBook:
        """Return the values that a round decides, as the resolver asks for them."""
        return rule_book(self.round(name), describer(self.catalog.folders))


def workplace(home: str | None = None, profiles: Sequence[Path] = ()) -> Workplace:
    """Read the profiles: ours, the user's own, and further folders. Raises ProfileError where one is invalid."""
    places = folders(home)
    return Workplace(places, catalog.load([*places.own_profiles, *profiles]))


@dataclass(frozen=True)
class Resolved:
    """A selection with everything decided; nothing of this machine is known yet."""

    selection: Selection
    plan: Plan
    round: str
    workplace: Workplace

    def survey(self, *, again: bool = False) -> Survey:
        """Survey this machine for it."""
        return Surveyor(self.workplace.catalog, self.workplace.folders, again=again).survey(self.plan)


@dataclass(frozen=True)
class Prepared(Resolved):
    """A selection, resolved and surveyed."""

    seen: Survey
    output: str = ""
    """The results folder; empty for the job's own."""
    again: bool = False
    now: bool = False
    """Measure even while another job does."""

    @property
    def notice(self) -> str:
        """The notice that must be shown with the results."""
        notice = self.plan.nodes[self.plan.root].options.get("notice")
        return str(notice.value) if notice and notice.value else ""

    @property
    def makes_submission(self) -> bool:
        """Whether it ends in a submission, so that objections to one are shown beforehand."""
        return any(edge.name == SUBMISSION for edge in self.plan.nodes[self.plan.root].after)

    def command(self) -> tuple[str, ...]:
        """The arguments of the equivalent `inferdeck` command."""
        return ("run", *self.selection.words(), *([f"--output_dir={self.output}"] if self.output else []))

    def lock(self) -> locks.Lock:
        """Return the lock of the plan."""
        return locks.lock(self.plan, self.seen, self.command(), engine.VERSION)

    @property
    def start_notice(self) -> str:
        """Notes on its run style, an accuracy that is not shown and results that will be replaced.

        Shown when it is planned and started.
        """
        style = self.plan.nodes[self.plan.root].options.get("style")
        tried = try_out(str(style.value), self.workplace.round(self.round)) if style else ""
        return ". ".join(text for text in (tried, self.accuracy_note, self._replacing()) if text)

    @property
    def accuracy_note(self) -> str:
        """Says so where the plan measures the speed of a model that it quantizes, and not its accuracy."""
        modes = self.plan.nodes[self.plan.root].values().get("modes", ())
        quantized = any(edge.name == "quantizer" for node in self.plan.nodes.values() for edge in node.needs)
        return NO_ACCURACY if quantized and "performance" in modes and "accuracy" not in modes else ""

    def _replacing(self) -> str:
        if not self.output:
            return ""
        return output_dir.replacing(Path(self.output), self.places())

    def places(self) -> list[Path]:
        """Return the folders that measurements use in the requested results folder."""
        root, components = Path(self.output), self.workplace.catalog.components
        nodes = [node for node in self.plan.nodes.values() if components[node.component].exclusive]
        places = [root / fill(components[node.component].results, node.values()) for node in nodes]
        return [place for place in places if place != root]


def chosen_round(chosen: Selection) -> str:
    """Return the round that a selection is for."""
    return chosen.options.get("round", DEFAULT)


def resolved(place: Workplace, chosen: Selection, changes: Mapping[str, DependencyChange] | None = None) -> Resolved:
    """Resolve a selection, with changes to dependencies that this machine requires.

    Raises ProfileError or UsageError for an invalid one.
    """
    chosen = with_whole_paths(chosen, place.catalog, absolute)
    round_name = chosen_round(chosen)
    rules = place.rules(round_name)
    plan = resolve(place.catalog, chosen, rules, round_name, changes)
    refuse_foreign_scenarios(plan.nodes[plan.root], place.round(round_name))
    return Resolved(chosen, plan, round_name, place)


def prepare(
    place: Workplace, chosen: Selection, *, output: str = "", again: bool = False, now: bool = False
) -> Prepared:
    """Resolve a selection and survey this machine, whose disk may decide how samples are prepared.

    Raises UsageError where `output` can't be written.
    """
    decided = resolved(place, chosen)
    output = str(whole_path(output)) if output else ""
    seen = decided.survey(again=again)
    if changes := on_load.changes(decided.plan, seen, decided.selection):
        decided = resolved(place, decided.selection, changes)
        seen = decided.survey(again=again)
    prepared = Prepared(
        decided.selection, decided.plan, decided.round, place, seen, output=output, again=again, now=now
    )
    for folder in prepared.places() if output else ():
        output_dir.refuse_place(folder)
    return prepared


def refuse(prepared: Prepared) -> None:
    """Raise CannotRunError where something is missing, in conflict, unreachable, or has no wheel for a Python here."""
    from engine.survey.network_check import refuse_unreachable  # noqa: PLC0415  (only what starts a job asks the network)
    from engine.survey.package_check import refuse_without  # noqa: PLC0415

    prepared.seen.refuse_problems()
    refuse_unreachable(prepared.plan, prepared.seen, prepared.workplace.catalog)
    refuse_without(prepared.plan, prepared.seen, prepared.workplace.catalog)
