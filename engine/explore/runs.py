"""Finished measurements of all jobs as frozen records, with functions to find, sort and group them.

Nothing here reads files; engine.explore.run_reading does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from engine.errors import UsageError, nearest
from engine.explore.metrics import RESULT, SCORES
from engine.facts import NO_ACCURACY
from engine.system.machine_state import MachineState
from engine.text import date_time

DISTURBED = "disturbed"
"""Marks a run whose figures may have been changed by other work on the machine."""

State = Literal["VALID", "INVALID", "passed", "failed", "done", "damaged"]
"""LoadGen's verdict in performance mode; `passed` and `failed` for a compliance test that was verified; `done` where
there is no verdict (accuracy); `damaged` where the run's own files can't all be read."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One finished LoadGen run of a job."""

    id: str
    """Id as typed: r-0007/Offline, r-0007/Offline/accuracy."""
    job: str
    step: str
    """Node id in the job's plan."""
    scenario: str = ""
    mode: str = ""
    """performance, accuracy, or a compliance test."""
    benchmark: str = ""
    sut: str = ""
    model: str = ""
    """Name of the component that provided the model."""
    stand_in: bool = False
    notice: str = ""
    """Notice to show wherever the run is shown: a demonstration, synthetic weights."""
    quantized: bool = False
    """Whether its model was quantized here: only an accuracy run shows what that costs."""
    backend: str = ""
    backend_version: str = ""
    device: str = ""
    style: str = ""
    round: str = ""
    when: float = 0.0
    """When LoadGen ended, seconds since the epoch."""
    choices: dict[str, str] = {}
    """The user's choices that have no field of their own: option or dependency.option → value."""
    decided: dict[str, str] = {}
    """Everything that the run was made from, in display names, for comparisons."""
    keys: dict[str, str] = {}
    """Dependency → store key: differs where inputs or code differ, even if nothing named does."""
    recipe: str = ""
    """Equal for runs of equal choices on an equal machine by the same code; empty where unknown."""
    figures: dict[str, float] = {}
    """By the keys of engine.explore.metrics, in their units."""
    settings: dict[str, float] = {}
    """What was asked and what it ran with, by the keys of engine.explore.asked, in their units."""
    machine: MachineState | None = None
    """State of the machine around the run; None where it was not recorded."""
    spread: dict[str, float] = {}
    """Sample standard deviations of the figures, where the run stands for several repeats."""
    repeats: tuple[str, ...] = ()
    """Ids of the runs that it stands for; empty where it is one run."""
    seeds: dict[str, int] = {}
    """LoadGen's seeds by name: qsl, sample_index, schedule."""
    score: str = ""
    """The accuracy as accuracy.txt states it."""
    samples: int = 0
    """Number of scored samples, which determines the resolution of the accuracy."""
    labelled: int = 0
    """Number of samples with labels in the data set, whether their files exist or not."""
    valid: bool | None = None
    reasons: tuple[str, ...] = ()
    """Why it is INVALID, in LoadGen's words; why a compliance test failed."""
    passed: bool | None = None
    """Result of a compliance test's verification."""
    folder: str = ""
    """Its files, in the job's own folder."""
    published: str = ""
    """Where the job copied them; engine.explore.origin.place says whether that copy is still there."""
    command: tuple[str, ...] = ()
    """Arguments after `inferdeck` that make its job again."""
    beside: dict[str, str] = {}
    """Runs of the same scenario and job that were folded into this one: mode → state word."""
    damage: str = ""
    """What can't be read of it; empty where all can."""
    pinned: bool = False
    """Whether others of its benchmark and scenario are compared with it (engine.explore.pins)."""
    change: float | None = None
    """Change of its result against the pinned run in per cent; None where there is none."""
    disturbed: str = ""
    """What may have changed its figures: other work on the machine, another measuring job. Empty where nothing."""

    @property
    def state(self) -> State:
        """The state in one word."""
        if self.damage:
            return "damaged"
        if self.passed is not None:
            return "passed" if self.passed else "failed"
        if self.valid is None:
            return "done"
        return "VALID" if self.valid else "INVALID"

    @property
    def verdict(self) -> str:
        """The state for display, with the mark of a disturbed run."""
        return f"{self.state}, {DISTURBED}" if self.disturbed else self.state

    @property
    def why(self) -> str:
        """Reason for the state; empty where none is needed."""
        return self.damage or "; ".join((*self.reasons, *([self.disturbed] if self.disturbed else ())))

    @property
    def result(self) -> float | None:
        """The metric that the rules rank the scenario by."""
        metric = RESULT.get(self.scenario)
        return self.figures.get(metric.key) if metric is not None else None

    @property
    def model_name(self) -> str:
        """The model, marked if it has synthetic weights."""
        return f"{self.model} (synthetic weights)" if self.stand_in and "standin" not in self.model else self.model

    @property
    def notices(self) -> tuple[str, ...]:
        """What to show wherever the run is shown."""
        unscored = self.quantized and self.figures.keys().isdisjoint(SCORES)
        return tuple(text for text in (self.notice, NO_ACCURACY if unscored else "") if text)

    def choices_text(self) -> str:
        """Return the choices in one line."""
        return " ".join(f"{name}={value}" for name, value in self.choices.items())


