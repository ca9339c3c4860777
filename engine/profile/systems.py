"""Run configurations of systems under test: what rate to ask for, or what latency to expect, per benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

import profiles
from engine.errors import UsageError, nearest
from engine.profile import document, edit, typed
from engine.profile.names import refuse_system_name

BACKEND_ENDINGS = {"onnxruntime": "onnxruntime", "ort": "onnxruntime", "tf": "tensorflow", "tensorflow": "tensorflow"}
"""Endings of a SUT name that pick the configuration of a backend: `gcp-n2-standard-80-tf`."""


Positive = Annotated[float, Meta(gt=0, le=1e9)]
"""A rate or a latency: more than nothing, and finite."""


Microseconds = Annotated[int, Meta(ge=0, le=3_600_000_000)]


class FoundTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A target that a search found on this system, and how sure it is."""

    target: Positive
    """In the unit of `runs`. Where the two differ, somebody has changed the figure since, and this is history."""
    date: str
    """The day it was found, 2026-11-23."""
    trials: int
    repeats: int
    """How many trials ended with this outcome; with one it is not confirmed."""
    invalid: int = 0
    """Server: how many trials of this very target were not valid, because something disturbed them."""
    refused: float | None = None
    """Server: the lowest rate that was not more often valid than invalid."""
    spread: float | None = None
    """Of the repeats: (largest - smallest) / smallest."""
    trial_seconds: float
    """How long LoadGen tested in each trial; valid runs are longer."""
    model: str
    """SHA-256 of the model: with another one the target says nothing."""
    versions: dict[str, str]
    """Of inferdeck, LoadGen and the backend."""
    disturbed: str = ""
    """What other work may have changed it, as a sentence; empty where none did."""

    def confidence(self) -> str:
        """Say for a person how sure the target is."""
        parts = ["one trial" if self.trials == 1 else f"{self.trials} trials"]
        if self.invalid:
            parts.append(f"valid {self.repeats} of {self.repeats + self.invalid} times")
        elif self.repeats < self.trials:
            parts.append("valid once" if self.repeats == 1 else f"valid {self.repeats} times")
        if self.refused is not None:
            parts.append(f"{self.refused:g} was not")
        if self.spread is not None:
            parts.append(f"repeats {self.spread:.1%} apart")
        if self.disturbed:
            parts.append("disturbed")
        return ", ".join(parts)


