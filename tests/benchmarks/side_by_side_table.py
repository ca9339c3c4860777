"""The figures of the side-by-side benchmark beside their targets.

A ratio is the median of the rounds' ratios: what disturbs a whole round cancels out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.contestants import Variant, candidate
from tests.benchmarks.kept import BASELINE, Kept, bare, ours

FAIR = 0.73
FAIR_WITHIN = 0.05
"""Of the bare best, the Offline rate that the reference implementation itself had."""
OF_OFFLINE = {"fp32": 0.6, "bf16": 0.72, "int8": 0.8}
"""Server at its bound: the least part of the Offline rate, by precision."""
TUNING_SHARE = 0.97
TUNING_SECONDS = 180.0

FEW = 5
"""Rounds with fewer than which a median says little."""


@dataclass(frozen=True)
class Row:
    """One comparison."""

    what: str
    ours: float
    against: str
    other: float
    ratio: float
    target: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        verdict = {True: "yes", False: "NO", None: ""}[self.met]
        return (
            f"{self.what:44}{self.ours:10.3f}  {self.against:11}{self.other:10.3f}{self.ratio:9.4f}"
            f"  {self.target:14}{verdict}"
        ).rstrip()


def table(kept: Kept, variants: Sequence[Variant]) -> list[str]:
    """Return the lines of the table of all that was measured."""
    lines = [f"{kept.machine}; {', '.join(f'{name} {version}' for name, version in kept.packages.items())}"]
    lines += [f"{_rounds(kept)}, runs of {kept.seconds:g} s; Server within {kept.bound_ms} ms"]
    lines += ["", f"{'':44}{'measured':>10}  {'against':11}{'':>10}{'ratio':>9}  {'target':14}met"]
    fairness = _fairness(kept)
    if fairness:
        lines += [str(fairness)]
    lines += map(str, [*_against_baseline(kept, variants), *_against_bare(kept, variants), *_tuning(kept, variants)])
    if fairness:
        lines += ["", f"the baseline is {'fair' if fairness.met else 'NOT fair: what is measured against it is void'}"]
    return lines


def _rounds(kept: Kept) -> str:
    counts = [len(values) for name, by in kept.figures.items() if name != "server" for values in by.values()]
    span = " to ".join(map(str, sorted({min(counts), max(counts)}))) if counts else ""
    rounds = f"medians of {span} rounds" if counts else "no rounds"
    searches = max((len(found) for found in kept.searches.values()), default=0)
    few = " (too few to count)" if counts and min(counts) < FEW else ""
    return f"{rounds}{few}, {searches} search{'es' if searches != 1 else ''} in Server"


def _fairness(kept: Kept) -> Row | None:
    best = kept.best_bare("fp32 onnxruntime")
    row = best and _row(kept, "the baseline's Offline, samples/s", "offline", BASELINE, "bare", best)
    return _judged(row, f"{FAIR} ± {FAIR_WITHIN}", lambda ratio: abs(ratio - FAIR) <= FAIR_WITHIN) if row else None


def _against_baseline(kept: Kept, variants: Sequence[Variant]) -> Iterator[Row]:
    targets = {
        # figure: words, whether more is better, the target of fp32 and of the best variant that is not
        "offline": ("Offline, samples/s", True, 1.3, 4.8),
        "multi p99": ("MultiStream p99, ms", False, 0.93, 0.3),
        "server": ("Server, valid queries/s", True, 1.15, 5.0),
        "single p90": ("SingleStream p90, ms", False, None, 0.3),
        "single mean": ("SingleStream mean, ms", False, None, None),
    }
    for figure, (words, more, plain, best) in targets.items():
        rows = {
            one: row
            for one in variants
            if (row := _row(kept, f"{words}, {one.name}", figure, ours(one), "baseline", BASELINE))
        }
        reduced = [one for one in rows if one.precision != "fp32"]
        winner = max(reduced, key=lambda one: rows[one].ratio * (1 if more else -1), default=None)
        for variant, row in rows.items():
            target = plain if variant.precision == "fp32" else best if variant is winner else None
            yield _aimed(row, more, target)


def _against_bare(kept: Kept, variants: Sequence[Variant]) -> Iterator[Row]:
    for variant in variants:
        who, name = ours(variant), variant.name
        best = kept.best_bare(variant.name)
        if best and (row := _row(kept, f"Offline, samples/s, {name}", "offline", who, "bare", best)):
            yield _aimed(row, True, 0.98)
        alone = kept.quickest_bare(name)
        if alone and (row := _row(kept, f"SingleStream mean, ms, {name}", "single mean", who, "bare", alone)):
            yield _aimed(row, False, 1.01)
        server, offline = kept.typical("server", who), kept.typical("offline", who)
        if server is not None and offline:
            row = Row(f"Server, valid queries/s, {name}", server, "own Offline", offline, server / offline)
            yield _aimed(row, True, OF_OFFLINE[variant.precision])


def _tuning(kept: Kept, variants: Sequence[Variant]) -> Iterator[Row]:
    for variant in variants:
        tuned = kept.tuned.get(variant.name)
        best = kept.best_bare(variant.name)
        if tuned is None:
            continue
        if best and (
            row := _row(
                kept,
                f"tuned, samples/s, {variant.name}",
                "offline",
                bare(variant.name, candidate(tuned.workers["Offline"])),
                "bare",
                best,
            )
        ):
            yield _aimed(row, True, TUNING_SHARE)
        row = Row(f"tuning, s, {variant.name}", tuned.seconds, "limit", TUNING_SECONDS, tuned.seconds / TUNING_SECONDS)
        yield _aimed(row, False, 1.0)


def _row(kept: Kept, what: str, figure: str, who: str, against: str, other: str) -> Row | None:
    mine, theirs = kept.figures.get(figure, {}).get(who), kept.figures.get(figure, {}).get(other)
    if not mine or not theirs or not all(theirs):
        return None
    ratio = median(one / another for one, another in zip(mine, theirs, strict=False))
    return Row(what, median(mine), against, median(theirs), ratio)


def _aimed(row: Row, more: bool, target: float | None) -> Row:
    if target is None:
        return row
    reached: Callable[[float], bool] = (lambda ratio: ratio >= target) if more else (lambda ratio: ratio <= target)
    return _judged(row, f"{'>=' if more else '<='} {target:g}", reached)


def _judged(row: Row, target: str, reached: Callable[[float], bool]) -> Row:
    return Row(row.what, row.ours, row.against, row.other, row.ratio, target, reached(row.ratio))
