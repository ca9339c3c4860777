"""`inferdeck submission check`: what the official checker of a round would say of a tree, and what it would not see."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli import output, words
from engine.cli.findings import STYLES, draw
from engine.cli.screen import Cell, Screen
from engine.errors import UsageError, nearest

if TYPE_CHECKING:
    from engine.submission.checker.findings import Report, Result

USAGE = "inferdeck submission {} TREE --round v2.1 [--submitter NAME] [--strict] [--json] [--csv FILE]"
_COMMANDS = ("check", "report", "generate", "truncate", "zip", "preflight")
_FLAGS = ("strict", "json")
_VALUES = ("round", "submitter", "csv", "home", "profiles")


def submission_command(arguments: list[str]) -> int:
    """Build, truncate, check or pack a submission."""
    name = arguments[0] if arguments else ""
    if name == "check":
        return check_command(arguments[1:])
    if name == "report":
        from engine.cli.submission_report import report_command  # noqa: PLC0415

        return report_command(arguments[1:])
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
    asked = Asked.of(arguments)
    report = checked(asked)
    from engine.submission.checker.report import as_json, csv_rows  # noqa: PLC0415  (help and wrong words need none)

    if "csv" in asked.values:
        write_csv(csv_rows(report), Path(asked.values["csv"]).expanduser())
    if "json" in asked.flags:
        output.write_json(as_json(report), indent=1)
    else:
        show(Screen(), report)
    return 0 if report.verdict == "pass" else 1


def checked(asked: Asked) -> Report:
    """Return what the checker says of a tree."""
    import profiles  # noqa: PLC0415  (help and wrong words need none of this)
    from engine.profile.catalog import profile_file  # noqa: PLC0415
    from engine.profile.rounds import load_round  # noqa: PLC0415
    from engine.store.folders import folders  # noqa: PLC0415
    from engine.submission.checker.check import check  # noqa: PLC0415

    given = [Path(asked.values["profiles"]).expanduser().absolute()] if "profiles" in asked.values else []
    places = (profiles.FOLDER, folders(asked.values.get("home")).profiles, *given)
    rules = load_round(profile_file(places, "rounds", asked.values.get("round", "v2.1")))
    return check(asked.tree, rules, submitter=asked.values.get("submitter"), strict="strict" in asked.flags)


@dataclass
class Asked:
    """The words after `submission check` and `submission report`."""

    tree: Path
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, arguments: Sequence[str], command: str = "check") -> Asked:
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
                raise UsageError(f"the option '{word}' needs a value", USAGE.format(command))
            else:
                values[name] = value if equals else rest.pop(0)
        if len(trees) != 1:
            raise UsageError(f"one folder is needed, {len(trees)} are given", USAGE.format(command))
        return cls(Path(trees[0]).expanduser(), flags, values)


def write_csv(rows: Iterable[Sequence[object]], path: Path) -> None:
    """Write a table that other programs read. Raises StoreError where it can't be written."""
    from engine.store.files import disk_errors  # noqa: PLC0415
    from engine.text import to_bytes  # noqa: PLC0415

    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    with disk_errors(path):
        path.write_bytes(to_bytes(out.getvalue()))


def show(screen: Screen, report: Report) -> None:
    """Print the results, then the findings as a tree by place, then the sums."""
    head: list[Cell] = [(name, "dim") for name in ("system", "model", "scenario", "result", "", "", "accuracy", "")]
    if report.results:
        screen.table([head, *(_cells(result) for result in report.results)], right=(4,))
        screen.line()
    draw(screen, report)


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
        (result.verdict, STYLES[result.verdict]),
        (f"{result.metric:,.6g}" if result.metric is not None else "", ""),
        (result.units if result.metric is not None else "", "dim"),
        (result.accuracy or "", ""),
        (", ".join(remarks), "dim"),
    ]
