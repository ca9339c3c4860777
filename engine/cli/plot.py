"""`inferdeck results plot`: charts of runs, drawn in the terminal or written as SVG."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from engine.cli import arguments as words
from engine.cli.results import all_known
from engine.cli.screen import Screen
from engine.errors import UsageError
from engine.explore import diagrams, dots, filters, runs
from engine.explore.charts import CHARTS, chart
from engine.explore.diagrams import Diagram
from engine.explore.runs import Run
from engine.explore.svg import svg
from engine.explore.tuning import of_job
from engine.jobs import jobs
from engine.store.files import disk_errors, write_atomic
from engine.store.folders import folders
from engine.text import whole_path

BATCHES = "batches"
KINDS = (*CHARTS, BATCHES)
_HEIGHT = 24


def plot_command(asked: words.Words) -> int:
    """Draw a chart. Raises UsageError where there is nothing to draw, StoreError where the file can't be written."""
    kind, *names = asked.positional
    if kind not in KINDS:
        raise UsageError(f"there is no chart '{kind}'", f"one of {', '.join(KINDS)}")
    chosen = _chosen(asked, names)
    diagram = _batches(chosen, asked) if kind == BATCHES else chart(kind, chosen)
    if diagram.is_empty:
        raise UsageError(f"none of these runs has what a chart of {kind} shows", "inferdeck results list shows them")
    if out := asked.values.get("out", ""):
        path = whole_path(out)
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, svg(diagram).encode())
        Screen().line(f"written: {path}")
        return 0
    size, screen = shutil.get_terminal_size((100, _HEIGHT)), Screen()
    for row in dots.rows(diagram, size.columns - 1, max(size.lines - 2, 16), ascii_only="ascii" in asked.flags):
        screen.cells(row, crop=True)
    return 0


def _chosen(asked: words.Words, names: Sequence[str]) -> list[Run]:
    known = all_known(asked)
    found = [runs.find(known, name) for name in names] if names else runs.fold(known)
    return filters.matching(found, asked.values.get("filter", ""))


def _batches(chosen: list[Run], asked: words.Words) -> Diagram:
    places = folders(asked.values.get("home"))
    for run in chosen:
        report = of_job(jobs.read(places.jobs / run.job).spec, places)
        if report is not None:
            return diagrams.batches(report)
    raise UsageError("no job of these runs measured batch sizes", "inferdeck tune measures them")