def fold(runs: Iterable[Run]) -> list[Run]:
    """Return one run per scenario and job: accuracy and compliance runs are folded into their performance run.

    A run without a performance run stays by itself. The order is kept.
    """
    listed = list(runs)
    heads = {(run.job, run.benchmark, run.scenario): run for run in listed if run.mode == "performance"}
    beside: dict[str, list[Run]] = {}
    for run in listed:
        head = heads.get((run.job, run.benchmark, run.scenario))
        if head is not None and run.mode != "performance":
            beside.setdefault(head.id, []).append(run)
    folded = {run.id for more in beside.values() for run in more}
    return [_with(run, beside.get(run.id, ())) for run in listed if run.id not in folded]


def _with(run: Run, more: Sequence[Run]) -> Run:
    if not more:
        return run
    scored = next((one for one in more if one.mode == "accuracy"), None)
    changes: dict[str, object] = {"beside": {one.mode: one.state for one in more}}
    if scored is not None and not scored.figures.keys().isdisjoint(SCORES):
        changes["figures"] = {**run.figures, **{key: scored.figures[key] for key in SCORES if key in scored.figures}}
        changes |= {"score": scored.score, "samples": scored.samples, "labelled": scored.labelled}
    return msgspec.structs.replace(run, **changes)


def find(runs: Sequence[Run], word: str) -> Run:
    """Return the run with that id; a job's id or number suffices where the job has one run (after folding).

    Raises UsageError with the nearest ids, or the ambiguous ones.
    """
    head, slash, rest = word.partition("/")
    wanted = (f"r-{int(head):04d}" if head.isdigit() else head) + slash + rest
    exact = [run for run in runs if run.id.lower() == wanted.lower()]
    if exact:
        return exact[0]
    inside = [run for run in fold(runs) if run.id.lower().startswith(f"{wanted.lower()}/")]
    if len(inside) == 1:
        return inside[0]
    if inside:
        raise UsageError(f"'{word}' has several runs", "name one: " + ", ".join(run.id for run in inside))
    remedy = nearest(wanted, (run.id for run in runs)) if runs else "there are none yet: inferdeck demo makes some"
    raise UsageError(f"there is no run '{word}'", remedy)


def day(when: float) -> str:
    """Return a time for display."""
    return date_time(when) if when else "-"


def repeats(runs: Iterable[Run], of: Run) -> list[Run]:
    """Return the runs of equal choices, including the given one, that are valid for a comparison."""
    return [run for run in runs if run.recipe and run.recipe == of.recipe and not run.damage]
