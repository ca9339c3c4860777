"""`inferdeck submission report`: list the results of a tree by system, including rejected ones, with their findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from engine.cli import output
from engine.cli.arguments import Words
from engine.cli.findings_tree import STYLES, draw_findings
from engine.cli.screen import Cell, Screen
from engine.cli.submission import checked_tree, tree_of, write_csv
from engine.text import result, whole_path

if TYPE_CHECKING:
    from engine.submission.checker.findings import Report
    from engine.submission.tree_report import ResultRow

_HEAD = ("benchmark", "scenario", "", "result", "", "accuracy", "")


def report_command(asked: Words) -> int:
    """Print the results of a tree; exit status 0 even if the checker rejects it."""
    report = checked_tree(asked)
    from engine.submission.tree_report import result_rows, tree_as_json, tree_csv_rows  # noqa: PLC0415  (help needs none of it)

    found = result_rows(report, tree_of(asked))
    if "csv" in asked.values:
        write_csv(tree_csv_rows(found), whole_path(asked.values["csv"]))
    if "json" in asked.flags:
        output.write_json(tree_as_json(report, found), indent=1)
    else:
        _show(Screen(), report, found)
    return 0


def _show(screen: Screen, report: Report, found: Sequence[ResultRow]) -> None:
    for (division, submitter, system), group in groupby(found, lambda row: (row.division, row.submitter, row.system)):
        says = report.systems.get(f"{division}/{submitter}/results/{system}")
        screen.cells([(f"{division}/{submitter}/{system}", "bold"), (_described(says.fields if says else {}), "dim")])
        screen.table([[(name, "dim") for name in _HEAD], *_lines(list(group))], right=(3,))
        screen.line()
    draw_findings(screen, report)


def _described(fields: dict[str, str]) -> str:
    names = ("system_name", "host_processor_model_name", "accelerator_model_name", "framework", "status")
    values = [fields[name] for name in names if fields.get(name) not in (None, "", "N/A")]
    return "  " + " · ".join(values) if values else ""


def _lines(group: Sequence[ResultRow]) -> Iterator[list[Cell]]:
    """Yield the table's rows; a benchmark is named once."""
    before = ""
    for row in group:
        name, before = row.benchmark if row.benchmark != before else "", row.benchmark
        yield [
            (name, ""),
            (row.scenario, ""),
            (row.verdict, STYLES[row.verdict]),
            (result(row.metric, grouped=True), ""),
            (row.units if row.metric is not None else "", "dim"),
            (row.accuracy, ""),
            (_notes(row), "dim"),
        ]


def _notes(row: ResultRow) -> str:
    power = [f"{row.power:.4g} {row.power_units}"] if row.power is not None else []
    not_submittable = [row.no_submission] if row.no_submission else []
    return ", ".join((*(["inferred"] if row.inferred else []), *power, *not_submittable, *row.broken))
