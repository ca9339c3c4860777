"""Check one run as soon as it has ended: its files are in a results folder, not yet in a tree.

What requires a whole tree is left to the tree's check: exact sets of files, hashes, measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.mlperf import ACCURACY_TEXT, SUMMARY_LOG, Scenario
from engine.profile.rounds import Division, Round
from engine.submission.checker import accuracy, compliance, performance, summary
from engine.submission.checker.file_system import Disk, Folder
from engine.submission.checker.findings import Finding, Ledger, Severities
from engine.submission.checker.log import Log, Reader
from engine.submission.checker.place import Described, Place, Site


@dataclass(frozen=True)
class About:
    """Identifies a run."""

    rules: Round
    division: Division
    system: str
    benchmark: str
    scenario: Scenario


def performance_run(folder: Path, about: About, test: str | None = None) -> list[Finding]:
    """Return the findings on the logs of a performance run, or of a compliance test's run."""
    place = _place(folder, about)
    log = performance.check_log(place, place.folder, test or "performance").log
    if log is not None and SUMMARY_LOG in place.folder.files:
        summary.check(place, place.folder, log)
    if log is not None and test is not None:
        compliance.check_settings(place, log, test, f"{place.folder.path}/{test}")
    return _found(place)


def accuracy_run(folder: Path, about: About, score: str) -> list[Finding]:
    """Return the findings on the detail log of an accuracy run and on its score, accuracy.txt."""
    place = _place(folder, about)
    for rule in place.run_rules.accuracy:
        value = accuracy.read_scores(score.encode(), rule.metric, about.rules).value
        accuracy.check_value(place, ACCURACY_TEXT, value, rule)
    log: Log | None = accuracy.check_detail(place, place.folder)
    if log is not None:
        accuracy.check_run(place, log, None)
    return _found(place)


def verification(folder: Path, about: About, test: str) -> list[Finding]:
    """Return the findings on the verification of a compliance test."""
    place = _place(folder, about)
    rule = about.rules.test(test)
    if rule.tolerance is not None:
        compliance.check_verified(place, place.folder)
    if rule.accuracy:
        compliance.check_answers(place, place.folder)
    return _found(place)


def _place(folder: Path, about: About) -> Place:
    rules = about.rules
    ledger = Ledger(Severities(rules), about.division)
    disk = Disk(str(folder.absolute()), rules.files)
    inside = disk.list("", ledger) or Folder("")
    network = bool(rules.divisions[about.division].network)
    return Place(
        site=Site(disk, Reader(), rules, ledger, about.division, ""),
        system=about.system,
        model=about.benchmark,
        spelling=about.scenario,
        scenario=about.scenario,
        benchmark=rules.benchmark(about.benchmark),
        described=Described(valid=True, network=network, categories=()),
        folder=inside,
        measurements=None,
        compliance=None,
    )


def _found(place: Place) -> list[Finding]:
    """Return the findings about the run; those about its folder do not apply to a results folder."""
    return [one for one in place.site.ledger.findings if not one.rule.startswith("layout.")]
