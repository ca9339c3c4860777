"""Export a list or comparison of runs as text, CSV, JSON or Markdown.

Text, CSV and Markdown use display units; JSON names the unit of each figure. Text from logs and names is cleaned of
control characters and, in Markdown, escaped.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from engine.errors import UsageError, nearest
from engine.explore.asked import BY_NAME
from engine.explore.columns import COLUMNS, LISTED, Column
from engine.explore.compare import ABSENT, Change, Comparison
from engine.explore.metrics import BY_KEY, RESULT
from engine.explore.origin import place
from engine.explore.runs import Run
from engine.explore.tables import csv_text, drawn_tables, json_text
from engine.store.files import write_atomic
from engine.store.folders import Folders
from engine.text import iso_time, percent, shell_line, to_bytes

Format = Literal["text", "csv", "json", "md"]
SUFFIX: Mapping[Format, str] = {"text": ".txt", "csv": ".csv", "json": ".json", "md": ".md"}


def format_named(word: str) -> Format:
    """Return the format with that name. Raises UsageError with the nearest."""
    found: dict[str, Format] = {name: name for name in get_args(Format)} | {"markdown": "md", "txt": "text"}
    if word not in found:
        raise UsageError(f"there is no format '{word}'", nearest(word, found))
    return found[word]


def listing(runs: Sequence[Run], as_: Format, columns: Sequence[Column] | None = None) -> str:
    """Return a list of runs in a format. Without columns, text and Markdown have the screen's, CSV has all."""
    if as_ == "json":
        return json_text([as_data(run) for run in runs])
    if as_ == "csv":
        every = list(columns or COLUMNS.values())
        header = [*(column.header for column in every), "folder", "command"]
        return csv_text([header, *([*(_cell(column, run) for column in every), *_ends(run)] for run in runs)])
    shown = list(columns or (one for one in map(COLUMNS.__getitem__, LISTED) if any(map(one.text, runs))))
    rows = [[column.header for column in shown], *([column.text(run) for column in shown] for run in runs)]
    right = [number for number, column in enumerate(shown) if column.number]
    return drawn_tables([(rows, right)], notices(runs), as_)


def comparison(found: Comparison, as_: Format) -> str:
    """Return a comparison in a format: what differs, what is the same, figures with change and noise, what is
    missing."""
    if as_ == "json":
        return json_text(comparison_data(found))
    heads = [run.id for run in found.runs]
    differs = [["what differs", *heads], *([one.name, *one.values] for one in found.differs)]
    states = ["state", *(run.verdict for run in found.runs)]
    figures = figure_rows(found)
    figures.insert(1, [*states, *[""] * (len(figures[0]) - len(states))])
    if as_ == "csv":
        return csv_text([*differs, [], *figures])
    tables = [(differs, []), (figures, list(range(1, len(heads) + 1)))]
    lines = [
        *found.questions,
        *_same_lines(found),
        *missing_lines(found),
        *_disturbed_lines(found.runs),
        *notices(found.runs),
    ]
    return drawn_tables(tables, lines, as_)


def write_export(places: Folders, name: str, as_: Format | Literal["html"], text: str) -> Path:
    """Write an export to `exports` in the state folder, named by time; returns the file."""
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    suffix = ".html" if as_ == "html" else SUFFIX[as_]
    path = places.state / "exports" / f"{stem}{suffix}"
    number = 2
    while path.exists():
        path, number = path.with_name(f"{stem}-{number}{suffix}"), number + 1
    write_atomic(path, to_bytes(text))
    return path


def figure_rows(found: Comparison) -> list[list[str]]:
    """Return the figures of a comparison as rows: metric, a figure per run, change and noise per run except the
    first."""
    later = [run.id for run in found.runs[1:]]
    named = len(later) > 1
    header = ["figure", *(run.id for run in found.runs)]
    header += [f"change {name}" if named else "change" for name in later]
    header += [f"noise {name}" if named else "noise" for name in later]
    rows = [header]
    for row in found.rows:
        texts = [row.metric.text(figure) for figure in row.figures]
        changes = [change_text(change) for change in row.changes]
        rows.append([row.metric.title, *texts, *changes, *(noise_text(one) for one in row.changes)])
    return rows


def change_text(change: Change) -> str:
    """Return a change as text: +191 %, -65 %, in points for accuracy."""
    if change.noise is not None and change.noise.source == "samples" and change.points is not None:
        return f"{_sign(change.points)}{abs(change.points):.3g} points"
    if change.share is None:
        return ABSENT
    return f"{_sign(change.share)}{percent(change.share)} %"


