"""Compare two or more runs: what differs, what is the same, and which figures changed by more than noise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.explore.asked import BY_NAME, setting_text
from engine.explore.metrics import METRICS, RunMetric
from engine.explore.noise import Noise, Steady, noise
from engine.explore.runs import Run, fold
from engine.explore.steadiness import Steadiness, steadiness
from engine.jobs import places

NAMES = {"mode": "", "scenario": "", "benchmark": "", "sut": "system", "task": "", "loadgen": "", "backend version": ""}
"""Display names of decisions; empty for those that a field of the run or another decision shows already."""
SAME = ("benchmark", "scenario", "model", "backend", "LoadGen", "machine", "style", "workers in use")
"""Properties that are shown even where they are the same."""
OUTCOMES = ("workers in use",)
"""Properties that were measured rather than chosen; listed after the choices."""
ABSENT = "-"


@dataclass(frozen=True)
class Difference:
    """A property in which the runs differ."""

    name: str
    values: tuple[str, ...]
    """Its value in each run."""


@dataclass(frozen=True)
class Change:
    """A figure of one run against the first's."""

    share: float | None
    """Relative difference; None where one of the two has no figure, the first is 0, or the metric means something else
    in the other's scenario."""
    points: float | None
    """Absolute difference, in the metric's unit."""
    noise: Noise | None
    ranked: bool = True
    """Whether the metric has a better direction."""

    @property
    def above_noise(self) -> bool | None:
        """Whether the change exceeds the noise; None where that is unknown."""
        size = self.points if self.noise is not None and self.noise.source == "samples" else self.share
        return None if size is None or self.noise is None or not self.noise.is_enough else abs(size) > self.noise.band

    @property
    def is_sure(self) -> bool:
        """Whether the noise is known from repeated runs; a run's own spread is only a lower bound."""
        return self.noise is not None and self.noise.source != "itself"


@dataclass(frozen=True)
class ComparedMetric:
    """A metric over all runs."""

    metric: RunMetric
    figures: tuple[float | None, ...]
    changes: tuple[Change, ...]
    """One change per run, except the first."""


@dataclass(frozen=True)
class Missing:
    """A measurement that some of the runs have and this one lacks."""

    run: Run
    what: str
    words: tuple[str, ...]
    """Arguments after `inferdeck` that make it; empty where the run's own command is unknown."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of runs with the first of them."""

    runs: tuple[Run, ...]
    differs: tuple[Difference, ...]
    same: tuple[tuple[str, str], ...]
    """Name and value of properties worth showing."""
    rows: tuple[ComparedMetric, ...]
    missing: tuple[Missing, ...]
    questions: tuple[str, ...] = ()
    """Why the runs answer different questions, so that their figures do not tell which is better."""


def compare(chosen: Sequence[Run], known: Iterable[Run], steady: Steady | None = None) -> Comparison:
    """Compare runs with the first of them. `known` are all runs, in which repeats are looked up for the noise.

    `steady` returns the spread within a run; by default it is read from the jobs' event logs.
    """
    everything = list(known)
    folded = {run.id: run for run in fold(everything)}
    runs = tuple(folded.get(run.id, run) for run in chosen)
    return Comparison(
        runs=runs,
        differs=differences(runs),
        same=_same(runs),
        rows=tuple(_rows(runs, everything, steady or from_events)),
        missing=tuple(_missing(runs)),
        questions=tuple(_questions(runs)),
    )


def _questions(runs: Sequence[Run]) -> Iterable[str]:
    """Yield what was asked differently: the task, the scenario, and what LoadGen was set to."""
    for name, values in (
        ("benchmark", [run.benchmark for run in runs]),
        ("scenario", [run.scenario for run in runs]),
        ("mode", [run.mode for run in runs]),
    ):
        if len(set(values)) > 1:
            yield f"different {name}s: {', '.join(dict.fromkeys(values))}"
            return
    for key in ("target", "constraint", "percentile", "min_duration", "loaded_samples"):
        texts = [f"{setting_text(run, key)} {BY_NAME[key].display_unit}" for run in runs if key in run.settings]
        if len(texts) == len(runs) and len(set(texts)) > 1 and not (key == "target" and runs[0].scenario == "Offline"):
            yield f"asked for another {BY_NAME[key].header}: {', '.join(texts)}"


