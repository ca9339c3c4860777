"""Repeats of equal choices as one row: mean, spread and number of runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import msgspec

from engine.explore.runs import Run

ENOUGH = 3
"""Repeats from which a spread is shown: two say too little (Student's t of one degree of freedom is 12.7)."""


def grouped(runs: Iterable[Run]) -> list[Run]:
    """Return one run per set of equal choices, where the first (newest) of them is.

    Its figures are the means of the undisturbed, valid runs, `spread` their sample standard deviations, `repeats` the
    ids of all runs that went into it. Runs that are disturbed, INVALID or damaged stay by themselves.
    """
    listed = list(runs)
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in listed:
        if _counts(run):
            groups.setdefault((run.recipe, run.mode), []).append(run)
    heads = {group[0].id: group for group in groups.values()}
    inner = {run.id for group in groups.values() for run in group[1:]}
    return [_mean(heads[run.id]) if run.id in heads else run for run in listed if run.id not in inner]


def _counts(run: Run) -> bool:
    return bool(run.recipe) and not run.disturbed and run.state in ("VALID", "done")


def _mean(group: Sequence[Run]) -> Run:
    if len(group) == 1:
        return group[0]
    keys = [key for key in group[0].figures if all(key in run.figures for run in group)]
    values = {key: [run.figures[key] for run in group] for key in keys}
    spread = {key: statistics.stdev(found) for key, found in values.items()} if len(group) >= ENOUGH else {}
    return msgspec.structs.replace(
        group[0],
        figures={key: statistics.fmean(found) for key, found in values.items()},
        spread=spread,
        repeats=tuple(run.id for run in group),
    )
