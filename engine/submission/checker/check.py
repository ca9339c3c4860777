"""Check a whole submission tree, unit by unit, so that memory is bounded by the results of one unit."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.errors import UsageError
from engine.profile.rounds import Round
from engine.submission.checker import pool as workers
from engine.submission.checker import walk
from engine.submission.checker.file_system import Disk
from engine.submission.checker.findings import CheckedSystem, Finding, FindingCollector, Report, Result, Severities
from engine.submission.tree import refuse_unknown_submitter, refuse_what_is_no_tree


def check(
    tree: Path, rules: Round, *, submitter: str | None = None, strict: bool = False, processes: int | None = None
) -> Report:
    """Return the findings on a tree by the rules of a round.

    `submitter` restricts the check to one; `strict` turns warnings into errors; `processes` defaults to a number that
    fits the tree's size. Any content of the tree becomes findings. Raises UsageError where there is no folder,
    ProfileError where the round does not fit this checker.
    """
    if not tree.is_dir():
        raise UsageError(f"there is no folder {tree}", "give the folder that holds closed/, open/ or network/")
    collector = FindingCollector(Severities(rules, strict=strict))
    units = walk.units(Disk(str(tree.absolute()), rules), rules, submitter, collector)
    findings: list[Finding] = collector.findings
    results: list[Result] = []
    systems: dict[str, CheckedSystem] = {}
    for outcome in workers.share(tree, rules, units, strict=strict, processes=processes):
        findings += outcome.findings
        results += outcome.results
        if outcome.system is not None:
            systems[outcome.system.path] = outcome.system
    if not results:
        wanted = "division/submitter/results/system/model/scenario"
        collector.add("layout.no_results", ".", "no result", wanted, remedy=_advice(tree, rules, submitter))
    results = _refuse(results, findings, rules)
    findings.sort(key=lambda finding: (finding.path, finding.rule, finding.found))
    results.sort(key=lambda result: result.path)
    failed = any(finding.severity == "error" for finding in findings)
    return Report("fail" if failed else "pass", results, findings, systems, rules.name)


def _refuse(results: list[Result], findings: list[Finding], rules: Round) -> list[Result]:
    """Return the results, rejected where the official checker does not look at them for a fault of their folder."""
    depths = dict.fromkeys(rules.judging.refuses_tree, 0)
    depths |= dict.fromkeys(rules.judging.refuses_division, 1) | dict.fromkeys(rules.judging.refuses_submitter, 2)
    refused = {
        tuple(finding.path.split("/")[: depths[finding.rule]])
        for finding in findings
        if finding.rule in depths and finding.severity == "error"
    }
    return [_rejected(one) if _within(one.path, refused) else one for one in results] if refused else results


def _within(path: str, folders: set[tuple[str, ...]]) -> bool:
    return any(tuple(path.split("/")[:depth]) in folders for depth in range(3))


def _rejected(result: Result) -> Result:
    return msgspec.structs.replace(result, verdict="fail", metric=None, has_power=False, power_metric=None)


def _advice(tree: Path, rules: Round, submitter: str | None) -> str:
    """Return why a tree may hold no result, with the remedy."""
    try:
        refuse_what_is_no_tree(tree, rules.divisions)
        refuse_unknown_submitter(tree, rules.divisions, submitter)
    except UsageError as error:
        return f"{error.what}: {error.remedy}"
    return "put results there: inferdeck submission generate RESULTS makes a tree of measured ones"
