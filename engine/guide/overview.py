"""Collect the state that guide steps are derived from: choices, description, plan, jobs, runs, tree, zip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import msgspec

from engine.errors import InferdeckError
from engine.events import Measured
from engine.guide import choices_form, presets
from engine.guide.state import Guide, folder_of
from engine.harness.spec import REPORT
from engine.jobs import jobs
from engine.jobs.jobs import Job
from engine.jobs.replay import replay
from engine.mlperf import ACCURACY_TEXT, VERIFY_PERFORMANCE
from engine.profile import catalog
from engine.profile.names import TREE
from engine.profile.rounds import Round
from engine.steps.results.build_submission import CHECKED
from engine.store.files import digest
from engine.submission import describe, user_systems
from engine.submission.checker.check import check
from engine.submission.checker.findings import Report
from engine.submission.describe import NOT_APPLICABLE
from engine.submission.form import Field, form, problems
from engine.submission.preflight import Expected
from engine.survey import plan_preflight as preflight
from engine.survey.prepare import Prepared, Workplace, prepare
from engine.text import whole_path


@dataclass(frozen=True)
class RequiredRun:
    """A run that the submission requires."""

    scenario: str
    mode: str
    seconds: float | None
    done: bool


@dataclass(frozen=True)
class Overview:
    """State of a guided submission."""

    guide: Guide
    place: Workplace
    rules: Round
    folder: Path
    choices: tuple[Field, ...]
    fields: tuple[Field, ...] = ()
    """Fields of the description; empty before the choices are made."""
    written: bool = False
    """Whether the description has been saved to a file."""
    prepared: Prepared | None = None
    trial: Prepared | None = None
    stuck: InferdeckError | None = None
    """Why no plan can be made."""
    expected: tuple[Expected, ...] = ()
    jobs: Mapping[str, Job] = field(default_factory=dict)
    """The newest job of each step, by the step's name."""
    measured: Mapping[str, tuple[Measured, ...]] = field(default_factory=dict)
    """Measurements of those jobs, by the step's name."""
    runs: tuple[RequiredRun, ...] = ()
    tried: bool = False
    report: Report | None = None
    stale: str = ""
    """Why the tree must be rebuilt; empty where it need not be."""
    packed: bool = False

    @property
    def results(self) -> Path:
        """The results folder."""
        return self._chosen / presets.label(self.guide)

    @property
    def attempt(self) -> Path:
        """The results folder of the short trial run."""
        return self._chosen / "try" / presets.label(self.guide)

    @property
    def _chosen(self) -> Path:
        return whole_path(self.guide.results) if self.guide.results else self.folder

    @property
    def data(self) -> Path:
        """Results folder that identifies the preparation job; it stays empty."""
        return self.folder / "data" / presets.label(self.guide)

    @property
    def tree(self) -> Path:
        """The folder that can be submitted."""
        return self.results / TREE

    @property
    def zip(self) -> Path:
        """The zip of the tree."""
        return self.results / f"{TREE}.zip"

    def output(self, step: str) -> Path | None:
        """Return what a step writes; None where it writes nothing."""
        guide, folders = self.guide, self.place.folders
        return {
            "describe": user_systems.path_of(folders.profiles, guide.system),
            "get": folders.store,
            "try": self.attempt,
            "runs": self.results,
            "check": self.tree,
            "pack": self.zip,
        }.get(step)

    @cached_property
    def fingerprint(self) -> str:
        """Identifies an intended submission: choices and description."""
        words = self.prepared.selection.words() if self.prepared else ()
        return digest("\n".join([*words, *(f"{field.name}={field.value}" for field in self.fields)]))[:20]

    @property
    def offer(self) -> presets.Preset | None:
        """The chosen kind of submission; None before it is chosen."""
        return presets.preset(self.guide, self.place.catalog)

    def expects(self, rule: str) -> bool:
        """Return whether the chosen kind breaks this rule by design, so that there is nothing to fix."""
        return self.offer is not None and rule in self.offer.expected


