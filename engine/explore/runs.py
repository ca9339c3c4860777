"""Every finished measurement of every job as one frozen record, and the ways to find, sort and fold them.

Reading is engine.explore.run_reading's business; nothing here touches a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal, get_args

import msgspec

from engine.errors import UsageError, nearest
from engine.explore.metrics import RESULT
from engine.text import date_time

DISTURBED = "disturbed"
"""The mark of a run whose figures other work on the machine may have changed."""

State = Literal["VALID", "INVALID", "passed", "failed", "done", "damaged"]
"""LoadGen's verdict in performance mode; `passed` and `failed` for a compliance test that was verified; `done` where
there is no verdict (accuracy); `damaged` where the run's own files can't all be read."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One LoadGen run that a job has finished."""

    id: str
    """What a person types: r-0007/Offline, r-0007/Offline/accuracy."""
    job: str
    step: str
    """The node's id in the job's plan."""
    scenario: str = ""
    mode: str = ""
    """performance, accuracy, or a compliance test."""
    benchmark: str = ""
    sut: str = ""
    model: str = ""
    """Name of the component that provided it."""
    stand_in: bool = False
    notice: str = ""
    """What must be said wherever it shows: a demonstration, a stand-in."""
    backend: str = ""
    backend_version: str = ""
    device: str = ""
    style: str = ""
    round: str = ""
    when: float = 0.0
    """Seconds since the epoch at which LoadGen had ended."""
    choices: dict[str, str] = {}
    """What the person chose that has no field of its own: option or dependency.option → value."""
    decided: dict[str, str] = {}
    """Everything that the run was made from, in names that a person reads, for comparing it with another."""
    keys: dict[str, str] = {}
    """Dependency → store key: differs where nothing named does, if inputs or code were others."""
    recipe: str = ""
    """Equal for runs of equal choices on an equal machine by the same code; empty where it is not known."""
    figures: dict[str, float] = {}
    """By the keys of engine.explore.metrics, in their units."""
    score: str = ""
    """The accuracy as the rules' file says it."""
    samples: int = 0
    """Samples that were scored: how finely the accuracy is known."""
    labelled: int = 0
    """Samples that the data set has labels for, whether their files were there or not."""
    valid: bool | None = None
    reasons: tuple[str, ...] = ()
    """Why it is INVALID, in LoadGen's words; why a compliance test failed."""
    passed: bool | None = None
    """Outcome of a compliance test's verification."""
    folder: str = ""
    """Its files, in the job's own folder."""
    published: str = ""
    """Where the job put a copy of them; engine.explore.origin.place says whether it is still there."""
    command: tuple[str, ...] = ()
    """The words after `inferdeck` that make its job again."""
    beside: dict[str, str] = {}
    """Runs of the same scenario and job that were folded into this one: mode → state word."""
    damage: str = ""
    """What can't be read of it; empty where all can."""
    disturbed: str = ""
    """What may have changed its figures: other work on the machine, another job that measured. Empty where nothing."""

    @property
    def state(self) -> State:
        """The state in a word."""
        if self.damage:
            return "damaged"
        if self.passed is not None:
            return "passed" if self.passed else "failed"
        if self.valid is None:
            return "done"
        return "VALID" if self.valid else "INVALID"

    @property
    def verdict(self) -> str:
        """The state as a person reads it: with the mark of a run that was disturbed."""
        return f"{self.state}, {DISTURBED}" if self.disturbed else self.state

    @property
    def why(self) -> str:
        """What there is to say behind the verdict; empty where it needs nothing."""
        return self.damage or "; ".join((*self.reasons, *([self.disturbed] if self.disturbed else ())))

    @property
    def result(self) -> float | None:
        """The figure that the rules rank the scenario by."""
        metric = RESULT.get(self.scenario)
        return self.figures.get(metric.key) if metric is not None else None

    @property
    def model_name(self) -> str:
        """The model, and that it is a stand-in."""
        return f"{self.model} (stand-in)" if self.stand_in and "standin" not in self.model else self.model

    def choices_text(self) -> str:
        """Write the choices in one line."""
        return " ".join(f"{name}={value}" for name, value in self.choices.items())


def fold(runs: Iterable[Run]) -> list[Run]:
    """Return one run a scenario and job: accuracy and compliance runs are told by the performance run beside them.

    A run without a performance run beside it stands for itself. The order is kept.
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
    if scored is not None and "accuracy" in scored.figures:
        changes["figures"] = {**run.figures, "accuracy": scored.figures["accuracy"]}
        changes |= {"score": scored.score, "samples": scored.samples, "labelled": scored.labelled}
    return msgspec.structs.replace(run, **changes)


def find(runs: Sequence[Run], word: str) -> Run:
    """Return the run of that id; a job's id or number is enough where the job has one run (after folding).

    Raises UsageError with the nearest ids, or those that the word could mean.
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


def matching(runs: Iterable[Run], words: str) -> list[Run]:
    """Return the runs whose facts hold every word, whatever its case; `-word` leaves out those that do.

    A word that is a whole scenario, mode, state or the like means that: `offline` finds no Server run of a system
    `demo-offline`, `valid` no INVALID one.
    """
    listed = list(runs)
    names = _NAMES.union(*(_names(run) for run in listed))
    wanted = [word.lower() for word in words.split()]
    return [run for run in listed if all(_matches(run, word, names) for word in wanted)]


_NAMES = frozenset(word.lower() for word in (*RESULT, *get_args(State), "performance", "accuracy"))


def _names(run: Run) -> set[str]:
    """Return the words of a run that are names of a closed kind."""
    told = (run.scenario, run.mode, *run.beside, run.state, run.benchmark, run.backend, run.device, run.style)
    return {word.lower() for word in told if word}


def _matches(run: Run, word: str, names: AbstractSet[str]) -> bool:
    without, text = (True, word[1:]) if word.startswith("-") and len(word) > 1 else (False, word)
    return (text in (_names(run) if text in names else _words(run))) != without


def _words(run: Run) -> str:
    told = (run.id, run.benchmark, run.sut, run.model_name, run.backend, run.backend_version, run.device, run.style)
    more = (run.scenario, run.mode, run.verdict, run.choices_text(), run.why, run.notice, day(run.when))
    return " ".join((*told, *more)).lower()


def day(when: float) -> str:
    """Write a time as a person reads it."""
    return date_time(when) if when else "-"


def repeats(runs: Iterable[Run], of: Run) -> list[Run]:
    """Return the runs of equal choices, the given one among them, that ended well enough to be compared."""
    return [run for run in runs if run.recipe and run.recipe == of.recipe and not run.damage]
