"""Noise of the difference between two runs, from repeated runs or from the spread within them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.explore.metrics import SCORES
from engine.explore.runs import Run, repeats
from engine.explore.steadiness import Steadiness
from engine.explore.student import student
from engine.text import percent

Source = Literal["repeats", "itself", "samples"]


@dataclass(frozen=True)
class Noise:
    """The band that contains 95 % of differences between two equal runs."""

    band: float
    """Relative to the figure; for accuracy in percentage points."""
    source: Source
    """`repeats`: runs of equal choices; `itself`: parts of both runs, a lower bound; `samples`: those scored."""
    count: int
    """Number of runs, parts of a run, or samples that it is computed from."""
    freedom: int = 2
    """Degrees of freedom of the spread of repeated runs."""

    @property
    def is_enough(self) -> bool:
        """Whether it can be judged by: two runs alone give a band of many times their difference."""
        return self.source != "repeats" or self.freedom > 1

    def text(self) -> str:
        """Return the band and its source as text."""
        if not self.is_enough:
            return f"{self.count} runs of equal choices are too few to tell: repeat one more"
        if self.source == "samples":
            return f"±{self.band:.2g} points, {self.count:,} samples"
        band = f"±{percent(self.band)} %"
        if self.source == "repeats":
            return f"{band}, {self.count} runs of equal choices"
        return f"{band} at least, {self.count} parts of each run"


Steady = Callable[[Run], Steadiness | None]


def noise(key: str, first: Run, second: Run, known: Iterable[Run], steady: Steady) -> Noise | None:
    """Return the noise of the difference of two runs in one metric; None where it is unknown.

    Repeated runs of the choices of either tell it best: the relative deviations from the mean of their own group are
    pooled, s² = Σ d² / Σ (n - 1), and the band of a difference of two is t · s · √2. Without repeats the standard
    errors of both runs are added by squares. Accuracy is a share p of n samples: 1.96 √(Σ p (1 - p) / n), with two hits
    and two misses more so that a perfect score is not held for certain (Agresti and Coull, 1998).
    """
    if key in SCORES:
        return _of_samples(first, second)
    listed = list(known)
    groups = [_figures(key, repeats(listed, first))]
    if second.recipe != first.recipe:
        groups.append(_figures(key, repeats(listed, second)))
    return _of_repeats([group for group in groups if len(group) > 1]) or _of_themselves(key, first, second, steady)


def _figures(key: str, runs: Sequence[Run]) -> list[float]:
    """Return the figures of undisturbed runs: disturbances are not the machine's own noise."""
    return [run.figures[key] for run in runs if key in run.figures and not run.disturbed]


def _of_repeats(groups: Sequence[Sequence[float]]) -> Noise | None:
    freedom = sum(len(group) - 1 for group in groups)
    means = [statistics.fmean(group) for group in groups]
    if not freedom or not all(means):
        return None
    squares = sum((one / mean - 1) ** 2 for group, mean in zip(groups, means, strict=True) for one in group)
    spread = (squares / freedom) ** 0.5
    return Noise(student(freedom) * spread * 2**0.5, "repeats", sum(map(len, groups)), freedom)


def _of_themselves(key: str, first: Run, second: Run, steady: Steady) -> Noise | None:
    quiet = [run for run in (first, second) if not run.disturbed]
    found = [one for run in quiet if (one := steady(run)) is not None and key in one.errors]
    if len(found) != 2:
        return None
    blocks = min(one.blocks for one in found)
    error = sum(one.errors[key] ** 2 for one in found) ** 0.5
    return Noise(student(blocks - 1) * error, "itself", blocks)


def _of_samples(first: Run, second: Run) -> Noise | None:
    variance = 0.0
    for run in (first, second):
        share = run.figures.get("accuracy", 0.0) / 100
        if not run.samples or not 0 <= share <= 1:
            return None
        count = run.samples + 4
        share = (share * run.samples + 2) / count
        variance += share * (1 - share) / count
    return Noise(100 * 1.96 * variance**0.5, "samples", min(first.samples, second.samples))