class OverviewReader:
    """Collects the state repeatedly, and caches what does not change meanwhile: this machine."""

    def __init__(self, place: Workplace) -> None:
        self.place = _with_own_profiles(place)
        self._detected: dict[str, Mapping[str, str]] = {}

    def rules(self, guide: Guide) -> Round:
        """The rules of a guide's round."""
        return self.place.round(presets.filled(guide, self.place.catalog).round)

    def machine(self, rules: Round) -> Mapping[str, str]:
        """The description's fields as detected on this machine."""
        if rules.name not in self._detected:
            found = describe.detected(rules, self.place.folders.store.parent, describe.frameworks())
            self._detected[rules.name] = found
        return self._detected[rules.name]

    def read(self, guide: Guide) -> Overview:
        """Return the current state. Raises ProfileError where the description's file is invalid."""
        self.place = _with_own_profiles(self.place)
        guide = presets.filled(guide, self.place.catalog)
        rules = self.rules(guide)
        found = choices_form.form(guide, self.place, rules)
        folder = folder_of(self.place.folders, guide.name)
        overview = Overview(guide, self.place, rules, folder, found)
        if problems(found):
            return overview
        overview = self._described(overview)
        return self._planned(overview) if overview.written and not problems(overview.fields) else overview

    def draft(self, guide: Guide) -> dict[str, str | int | float | bool]:
        """Return a guide's description: the file's, or the initial one."""
        system = user_systems.read(self.place.folders.profiles, guide.system)
        machine = self.machine(self.rules(guide))
        if system is not None:
            return {**machine, **system.description} if system.detected else dict(system.description)
        chosen = {"division": guide.division, "system_type": presets.system_type(guide), "system_name": guide.system}
        filled = {} if guide.offer == presets.REAL else self._left_open(guide, machine)
        return {**machine, **filled, **chosen}

    def _left_open(self, guide: Guide, machine: Mapping[str, str]) -> dict[str, str]:
        """Return N/A for the fields that the round refuses empty and nothing detects, for a practice."""
        fields = self.rules(guide).system.meaningful
        return {name: NOT_APPLICABLE for name in fields if name != "submitter" and not machine.get(name)}

    def fields(self, guide: Guide, changes: Mapping[str, str] = MappingProxyType({})) -> tuple[Field, ...]:
        """Return the form of the description, with the given changes applied."""
        description = {**self.draft(guide), **changes}
        differing = {line.partition(":")[0]: line for line in describe.differences(description)}
        rules = self.rules(guide)
        fields = form(description, rules, self.machine(rules), differing)
        return tuple(_fitting(field, guide, rules) for field in fields)

    def choice(self, guide: Guide, name: str, value: str) -> Field:
        """Return a field of the form of choices, as it would be with another value."""
        changed = presets.filled(msgspec.structs.replace(guide, **{name: value}), self.place.catalog)
        return choices_form.field(name, changed, self.place, self.rules(changed))

    def _described(self, overview: Overview) -> Overview:
        written = user_systems.path_of(self.place.folders.profiles, overview.guide.system).is_file()
        return replace(overview, fields=self.fields(overview.guide), written=written)

    def _planned(self, overview: Overview) -> Overview:
        try:
            prepared = prepare(
                self.place, presets.selection(overview.guide, self.place.catalog), output=str(overview.results)
            )
            trial = prepare(self.place, presets.trial(overview.guide, self.place.catalog), output=str(overview.attempt))
            expected = tuple(preflight.expected(prepared))
        except InferdeckError as error:
            return replace(overview, stuck=error)
        found = self._jobs(overview)
        runs = tuple(_runs(prepared, overview.results / overview.guide.system / overview.guide.benchmark))
        overview = replace(
            overview,
            prepared=prepared,
            trial=trial,
            expected=expected,
            jobs=found,
            measured={name: _measured(job) for name, job in found.items()},
            runs=runs,
            tried=_is_run(overview.attempt / overview.guide.system / overview.guide.benchmark / "Offline", "accuracy"),
        )
        return self._checked(overview) if overview.tree.is_dir() else overview

    def _jobs(self, overview: Overview) -> dict[str, Job]:
        places = {str(overview.data): "get", str(overview.attempt): "try", str(overview.results): "runs"}
        found: dict[str, Job] = {}
        for job in jobs.all_jobs(self.place.folders):
            if job.spec.results in places:
                found.setdefault(places[job.spec.results], job)
        return found

    def _checked(self, overview: Overview) -> Overview:
        report = check(overview.tree, overview.rules, processes=1)
        stale = _stale(overview, self.draft(overview.guide))
        fresh = report.verdict == "pass" and not stale and _newer(overview.zip, overview.results / CHECKED)
        return replace(overview, report=report, stale=stale, packed=fresh)


def _with_own_profiles(place: Workplace) -> Workplace:
    """Return the workplace including the user's own profile folder, if it exists by now."""
    mine = place.folders.profiles
    if not mine.is_dir() or mine in place.catalog.folders:
        return place
    return Workplace(place.folders, catalog.load([mine, *place.catalog.folders[1:]]))


def _fitting(field: Field, guide: Guide, rules: Round) -> Field:
    """Check a field of the description against the choices."""
    if field.verdict == "problem":
        return field
    if field.name == "division" and field.value != guide.division:
        return _unlike(field, guide.division)
    wanted = presets.system_type(guide)
    if field.name == "system_type" and set(rules.system.types[field.value]) != set(rules.system.types[wanted]):
        return _unlike(field, wanted)
    return field


def _unlike(field: Field, chosen: str) -> Field:
    return replace(field, verdict="problem", said=f"step 1 says {chosen}", remedy=f"write {chosen}, or change step 1")


def _runs(prepared: Prepared, results: Path) -> list[RequiredRun]:
    found = []
    for edge in prepared.plan.nodes[prepared.plan.root].after:
        node = prepared.plan.nodes[edge.node]
        if "scenario" in node.options and "mode" in node.options:
            scenario, mode = str(node.options["scenario"].value), str(node.options["mode"].value)
            seconds = prepared.seen.seen[node.id].seconds
            found.append(RequiredRun(scenario, mode, seconds, _is_run(results / scenario, mode)))
    return found


def _measured(job: Job) -> tuple[Measured, ...]:
    return replay(job.events, (Measured,)).state().results


def _is_run(scenario: Path, mode: str) -> bool:
    if mode.startswith("TEST"):
        return (scenario / mode / VERIFY_PERFORMANCE).is_file()
    scored = mode != "accuracy" or (scenario / mode / ACCURACY_TEXT).is_file()
    return scored and (scenario / mode / REPORT).is_file()


def _stale(overview: Overview, description: Mapping[str, object]) -> str:
    """Return why a tree is out of date; empty where it is not."""
    owner = overview.tree / str(description.get("division")) / str(description.get("submitter"))
    try:
        said = json.loads((owner / "systems" / f"{overview.guide.system}.json").read_bytes())
    except (OSError, ValueError):
        return "it belongs to another submitter, division or system"
    if said != dict(description):
        return "the description was changed after it was built"
    newest = max(
        (path.stat().st_mtime for path in overview.results.glob(f"{overview.guide.system}/*/*/*/{REPORT}")), default=0
    )
    checked = overview.results / CHECKED
    return "" if checked.is_file() and checked.stat().st_mtime >= newest else "there are newer runs"


def _newer(path: Path, than: Path) -> bool:
    return path.is_file() and than.is_file() and path.stat().st_mtime >= than.stat().st_mtime
