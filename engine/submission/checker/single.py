"""Check one run as soon as it has ended: its files are in a results folder, not yet in a tree.

What requires a whole tree is left to the tree's check: exact sets of files, hashes, measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.mlperf import ACCURACY_TEXT, SUMMARY_LOG, Scenario
from engine.profile.rounds import Round
from engine.profile.tree_rules import Division
from engine.submission.checker import accuracy, compliance, performance, summary
from engine.submission.checker.file_system import Disk, Folder
from engine.submission.checker.findings import Finding, FindingCollector, Severities
from engine.submission.checker.location import CheckContext, DescribedSystem, Location
from engine.submission.checker.log import Log, Reader


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
    location = _place(folder, about)
    log = performance.check_log(location, location.folder, test or "performance").log
    if log is not None and SUMMARY_LOG in location.folder.files:
        summary.check(location, location.folder, log)
    if log is not None and test is not None:
        compliance.check_settings(location, log, test, f"{location.folder.path}/{test}")
    return _found(location)


def accuracy_run(folder: Path, about: About, score: str) -> list[Finding]:
    """Return the findings on the detail log of an accuracy run and on its score, accuracy.txt."""
    location = _place(folder, about)
    scores = accuracy.read_scores(score.encode(), location.run_rules.accuracy, about.rules)
    accuracy.check_values(location, ACCURACY_TEXT, scores)
    log: Log | None = accuracy.check_detail(location, location.folder)
    if log is not None:
        accuracy.check_run(location, log, None)
    return _found(location)


def verification(folder: Path, about: About, test: str) -> list[Finding]:
    """Return the findings on the verification of a compliance test."""
    location = _place(folder, about)
    rule = about.rules.test(test)
    if rule.output is not None:
        compliance.check_output(location, location.folder, rule.output)
    if rule.tolerance is not None:
        compliance.check_verified(location, location.folder)
    if rule.accuracy:
        compliance.check_answers(location, location.folder)
    return _found(location)


def _place(folder: Path, about: About) -> Location:
    rules = about.rules
    collector = FindingCollector(Severities(rules), about.division)
    disk = Disk(str(folder.absolute()), rules)
    inside = disk.list("", collector) or Folder("")
    network = bool(rules.divisions[about.division].network)
    return Location(
        context=CheckContext(disk, Reader(), rules, collector, about.division, ""),
        system=about.system,
        model=about.benchmark,
        spelling=about.scenario,
        scenario=about.scenario,
        benchmark=rules.benchmark(about.benchmark),
        described=DescribedSystem(valid=True, network=network, categories=()),
        folder=inside,
        measurements=None,
        compliance=None,
    )


def _found(location: Location) -> list[Finding]:
    """Return the findings about the run; those about its folder do not apply to a results folder."""
    return [one for one in location.context.collector.findings if not one.rule.startswith("layout.")]