def noise_text(change: Change) -> str:
    """Return whether a change exceeds the noise, and the noise's source, as text."""
    if not change.points:
        return ""
    if change.noise is None:
        return "noise not known: repeat a run" if change.ranked else ""
    if not change.noise.is_enough:
        return change.noise.text()
    return f"{_judged(change)} noise ({change.noise.text()})"


def noise_short(change: Change) -> str:
    """Return the same in short."""
    noise = change.noise
    if noise is None or not change.points:
        return noise_text(change).partition(":")[0]
    if not noise.is_enough:
        return f"{noise.count} runs: too few to tell"
    runs = f", {noise.count} runs" if noise.source == "repeats" else " at least" if noise.source == "itself" else ""
    band = f"{noise.band:.2g} points" if noise.source == "samples" else f"{percent(noise.band)} %"
    return f"{_judged(change)} noise ±{band}{runs}"


def _judged(change: Change) -> str:
    """Return the judgement as text; a lower bound of the noise can only say perhaps."""
    if not change.above_noise:
        return "within"
    return "above" if change.is_sure else "perhaps above"


def same_line(found: Comparison) -> str:
    """Return what is the same, in one line."""
    return ", ".join(f"{name} {value}" for name, value in found.same)


def missing_lines(found: Comparison) -> list[str]:
    """Return the missing measurements, each with the command that makes it."""
    return [
        f"{one.run.id} has no {one.what} run" + (f": {command_line(one.words)}" if one.words else "")
        for one in found.missing
    ]


def _disturbed_lines(runs: Iterable[Run]) -> list[str]:
    return [f"{run.id}: {run.disturbed}" for run in runs if run.disturbed]


def notices(runs: Iterable[Run]) -> list[str]:
    """Return the notices of these runs, without repeats."""
    return list(dict.fromkeys(notice for run in runs for notice in run.notices))


def command_line(words: Sequence[str]) -> str:
    """Return arguments as a shell command."""
    return shell_line(["inferdeck", *words])


def as_data(run: Run) -> dict[str, Any]:
    """Return a run as plain data: figures with their units."""
    facts = {column.key: column.value(run) for column in COLUMNS.values() if column.key not in {*BY_KEY, *BY_NAME}}
    figures = {
        key: {"value": BY_KEY[key].shown(figure), "unit": BY_KEY[key].display_unit}
        for key, figure in run.figures.items()
        if key in BY_KEY
    }
    return {
        **facts,
        "when": iso_time(run.when) if run.when else None,
        "unit": RESULT[run.scenario].display_unit if run.scenario in RESULT else "",
        "settings": {
            key: {"value": BY_NAME[key].shown(value), "unit": BY_NAME[key].display_unit}
            for key, value in run.settings.items()
            if key in BY_NAME
        },
        "seeds": run.seeds,
        "machine": None if run.machine is None else msgspec.to_builtins(run.machine),
        "repeats": run.repeats,
        "spread": {key: BY_KEY[key].shown(value) for key, value in run.spread.items() if key in BY_KEY},
        "job": run.job,
        "round": run.round,
        "device": run.device,
        "stand_in": run.stand_in,
        "notice": " ".join(run.notices),
        "choices": run.choices,
        "beside": run.beside,
        "figures": figures,
        "score": run.score,
        "reasons": run.reasons,
        "damage": run.damage,
        "folder": str(place(run)),
        "command": run.command,
        "decided": run.decided,
    }


def comparison_data(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data."""
    return {
        "runs": [as_data(run) for run in found.runs],
        "differs": {one.name: one.values for one in found.differs},
        "same": dict(found.same),
        "figures": [
            {
                "metric": row.metric.key,
                "unit": row.metric.display_unit,
                "better": row.metric.better,
                "values": [None if one is None else row.metric.shown(one) for one in row.figures],
                "changes": [_change_data(one) for one in row.changes],
            }
            for row in found.rows
        ],
        "questions": found.questions,
        "missing": [{"run": one.run.id, "what": one.what, "command": one.words} for one in found.missing],
    }


def _change_data(change: Change) -> dict[str, Any]:
    noise = change.noise
    noise_data = None if noise is None else {"band": noise.band, "source": noise.source, "count": noise.count}
    return {"share": change.share, "points": change.points, "above_noise": change.above_noise, "noise": noise_data}


def _same_lines(found: Comparison) -> list[str]:
    return [f"same: {same_line(found)}"] if found.same else []


def _sign(value: float) -> str:
    return "+" if value > 0 else "-" if value < 0 else ""


def _cell(column: Column, run: Run) -> str:
    value = column.value(run)
    if column.key == "when":
        return iso_time(run.when)
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _ends(run: Run) -> list[str]:
    return [str(place(run)), command_line(run.command) if run.command else ""]