def from_events(run: Run) -> Steadiness | None:
    """Return the spread within a run, from the event log of its job."""
    job = Path(run.folder).parents[2] if run.folder else None
    return steadiness(job / places.EVENTS, run.step) if job is not None else None


def differences(runs: Sequence[Run]) -> tuple[Difference, ...]:
    """Return the properties in which the runs differ: choices first, in plan order."""
    decisions = [_decisions(run) for run in runs]
    names = sorted(dict.fromkeys(name for one in decisions for name in one), key=lambda name: name in OUTCOMES)
    found = [Difference(name, tuple(one.get(name, ABSENT) for one in decisions)) for name in names]
    apart = [one for one in found if len(set(one.values)) > 1]
    changed = {one.name for one in apart}
    # What lies inside another component is said by the component's name.
    shown = tuple(one for one in apart if one.name.partition(".")[0] not in changed - {one.name})
    return shown or _unseen(runs)


def _decisions(run: Run) -> dict[str, str]:
    fields = {
        "benchmark": run.benchmark,
        "scenario": run.scenario,
        "mode": run.mode,
        "model": run.model_name,
        "backend": f"{run.backend} {run.backend_version}".strip(),
        "style": run.style,
        "system": run.sut,
    }
    own = {name: value for name, value in fields.items() if value}
    decided = {NAMES.get(name, name): value for name, value in run.decided.items() if NAMES.get(name, name)}
    return {**own, **decided, **own}


def _unseen(runs: Sequence[Run]) -> tuple[Difference, ...]:
    """Return the dependencies made from other inputs or code, where no named property differs."""
    names = list(dict.fromkeys(name for run in runs for name in run.keys))
    found = [
        Difference(f"{name} (inputs or code)", tuple(run.keys.get(name, ABSENT)[:8] for run in runs)) for name in names
    ]
    return tuple(one for one in found if len(set(one.values)) > 1)


def _same(runs: Sequence[Run]) -> tuple[tuple[str, str], ...]:
    decisions = [_decisions(run) for run in runs]
    return tuple(
        (name, decisions[0][name])
        for name in SAME
        if name in decisions[0] and len({one.get(name) for one in decisions}) == 1
    )


def _rows(runs: Sequence[Run], known: Sequence[Run], steady: Steady) -> Iterable[ComparedMetric]:
    cached: dict[str, Steadiness | None] = {}

    def once(run: Run) -> Steadiness | None:
        if run.id not in cached:
            cached[run.id] = steady(run)
        return cached[run.id]

    for metric in METRICS:
        figures = tuple(run.figures.get(metric.key) for run in runs)
        if any(figure is not None for figure in figures):
            changes = tuple(_change(metric, runs[0], run, known, once) for run in runs[1:])
            yield ComparedMetric(metric, figures, changes)


def _change(metric: RunMetric, first: Run, second: Run, known: Sequence[Run], steady: Steady) -> Change:
    before, after = first.figures.get(metric.key), second.figures.get(metric.key)
    if before is None or after is None or not (metric.across or first.scenario == second.scenario):
        return Change(None, None, None)
    band = noise(metric.key, first, second, known, steady) if metric.better else None
    share = (after - before) / before if before else None
    return Change(share, after - before, band, ranked=bool(metric.better))


def _missing(runs: Sequence[Run]) -> Iterable[Missing]:
    scenarios = {run.scenario for run in runs}
    for mode in dict.fromkeys(mode for run in runs for mode in (run.mode, *run.beside)):
        for run in runs:
            if mode not in (run.mode, *run.beside):
                yield Missing(run, mode, _words(run, mode))
    for run in runs:
        if len(scenarios) == 1 and not run.figures and not run.damage:
            yield Missing(run, "figures", ())


def _words(run: Run, mode: str) -> tuple[str, ...]:
    """Return the command of a run's job, restricted to one scenario and mode."""
    if not run.command:
        return ()
    option = "modes" if mode in ("performance", "accuracy") else "compliance"
    dropped = ("--scenarios=", "--modes=", "--compliance=")
    kept = [word for word in run.command if not word.startswith(dropped)]
    return (*kept, f"--scenarios={run.scenario}", f"--{option}={mode}")
