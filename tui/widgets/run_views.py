"""Texts below the list: one run in full, a comparison, or bars of one metric; from the records alone."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.explore.asked import asked_lines
from engine.explore.columns import COLUMNS
from engine.explore.compare import ABSENT, Change, Comparison
from engine.explore.export import change_text, command_line, noise_short, noise_text, notices, same_line
from engine.explore.metrics import METRICS, RunMetric
from engine.explore.runs import Run
from engine.text import clean, clean_lines, cut, fit
from tui.terminal import Glyphs
from tui.widgets.run_list import DISTURBED_MARK, RUN_STATES, common, state_style, what

Parts = list[tuple[str, str]]

PAIR = 2
_NAME = 21
_GAP = 2
_CHANGE = 8
_FIGURE = 8
_NOISE = 12
"""Least cells for a figure and for the note on noise."""
_EIGHTHS = "▏▎▍▌▋▊▉"


NOTHING_MEASURED = Content.styled("Nothing has been measured here yet.", "bold")
TEACHING = Content.assemble(
    ("1 then t   ", "bold $mark"),
    ("runs a first job: half a minute, no download\n", ""),
    ("2          ", "bold $mark"),
    ("choose what to run, see the whole plan, run it\n\n", ""),
    ("Every finished run is listed above, also those of other terminals:\n", "$dim"),
    ("Space marks runs, c compares them and says what is above the noise,\n", "$dim"),
    ("v sweeps one choice, x exports the table.", "$dim"),
)
NONE_FITS = Content.styled("no run contains all of these words; Esc shows all", "$dim")


def details(run: Run, place: str, width: int) -> Content:
    """Draw one run: description, why it is not VALID, figures, files, and the command that repeats it."""
    parts: Parts = [(f"{clean(run.id)}  ", "bold"), (run.verdict, state_style(run))]
    parts += [(f"  {clean(run.why)}\n" if run.why else "\n", "$todo")]
    facts = (run.benchmark, run.model_name, f"{run.backend} {run.backend_version}".strip(), run.style, run.sut)
    parts += [(" · ".join(clean(one) for one in facts if one) + "\n", "")]
    for line in asked_lines(run):
        parts += [(f"{line}\n", "")]
    if run.choices:
        parts += [("choices  ", "$dim"), (f"{clean(run.choices_text())}\n", "")]
    for mode, state in run.beside.items():
        score = f" {clean(run.score)}" if mode == "accuracy" and run.score else ""
        parts += [(f"{mode} ", "$dim"), (state, RUN_STATES.get(state, "")), (f"{score}   ", "")]
    parts += [("\n", "")] if run.beside else []
    parts += _figures(run, width)
    parts += [("files  ", "$dim"), (f"{clean(place)}\n", "")]
    if run.command:
        parts += [("again  ", "$dim"), (f"{clean(command_line(run.command))}\n", "$secondary")]
    parts += [(f"{clean_lines(notice)}\n", "$todo") for notice in run.notices]
    return Content.assemble(*parts)


def _figures(run: Run, width: int) -> Parts:
    """The figures in as many columns as there is room for."""
    texts = [
        (one.header, f"{one.text(run.figures[one.key])} {one.display_unit}")
        for one in METRICS
        if one.key in run.figures
    ]
    if not texts:
        return []
    name, value = max(len(text) for text, _ in texts) + 1, max(len(text) for _, text in texts) + 3
    across = max(width // (name + value), 1)
    rows = -(-len(texts) // across)
    parts: Parts = []
    for row in range(rows):
        for header, figure in texts[row::rows]:
            parts += [(f"{header:{name}}", "$dim"), (f"{figure:{value}}", "bold")]
        parts.append(("\n", ""))
    return parts


def compared(found: Comparison, width: int) -> Content:
    """Draw a comparison: what differs, what is the same, figures with change and noise, what is missing."""
    heads = _heads(found.runs)
    cell = _cell_width(width, len(heads))
    parts: Parts = []
    if found.differs:
        parts += _row("differences", heads, cell, "$dim", "bold")
        for one in found.differs:
            parts += _row(one.name, one.values, cell, "", "")
    else:
        parts += [("same choices: a repeat\n", "")]
    parts += [(cut(f"(same: {clean(same_line(found))}", 2 * width - 4) + ")\n\n", "$dim")]
    parts += _figure_rows(found, heads, width)
    for run in found.runs:
        if run.why:
            parts += [(f"{run.id} is {run.verdict}: {clean(run.why)}\n", "$todo")]
    rows = {row.metric.key for row in found.rows} if len(heads) == PAIR else set()
    for missing in found.missing:
        if missing.what in rows and missing.words:
            continue  # said in its row
        parts += [(f"{missing.run.id} has no {clean(missing.what)} run", "$todo")]
        parts += [("   a", "bold $mark"), (" plans it\n", "$dim")] if missing.words else [("\n", "")]
    for notice in notices(found.runs):
        parts += [(f"{clean_lines(notice)}\n", "$todo")]
    return Content.assemble(*parts)


def _heads(runs: Sequence[Run]) -> list[str]:
    """Name the runs: by their jobs where these differ."""
    jobs = [run.job for run in runs]
    alike = len({(run.scenario, run.mode) for run in runs}) == 1
    return jobs if alike and len(set(jobs)) == len(jobs) else [run.id for run in runs]


def _cell_width(width: int, count: int) -> int:
    return max((width - _NAME) // count, 8)


def _row(name: str, values: Sequence[str], cell: int, name_style: str, style: str) -> Parts:
    parts: Parts = [(fit(cut(clean(name), _NAME - _GAP), _NAME), name_style)]
    parts += [(fit(cut(clean(value), cell - _GAP), cell), style) for value in values]
    return [*parts, ("\n", "")]


def _figure_rows(found: Comparison, heads: Sequence[str], width: int) -> Parts:
    """Two runs have columns for change and noise; of more, each figure is followed by its change."""
    pair = len(heads) == PAIR
    cell = max(max(map(len, heads)) + _GAP, _FIGURE) if pair else _cell_width(width, len(heads))
    while pair and _NAME + 2 * cell + _CHANGE > width - _NOISE and cell > _FIGURE:
        cell -= 1
    parts = _row("result", [*heads, "change"] if pair else heads, cell, "$dim", "bold")
    parts += [(f"{'verdict':{_NAME}}", "")]
    for run in found.runs:
        state = run.state + DISTURBED_MARK * bool(run.disturbed)
        parts.append((f"{cut(state, cell - 1):{cell}}", state_style(run)))
    parts += [("\n", "")]
    for row in found.rows:
        texts = [row.metric.text(figure) for figure in row.figures]
        parts += [(fit(cut(row.metric.title, _NAME - 1), _NAME), "")]
        if pair:
            (change,) = row.changes
            parts += [(f"{text:{cell}}", "bold") for text in texts]
            lacks = [one.run for one in found.missing if one.what == row.metric.key and one.words]
            parts += _lacking(lacks) if lacks else _change_parts(row.metric, change, width - _NAME - 2 * cell - _CHANGE)
        else:
            parts += [(f"{texts[0]:{cell}}", "bold")]
            for text, change in zip(texts[1:], row.changes, strict=True):
                behind = change_text(change) if change.points is not None else ""
                parts += [
                    (f"{text} ", "bold"),
                    (f"{behind:{max(cell - len(text) - 1, 0)}}", _style(row.metric, change)),
                ]
        parts += [("\n", "")]
    return parts


def _lacking(runs: Sequence[Run]) -> Parts:
    return [("a", "bold $mark"), (f" runs it for {runs[0].job}", "$todo")]


def _change_parts(metric: RunMetric, change: Change, room: int) -> Parts:
    if change.points is None:
        return [(ABSENT, "$dim")]
    text = change_text(change)
    noise = noise_text(change) if len(noise_text(change)) < room else noise_short(change)
    return [(f"{text:{_CHANGE}} ", _style(metric, change)), (cut(noise, max(room - 1, 8)), "$dim")]


def _style(metric: RunMetric, change: Change) -> str:
    """Green and red only for changes above noise; the text says the same."""
    if not (change.above_noise and change.is_sure and metric.better and change.points):
        return ""
    return "bold $good" if (change.points > 0) == (metric.better == "higher") else "bold $bad"


def bars(runs: Sequence[Run], metric: RunMetric, width: int, glyphs: Glyphs) -> Content:
    """Draw a bar for each run that has the metric, from zero; the best is bold."""
    found = [(run, run.figures[metric.key]) for run in runs if metric.key in run.figures]
    better = {"higher": "higher is better", "lower": "lower is better", "": ""}[metric.better]
    if not found:
        return Content.styled(f"none of these runs has {metric.title}; b takes the next metric", "$dim")
    best = (min if metric.better == "lower" else max)(figure for _, figure in found)
    most = max(figure for _, figure in found)
    name = min(max(len(run.id) for run, _ in found) + _GAP, 26)
    said = common([run for run, _ in found])
    label = min(max(len(what(run, said)) for run, _ in found) + _GAP, max(width // 3, 10))
    number = max(len(metric.text(figure)) for _, figure in found) + 1
    room = max(width - name - label - number, 4)
    lead = ", ".join(one for one in (better, "bars begin at 0", "b next metric") if one)
    parts: Parts = [(metric.title, "bold"), (f"  {lead}\n", "$dim")]
    for run, figure in found:
        top = figure == best and bool(metric.better)
        bar = drawn_bar(figure / most if most > 0 else 0.0, room, glyphs)
        parts += [(fit(cut(clean(run.id), name - 1), name), "bold" if top else "")]
        parts += [(fit(cut(what(run, said), label - _GAP), label), "$dim")]
        parts += [(bar, _bar_style(run, top)), (f" {metric.text(figure)}", "bold" if top else "")]
        parts += [(f"{DISTURBED_MARK * bool(run.disturbed)}\n", "$todo")]
    return Content.assemble(*parts)


def _bar_style(run: Run, top: bool) -> str:
    if run.state in ("INVALID", "damaged", "failed"):
        return "$bad"
    return "$good" if top else "$mark"


def drawn_bar(share: float, room: int, glyphs: Glyphs) -> str:
    """Draw a bar of at most `room` cells; with blocks to an eighth of a cell."""
    if glyphs == "ascii":
        return "#" * max(round(share * room), 1)
    whole, eighths = divmod(max(round(share * room * 8), 1), 8)
    return "█" * whole + (_EIGHTHS[eighths - 1] if eighths else "")


def everything(run: Run, place: str) -> Content:
    """All details of a run, to read and to copy."""
    parts: list[tuple[str, str]] = []
    for one in COLUMNS.values():
        text = one.text(run)
        if text not in ("", "-"):
            parts += [(f"{one.header:16}", "$dim"), (clean(text) + "\n", "")]
    parts += [("\nfiles\n", "bold"), (clean(place) + "\n", "")]
    if run.command:
        parts += [("\nto run it again\n", "bold"), (clean(command_line(run.command)) + "\n", "$secondary")]
    parts += [("\nmade from\n", "bold")]
    for name, value in run.decided.items():
        parts += [(f"{clean(name):32}", "$dim"), (clean(value) + "\n", "")]
    return Content.assemble(*parts)
