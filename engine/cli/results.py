"""`inferdeck results list | show | compare`: the runs of all jobs, one run in detail, runs compared."""

from __future__ import annotations

import sys

from engine.cli import arguments as words
from engine.cli.screen import Cell, Screen, notice_if_slow
from engine.errors import UsageError
from engine.explore import columns, compare, export, filters, gate, layout, repeat_groups, runs
from engine.explore.asked import asked_lines
from engine.explore.history import all_runs, archived_runs
from engine.explore.metrics import METRICS
from engine.explore.origin import place
from engine.explore.pins import pinned, question, read_pins
from engine.explore.runs import Run
from engine.explore.table_columns import ordered
from engine.store.folders import folders

_STYLE = {"VALID": "good", "passed": "good", "INVALID": "bad", "failed": "bad", "damaged": "bad"}
EMPTY = "nothing has been measured yet; try inferdeck demo (one to three minutes)"


def all_known(asked: words.Words) -> list[Run]:
    """Return all runs of the home that was given."""
    places = folders(asked.values.get("home"))
    with notice_if_slow(f"still reading {places.jobs}: its file system answers slowly"):
        return all_runs(places)


def _format(asked: words.Words) -> export.Format:
    return export.format_named("json" if "json" in asked.flags else asked.values.get("format", "text"))


def list_command(asked: words.Words) -> int:
    """List the runs. Raises UsageError for an unknown column or format."""
    as_, options = _format(asked), asked.values
    known = archived_runs(folders(options.get("home"))) if "archived" in asked.flags else all_known(asked)
    found = filters.matching(runs.fold(known), options.get("filter", ""))
    if "group" in asked.flags:
        found = repeat_groups.grouped(found)
    sort = options.get("sort", "")
    if sort:
        found = ordered(found, columns.column(sort.removeprefix("-")), reverse=sort.startswith("-"))
    chosen = columns.columns(options.get("columns", ""))
    screen = Screen()
    if as_ != "text":
        sys.stdout.write(export.listing(found, as_, chosen or None))
    elif not found:
        screen.line(f"none of {len(known)} runs matches --filter={options['filter']}" if known else EMPTY)
    else:
        draw(screen, found, chosen)
    return 0


def draw(screen: Screen, found: list[Run], chosen: list[columns.Column]) -> None:
    """Draw the list; on a terminal only the columns that fit, unless columns were chosen."""
    listed = [columns.COLUMNS[key] for key in columns.LISTED]
    shown, width = chosen or [one for one in listed if any(one.text(run) not in ("", "-") for run in found)], None
    if screen.is_terminal and not chosen:
        fitted = layout.layout(found, shown, screen.console.width)
        shown, width = list(fitted.columns), fitted.widths
        if fitted.common:
            screen.line(f"all: {' · '.join(fitted.common)}", "dim")
    rows: list[list[Cell]] = [[(column.header, "dim") for column in shown]]
    for run in found:
        styles = {"run": "bold", "state": _style(run)}
        rows.append([(column.text(run), styles.get(column.key, "")) for column in shown])
    screen.table(rows, right=[number for number, column in enumerate(shown) if column.number], widths=width)
    _notices(screen, found)


def show_command(asked: words.Words) -> int:
    """Show one run, or pictures of it. Raises UsageError for a name that is unknown or ambiguous."""
    known, as_ = all_known(asked), _format(asked)
    run = runs.find(known, asked.positional[0])
    run = next((one for one in runs.fold(known) if one.id == run.id), run)
    if as_ != "text":
        sys.stdout.write(export.listing([run], as_))
        return 0
    screen = Screen()
    if {"pictures", "png"} & asked.values.keys():
        from engine.cli.pictures import show  # noqa: PLC0415  (numpy and Pillow)

        show(screen, run, known, asked.values)
        _notices(screen, [run])
        return 0
    screen.cells([(run.id, "bold"), ("  ", ""), (run.verdict, _style(run))])
    for text in (run.damage, *run.reasons, run.disturbed):
        if text:
            screen.line(f"  {text}", "todo")
    for line in asked_lines(run):
        screen.line(f"  {line}")
    facts = [column for column in columns.FACTS if column.key not in ("run", "workers") and column.text(run)]
    screen.table([[(f"  {column.header}", "dim"), (column.text(run), "")] for column in facts])
    screen.line()
    figures = [metric for metric in METRICS if metric.key in run.figures]
    screen.table([[(f"  {one.title}", "dim"), (one.text(run.figures[one.key]), "bold")] for one in figures], right=(1,))
    for mode, state in run.beside.items():
        screen.line(f"  {mode} run: {state}" + (f", {run.score}" if mode == "accuracy" and run.score else ""))
    screen.line()
    screen.line(f"files: {place(run)}")
    if run.command:
        screen.line(f"repeat with: {export.command_line(run.command)}")
    _notices(screen, [run])
    return 0


def compare_command(asked: words.Words) -> int:
    """Compare runs; the status is 1 where a condition of --fail-if is fulfilled.

    Raises UsageError for a name that is unknown or ambiguous, and for a condition that can't be read.
    """
    known, as_ = all_known(asked), _format(asked)
    wanted = gate.conditions([asked.values["fail-if"]] if "fail-if" in asked.values else [])
    found = compare.compare(_chosen(asked, known), known)
    failed = gate.failures(found, wanted)
    if as_ != "text":
        sys.stdout.write(export.comparison(found, as_))
        sys.stderr.write("".join(f"{line}\n" for line in failed))
        return 1 if failed else 0
    screen = Screen()
    heads = [run.id for run in found.runs]
    if found.differs:
        _table(screen, [["what differs", *heads], *([one.name, *one.values] for one in found.differs)])
    else:
        screen.line("same choices: a repeat")
    screen.line(f"(same: {export.same_line(found)})", "dim")
    screen.line()
    figures = export.figure_rows(found)
    _table(screen, figures, right=range(1, len(heads) + 1))
    for run in found.runs:
        if run.why:
            screen.line(f"{run.id} is {run.verdict}: {run.why}", "todo")
    for line in (*found.questions, *export.missing_lines(found)):
        screen.line(line, "todo")
    _notices(screen, list(found.runs))
    for line in failed:
        screen.line(line, "bad")
    return 1 if failed else 0


def _chosen(asked: words.Words, known: list[Run]) -> list[Run]:
    """Return the runs to compare: those that were named, a single one with the pinned one before it."""
    chosen = [runs.find(known, name) for name in asked.positional]
    if len(chosen) > 1:
        return chosen
    base = pinned(chosen[0], known, read_pins(folders(asked.values.get("home"))))
    if base is None:
        remedy = "name two runs, or pin a baseline: inferdeck results pin RUN"
        raise UsageError(f"no other run is pinned for {question(chosen[0])}", remedy)
    return [base, *chosen]


def _table(screen: Screen, rows: list[list[str]], right: range = range(0)) -> None:
    drawn: list[list[Cell]] = [[(text, "dim") for text in rows[0]]]
    drawn += [[(row[0], ""), *((text, _change_style(text)) for text in row[1:])] for row in rows[1:]]
    screen.table(drawn, right=list(right))


def _style(run: Run) -> str:
    return "todo" if run.disturbed and run.state == "VALID" else _STYLE.get(run.state, "")


def _change_style(text: str) -> str:
    return "bold" if text.startswith("above noise") else ""


def _notices(screen: Screen, found: list[Run]) -> None:
    for notice in export.notices(found):
        screen.line(notice, "todo")
