"""Search of the highest valid rate, as a pure function of the trials so far.

A trial tests whether a rate is valid. Growing steps find a bracket (the highest valid rate below the lowest invalid
one), geometric bisection closes it, and the winner must be valid a second time, because near the limit the same rate is
sometimes valid and sometimes not. Other load on the machine makes trials invalid, never valid: if a rate was refused
just above one whose latency was half the constraint or less, the refusal is doubted and must be repeated. There is no
state outside the list of trials, so a search can be shown, tested and stopped at any trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import exp, lgamma, log, log1p, sqrt
from typing import Final

import msgspec

CONFIDENCE: Final = 0.99
"""Of LoadGen's early stopping test (v2.1)."""
_DIGITS: Final = 4
"""Significant digits of a rate: the configured value is exactly the one that was tried."""
_STEP: Final = 1.2
_DOUBTED: Final = 0.5
"""Fraction of the latency constraint. By replay (server_model) the rate that uses all of it is 10 to 50 % above the one
that uses half, for one or two sessions with the time of ten batches; at 1 % and less (eight sessions, twenty batches)
the doubt costs a trial or two."""


class RateTrial(msgspec.Struct, frozen=True, kw_only=True):
    """One run at one rate."""

    rate: float
    """Queries/s."""
    valid: bool
    figure: float | None = None
    """The latency at the percentile in ms, to compare trials of one rate. None if the trial was stopped early."""


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """Start and end conditions of a search. Rates are in queries/s and above 0."""

    start: float
    lowest: float
    """Lower limit of the rates tried."""
    highest: float
    """Upper limit of the rates tried."""
    resolution: float
    """The search ends when the lowest refused rate is at most this fraction above the highest valid one."""
    constraint_ms: float | None = None
    """Limit of a trial's figure; None: there is none, and no refusal is doubted."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a list of trials."""

    rate: float | None
    """The highest valid rate below every refused one; None if there is none."""
    refused: float | None
    """The lowest rate that was not more often valid than invalid: the other end of the bracket. None: no rate was
    refused."""
    repeats: int
    """How often the rate was valid."""
    trials: int
    spread: float | None
    """Of the figures of the repeats: (largest - smallest) / smallest. None with fewer than two."""


def found(trials: Sequence[RateTrial]) -> Found:
    """Return the result so far. A valid trial above a refused rate was luck and does not count."""
    refused = min((trial.rate for trial in trials if _is_refused(trial.rate, trials)), default=None)
    holding = [trial for trial in trials if trial.valid and (refused is None or trial.rate < refused)]
    rate = max((trial.rate for trial in holding), default=None)
    repeats = [trial for trial in holding if trial.rate == rate]
    return Found(
        rate=rate,
        refused=refused,
        repeats=len(repeats),
        trials=len(trials),
        spread=spread([trial.figure for trial in repeats if trial.figure is not None]),
    )


def next_rate(trials: Sequence[RateTrial], aim: Aim, *, last: bool = False) -> float | None:
    """Return the rate to try next, or None when the search is over (`found` has the result).

    `last`: there is time for one trial only, which repeats the best rate so far.
    """
    if not trials:
        return _within(aim.start, aim)
    now = found(trials)
    if last and now.rate is not None:
        return now.rate if now.repeats < 2 else None
    if now.rate is None:
        return _lower(trials, aim)
    if now.refused is None:
        higher = _higher(trials, aim)
    else:
        higher = _between(now.rate, now.refused, aim) or _doubted(now.rate, now.refused, trials, aim)
    return higher or (now.rate if now.repeats < 2 else None)


def spread(figures: Sequence[float]) -> float | None:
    """Return the relative spread of repeats: (largest - smallest) / smallest; None with fewer than two."""
    return (max(figures) - min(figures)) / min(figures) if len(figures) > 1 and min(figures) > 0 else None


def settled(figures: Sequence[float], tolerance: float, most: int) -> bool:
    """Return whether a measured figure was repeated often enough: two similar ones, or `most` in all."""
    return len(figures) >= most or any((spread([one, other]) or 0.0) <= tolerance for one, other in pairwise(figures))


def tolerated(queries: int, share: float) -> int | None:
    """Return how many of `queries` may exceed the latency constraint if `share` of them (0.99) must meet it; None: too
    few queries.

    LoadGen's early stopping (loadgen/early_stopping.cc): t misses in n queries are allowed if a system that misses with
    probability 1 - share would do as well, P[at most t misses in n], with probability 1 - CONFIDENCE at most.
    """
    chance, misses = 0.0, 0
    while misses <= queries:
        chance += exp(_log_binomial(queries, misses) + misses * log1p(-share) + (queries - misses) * log(share))
        if chance > 1 - CONFIDENCE:
            break
        misses += 1
    return misses - 1 if misses else None


def _log_binomial(count: int, chosen: int) -> float:
    return lgamma(count + 1) - lgamma(chosen + 1) - lgamma(count - chosen + 1)


def _higher(trials: Sequence[RateTrial], aim: Aim) -> float | None:
    """Return a higher rate, by the ratio covered so far: the further the start was off, the longer the steps."""
    rates = [trial.rate for trial in trials]
    wanted = _within(max(rates) * max(_STEP, max(rates) / min(rates)), aim)
    return wanted if wanted > max(rates) else None


def _lower(trials: Sequence[RateTrial], aim: Aim) -> float | None:
    rates = [trial.rate for trial in trials]
    wanted = _within(min(rates) / max(_STEP, max(rates) / min(rates)), aim)
    return wanted if wanted < min(rates) else None


def _between(low: float, high: float, aim: Aim) -> float | None:
    middle = _rounded(sqrt(low * high))
    return middle if high > low * (1 + aim.resolution) and low < middle < high else None


def _is_refused(rate: float, trials: Sequence[RateTrial]) -> bool:
    verdicts = [trial.valid for trial in trials if trial.rate == rate]
    return verdicts.count(False) >= verdicts.count(True)


def _doubted(rate: float, refused: float, trials: Sequence[RateTrial], aim: Aim) -> float | None:
    """Return the refused rate if the trial just below it makes its only refusal implausible; else None."""
    refusals = sum(trial.rate == refused and not trial.valid for trial in trials)
    figures = [trial.figure for trial in trials if trial.rate == rate and trial.valid and trial.figure is not None]
    spare = aim.constraint_ms is not None and min(figures, default=aim.constraint_ms) <= _DOUBTED * aim.constraint_ms
    return refused if spare and refusals < 2 else None


def _within(rate: float, aim: Aim) -> float:
    return _rounded(min(max(rate, aim.lowest), aim.highest))


def _rounded(rate: float) -> float:
    return float(f"{rate:.{_DIGITS}g}")