class TunedWorkers(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one scenario shares the machine out (engine.harness.spec.Workers), and what that reached."""

    sessions: Annotated[int, Meta(ge=1, le=4096)]
    intra_op_threads: Annotated[int, Meta(ge=1, le=4096)]
    max_batch: Annotated[int, Meta(ge=1, le=65536)]
    queue_wait_us: Microseconds = 0
    batch_us: tuple[Microseconds, ...] = ()
    max_cost: Annotated[int, Meta(ge=0, le=1 << 53)] = 0
    cost_us: tuple[tuple[Annotated[int, Meta(ge=0, le=1 << 53)], Microseconds], ...] = ()
    cores: tuple[tuple[Annotated[int, Meta(ge=0, le=65535)], ...], ...] = ()
    batch_ms: Positive
    """Of a batch while all sessions are busy."""
    samples_per_second: Positive


class Tuning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a system is best shared out for one model, as measured by `_tune`."""

    date: str
    """The day it was measured, 2026-11-28."""
    seconds: float
    """How long was measured."""
    cores: int
    """How many could be used: with other ones it says nothing."""
    quota: float = 0
    """Cores' worth of time that a container allowed; 0 is no limit. With another one it says nothing."""
    model: str
    """SHA-256 of the model: with another one it says nothing."""
    versions: dict[str, str]
    """Of inferdeck and the backend: with another one of the backend it says nothing."""
    server_qps: Annotated[float, Meta(ge=0, le=1e9)]
    """What Server should reach within its bound; 0 where it can't meet it."""
    bound_ms: Positive
    """Server's bound."""
    scenarios: dict[str, TunedWorkers]
    server_slower: float = 0.0
    """How many times as long a batch of Server may take in a run; 0 where it was not measured."""
    disturbed: str = ""
    """What other work may have changed it, as a sentence; empty where none did."""


Targets = dict[str, dict[str, dict[str, Positive]]]


class System(msgspec.Struct, frozen=True, kw_only=True):
    """The run configuration of one system."""

    targets: Literal["configured", "measured"]
    """`measured`: what is measured at start goes before these figures, which are only placeholders."""
    description: dict[str, str | int | float | bool] = {}
    """The fields of the rules' system description; empty where nobody has described it."""
    detected: bool = False
    """Fields that the description leaves out are read off the machine that a submission is built on."""
    runs: Targets
    """Backend → benchmark → scenario → target: queries/s for Server and Offline, ms for the other two."""
    found: dict[str, dict[str, dict[str, FoundTarget]]] = {}
    """For figures in `runs` that a search put there: they hold whatever `targets` says."""
    tuned: dict[str, dict[str, Tuning]] = {}
    """Backend → benchmark → how the system is shared out."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What one system says of one benchmark on one backend."""

    system: str
    backend: str
    """Whose figures these are."""
    figures: dict[str, float]
    """By scenario, those that hold: placeholders are left out."""
    found: dict[str, FoundTarget]
    """By scenario, where a search found the figure."""
    tuned: Tuning | None = None
    file: str


def load_system(path: Path) -> System:
    """Read a system. Raises ProfileError with file, line, place and the nearest valid spelling."""
    top = document.read(path)
    for name, value in _description(top):
        _refuse_misread(name, value)
    return typed.build(top, System)


def place_of(path: Path, field: str) -> str:
    """Return file, line and key of a description's field; the file alone where the field is not there."""
    found = dict(_description(document.read(path))).get(field)
    return str(found.place) if found is not None else str(path)


def _description(top: document.Value) -> list[tuple[str, document.Value]]:
    found = dict(top.items()).get("description")
    return [] if found is None else found.items()


def _refuse_misread(name: str, value: document.Value) -> None:
    """Raise ProfileError where YAML makes another value of a field than what is written: no, 0123, 1.10, nothing."""
    plain, written = value.plain(), str(value.node.value)
    if plain is None:
        raise value.wrong("there is no value", "write the value, or '' where there is nothing to say")
    if isinstance(plain, bool):
        misread = name != "is_network" or written.lower() not in ("true", "false")
    else:
        misread = isinstance(plain, int | float) and str(plain) != written
    if misread:
        seen = str(plain).lower() if isinstance(plain, bool) else plain
        raise value.wrong(f"without quotes, YAML reads {written} as {seen}", f"put it in quotes: {name}: '{written}'")


def configuration(folders: Sequence[Path], sut: str, benchmark: str, backend: str) -> Configuration:
    """Find the run configuration of a SUT; a name may end in a backend, and a later folder wins over an earlier.

    Raises UsageError with the nearest name where there is none, ProfileError where the file is wrong.
    """
    path, chosen = find(folders, sut, backend)
    system = load_system(path)
    figures = system.runs.get(chosen, {}).get(benchmark, {})
    records = system.found.get(chosen, {}).get(benchmark, {})
    found = {scenario: one for scenario, one in records.items() if figures.get(scenario) == one.target}
    if system.targets == "measured":
        figures = {scenario: figures[scenario] for scenario in found}
    return Configuration(
        system=path.stem,
        backend=chosen,
        figures=figures,
        found=found,
        tuned=system.tuned.get(chosen, {}).get(benchmark),
        file=str(path),
    )


def file_to_write(path: Path, own: Path) -> Path:
    """Return where a change to the system at `path` goes: of one that is shipped, a copy among the person's own."""
    return own / "systems" / path.name if path.is_relative_to(profiles.FOLDER) else path


def with_target(text: str, place: tuple[str, str, str], found: FoundTarget) -> str:
    """Return the text of a system's file with a target that was found, all else as it was.

    `place` is backend, benchmark and scenario. `text` is the file of a system, which can be read.
    """
    text = edit.put(text, ("runs", *place), found.target)
    return edit.put(text, ("found", *place), msgspec.to_builtins(found))


def with_tuning(text: str, place: tuple[str, str], tuning: Tuning) -> str:
    """Return the text of a system's file with how it is shared out, all else as it was; `place`: backend, benchmark."""
    return edit.put(text, ("tuned", *place), msgspec.to_builtins(tuning))


def find(folders: Sequence[Path], sut: str, backend: str) -> tuple[Path, str]:
    """Return the file of a SUT and the backend whose figures hold for it.

    Raises UsageError for a name that can't be a system's, and with the nearest name where there is none.
    """
    known = {path.stem: path for folder in folders for path in sorted((folder / "systems").glob("*.yaml"))}
    refuse_system_name(sut)
    name, chosen = sut, backend
    base, _, ending = sut.rpartition("-")
    if sut not in known and base in known and ending in BACKEND_ENDINGS:
        name, chosen = base, BACKEND_ENDINGS[ending]
    if name not in known:
        raise UsageError(f"there is no system '{sut}'", f"{nearest(sut, known)}; or write profiles/systems/{sut}.yaml")
    return known[name], chosen
