"""`inferdeck submission check`: what the official checker of a round would say of a tree, and what it would not see."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli import words
from engine.cli.screen import Cell, Screen
from engine.errors import UsageError, nearest

if TYPE_CHECKING:
    from engine.profile.rounds import Severity
    from engine.submission.checker.findings import Finding, Report, Result

USAGE = "inferdeck submission check TREE --round v2.1 [--submitter NAME] [--strict] [--json] [--csv FILE]"
_COMMANDS = ("check", "generate", "truncate", "zip", "preflight")
_FLAGS = ("strict", "json")
_VALUES = ("round", "submitter", "csv", "home", "profiles")
_STYLES = {"pass": "good", "fail": "bad", "error": "bad", "warning": "todo", "note": "dim"}


def submission_command(arguments: list[str]) -> int:
    """Build, truncate, check or pack a submission."""
    name = arguments[0] if arguments else ""
    if name == "check":
        return check_command(arguments[1:])
    if name not in _COMMANDS:
        raise UsageError(f"submission has no command '{name}'", nearest(name, _COMMANDS))
    from engine.cli import submit  # noqa: PLC0415  (checking needs none of it)

    asked = words.parse(arguments)
    if name == "preflight":
        from engine.cli.preflight import preflight_command  # noqa: PLC0415

        return preflight_command(asked)
    commands = {"generate": submit.generate_command, "truncate": submit.truncate_command, "zip": submit.zip_command}
    return commands[name](asked)


def check_command(arguments: Sequence[str]) -> int:
    """Check a tree; exit status 0 where it passes, 1 where it fails."""
    asked = _Asked.of(arguments)
    import profiles  # noqa: PLC0415  (help and wrong words need none of this)
    from engine.profile.catalog import profile_file  # noqa: PLC0415
    from engine.profile.rounds import load_round  # noqa: PLC0415
    from engine.store.folders import folders  # noqa: PLC0415
    from engine.submission.checker.check import check  # noqa: PLC0415
    from engine.submission.checker.report import as_json  # noqa: PLC0415

    given = [Path(asked.values["profiles"]).expanduser().absolute()] if "profiles" in asked.values else []
    places = (profiles.FOLDER, folders(asked.values.get("home")).profiles, *given)
    rules = load_round(profile_file(places, "rounds", asked.values.get("round", "v2.1")))
    report = check(asked.tree, rules, submitter=asked.values.get("submitter"), strict="strict" in asked.flags)
    if "csv" in asked.values:
        _write_csv(report, Path(asked.values["csv"]).expanduser())
    if "json" in asked.flags:
        sys.stdout.write(json.dumps(as_json(report), indent=1) + "\n")
    else:
        show(Screen(), report)
    return 0 if report.verdict == "pass" else 1


@dataclass
class _Asked:
    """The words after `submission check`."""

    tree: Path
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, arguments: Sequence[str]) -> _Asked:
        """Take them apart. Raises UsageError."""
        trees: list[str] = []
        flags: set[str] = set()
        values: dict[str, str] = {}
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            name, equals, value = word.lstrip("-").partition("=")
            if not word.startswith("-"):
                trees.append(word)
            elif name in _FLAGS and not equals:
                flags.add(name)
            elif name not in _VALUES:
                raise UsageError(f"unknown option '{word}'", nearest(name, (*_FLAGS, *_VALUES)).replace("'", "'--", 1))
            elif not equals and (not rest or rest[0].startswith("--")):
                raise UsageError(f"the option '{word}' needs a value", USAGE)
            else:
                values[name] = value if equals else rest.pop(0)
        if len(trees) != 1:
            raise UsageError(f"one folder is needed, {len(trees)} are given", USAGE)
        return cls(Path(trees[0]).expanduser(), flags, values)


def _write_csv(report: Report, path: Path) -> None:
    from engine.store.files import disk_errors  # noqa: PLC0415
    from engine.submission.checker.report import csv_rows  # noqa: PLC0415

    with disk_errors(path), path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(csv_rows(report))


def show(screen: Screen, report: Report) -> None:
    """Print the results, then the findings as a tree by place, then the sums."""
    head: list[Cell] = [(name, "dim") for name in ("system", "model", "scenario", "result", "", "", "accuracy", "")]
    if report.results:
        screen.table([head, *(_cells(result) for result in report.results)], right=(4,))
        screen.line()
    if report.findings:
        for cells in _tree(report.findings):
            screen.cells(cells)
        screen.line()
    passed = sum(result.verdict == "pass" for result in report.results)
    severities: tuple[Severity, ...] = ("error", "warning", "note")
    counts = ", ".join(_counted(report.count(severity), severity) for severity in severities)
    screen.line(f"{len(report.results)} results: {passed} pass, {len(report.results) - passed} fail · {counts}")
    said = "would pass" if report.verdict == "pass" else "would be refused"
    screen.line(f"{report.verdict}: by the rules of round {report.round} this tree {said}", _STYLES[report.verdict])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _cells(result: Result) -> list[Cell]:
    division, submitter, _, system, model, scenario = result.path.split("/")
    remarks = ["inferred"] if result.inferred else []
    if result.power_metric is not None:
        unit = "W" if result.scenario in ("Offline", "Server") else "J"
        remarks.append(f"{result.power_metric:.4g} {unit}")
    return [
        (f"{division}/{submitter}/{system}", "bold"),
        (model, ""),
        (scenario, ""),
        (result.verdict, _STYLES[result.verdict]),
        (f"{result.metric:,.6g}" if result.metric is not None else "", ""),
        (result.units if result.metric is not None else "", "dim"),
        (result.accuracy or "", ""),
        (", ".join(remarks), "dim"),
    ]


@dataclass
class _Branch:
    """A folder in the tree of places, or a file."""

    inside: dict[str, _Branch] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def _tree(findings: Sequence[Finding]) -> Iterator[list[Cell]]:
    """Yield the lines of a tree of places, with what was found at each."""
    root = _Branch()
    for finding in findings:
        branch = root
        for name in finding.path.split("/"):
            branch = branch.inside.setdefault(name, _Branch())
        branch.findings.append(finding)
    yield from _lines(root, "")


def _lines(branch: _Branch, indent: str) -> Iterator[list[Cell]]:
    for first, inside in branch.inside.items():
        path, below = _joined(first, inside)
        yield [(f"{indent}{path}", "bold" if below.findings else "dim")]
        for finding in below.findings:
            expected = f" (expected: {finding.expected})" if finding.expected else ""
            said = f" {finding.rule}: {finding.found}{expected}"
            yield [(f"{indent}  {finding.severity}", _STYLES[finding.severity]), (said, "")]
            yield [(f"{indent}    {finding.remedy}", "dim")]
        yield from _lines(below, f"{indent}  ")


def _joined(path: str, branch: _Branch) -> tuple[str, _Branch]:
    """Return a folder together with those below it that hold one entry each: they share a line."""
    while len(branch.inside) == 1 and not branch.findings:
        ((name, branch),) = branch.inside.items()
        path = f"{path}/{name}"
    return path, branch
