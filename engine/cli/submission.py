"""`inferdeck submission check`: check a tree as the official checker of a round does, and for what that one misses."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.findings_tree import STYLES, draw_findings
from engine.cli.screen import Cell, Screen
from engine.text import csv_cell, whole_path
from engine.text import result as result_text

if TYPE_CHECKING:
    from engine.submission.checker.findings import Report, Result


def check_command(asked: words.Words) -> int:
    """Check a tree; exit status 0 where it passes, 1 where it fails."""
    report = checked_tree(asked)
    from engine.submission.checker.report import as_json, csv_rows  # noqa: PLC0415  (help and wrong words need none)

    if "csv" in asked.values:
        write_csv(csv_rows(report), whole_path(asked.values["csv"]))
    if "json" in asked.flags:
        output.write_json(as_json(report), indent=1)
    else:
        show(Screen(), report)
    return 0 if report.verdict == "pass" else 1


def checked_tree(asked: words.Words) -> Report:
    """Return the checker's report on a tree."""
    import profiles  # noqa: PLC0415  (help and wrong words need none of this)
    from engine.profile.catalog import profile_file  # noqa: PLC0415
    from engine.profile.known_rounds import DEFAULT  # noqa: PLC0415
    from engine.profile.round_file import load_round  # noqa: PLC0415
    from engine.store.folders import folders  # noqa: PLC0415
    from engine.submission.checker.check import check  # noqa: PLC0415
    from engine.submission.tree import refuse_unknown_submitter, tree_divisions  # noqa: PLC0415

    places = (profiles.FOLDER, folders(asked.values.get("home")).profiles, *asked.profiles)
    rules = load_round(profile_file(places, "rounds", asked.values.get("round", DEFAULT)))
    tree, submitter = tree_of(asked), asked.values.get("submitter")
    if tree_divisions(tree, rules.divisions):  # of what is no tree at all the report says so
        refuse_unknown_submitter(tree, rules.divisions, submitter)
    return check(tree, rules, submitter=submitter, strict="strict" in asked.flags)


def tree_of(asked: words.Words) -> Path:
    """Return the folder to check."""
    return whole_path(asked.positional[0])


def write_csv(rows: Iterable[Sequence[object]], path: Path) -> None:
    """Write a CSV table atomically. Raises StoreError where it can't be written."""
    from engine.store.files import disk_errors, new_beside  # noqa: PLC0415
    from engine.text import to_bytes  # noqa: PLC0415

    table = io.StringIO(newline="")
    cells = ([csv_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    csv.writer(table, lineterminator="\n").writerows(cells)
    data = to_bytes(table.getvalue())
    with disk_errors(path):
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe
            path.write_bytes(data)
        else:
            with new_beside(path.resolve()) as out:
                out.write(data)


def show(screen: Screen, report: Report) -> None:
    """Print the results, the findings as a tree by place, and the totals."""
    head: list[Cell] = [(name, "dim") for name in ("system", "model", "scenario", "result", "", "", "accuracy", "")]
    if report.results:
        screen.table([head, *(_cells(result) for result in report.results)], right=(4,))
        screen.line()
    draw_findings(screen, report)


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
        (result_text(result.metric, grouped=True), ""),
        (result.units if result.metric is not None else "", "dim"),
        (result.accuracy or "", ""),
        (", ".join(remarks), "dim"),
    ]
