"""Run configurations of systems under test: target rates and expected latencies per benchmark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

import profiles
from engine.errors import UsageError, nearest
from engine.profile import document, edit, typed
from engine.profile.names import refuse_system_name

BACKEND_ENDINGS = {"onnxruntime": "onnxruntime", "ort": "onnxruntime", "tf": "tensorflow", "tensorflow": "tensorflow"}
"""Suffixes of a SUT name that select the configuration of a backend: `gcp-n2-standard-80-tf`."""


Positive = Annotated[float, Meta(gt=0, le=1e9)]
"""A rate or a latency: positive and finite."""


Microseconds = Annotated[int, Meta(ge=0, le=3_600_000_000)]


class FoundTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A target that a search found on this system, with its confidence."""

    target: Positive
    """In the unit of `runs`. If the two differ, the configured figure was changed later, and this is history."""
    date: str
    """Date of the search, 2026-11-23."""
    trials: int
    repeats: int
    """How many trials had this result; with one it is not confirmed."""
    invalid: int = 0
    """Server: how many trials of this target were not valid because of disturbances."""
    refused: float | None = None
    """Server: the lowest rate that was not more often valid than invalid."""
    spread: float | None = None
    """Of the repeats: (largest - smallest) / smallest."""
    trial_seconds: float
    """LoadGen's test duration in each trial; valid runs are longer."""
    model: str
    """SHA-256 of the model: for another one the target is meaningless."""
    versions: dict[str, str]
    """Of inferdeck, LoadGen and the backend."""
    disturbed: str = ""
    """How other work may have changed it, as a sentence; empty if it did not."""

    def confidence(self) -> str:
        """Return the confidence of the target as a sentence."""
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
    """Workers of one scenario (engine.harness.spec.Workers), and their measured performance."""

    sessions: Annotated[int, Meta(ge=1, le=4096)]
    intra_op_threads: Annotated[int, Meta(ge=1, le=4096)]
    max_batch: Annotated[int, Meta(ge=1, le=65536)]
    queue_wait_us: Microseconds = 0
    batch_us: tuple[Microseconds, ...] = ()
    max_cost: Annotated[int, Meta(ge=0, le=1 << 53)] = 0
    cost_us: tuple[tuple[Annotated[int, Meta(ge=0, le=1 << 53)], Microseconds], ...] = ()
    cores: tuple[tuple[Annotated[int, Meta(ge=0, le=65535)], ...], ...] = ()
    batch_ms: Positive
    """Time of a batch while all sessions are busy."""
    samples_per_second: Positive
    parts: Annotated[float, Meta(ge=0)] = 0.0
    """Runs of the model that a sample takes, where all sessions work on a sample together."""


class Tuning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The best workers of a system for one model, as measured by `_tune`."""

    date: str
    """Date of the measurement, 2026-11-28."""
    seconds: float
    """Duration of the measurement."""
    cores: int
    """Usable cores: for another number it is meaningless."""
    quota: float = 0
    """CPU quota of the container in cores; 0 is no limit. For another quota it is meaningless."""
    model: str
    """SHA-256 of the model: for another one it is meaningless."""
    versions: dict[str, str]
    """Of inferdeck and the backend: for another version of the backend it is meaningless."""
    server_qps: Annotated[float, Meta(ge=0, le=1e9)]
    """Rate that Server should reach within its latency constraint; 0 if it can't meet it."""
    bound_ms: Positive
    """Server's latency constraint."""
    scenarios: dict[str, TunedWorkers]
    server_slower: float = 0.0
    """How many times as long a batch of Server may take in a run; 0 if not measured."""
    disturbed: str = ""
    """How other work may have changed it, as a sentence; empty if it did not."""


Targets = dict[str, dict[str, dict[str, Positive]]]


class System(msgspec.Struct, frozen=True, kw_only=True):
    """The run configuration of one system."""

    targets: Literal["configured", "measured"]
    """`measured`: measurements at the start of a run override these figures, which are placeholders."""
    description: dict[str, str | int | float | bool] = {}
    """The fields of the rules' system description; empty if the system is not described."""
    detected: bool = False
    """Missing fields of the description are read from the machine that builds the submission."""
    runs: Targets
    """Backend → benchmark → scenario → target: queries/s for Server and Offline, ms for the other two."""
    found: dict[str, dict[str, dict[str, FoundTarget]]] = {}
    """For figures in `runs` that a search wrote: they are valid whatever `targets` says."""
    tuned: dict[str, dict[str, Tuning]] = {}
    """Backend → benchmark → workers."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """A system's run configuration for one benchmark on one backend."""

    system: str
    backend: str
    """The backend of these figures."""
    figures: dict[str, float]
    """By scenario, without placeholders."""
    found: dict[str, FoundTarget]
    """By scenario, where a search found the figure."""
    tuned: Tuning | None = None
    file: str


def load_system(path: Path) -> System:
    """Read a system. Raises ProfileError with file, line, key path and the nearest valid spelling."""
    return _system(document.read(path))


def _system(top: document.Value) -> System:
    for name, value in _description(top):
        _refuse_misread(name, value)
    return typed.build(top, System)


@dataclass(frozen=True)
class Description:
    """The description of a system, with the source positions of its fields."""

    name: str
    path: str
    fields: Mapping[str, Any]
    places: Mapping[str, str]
    """Field → file, line and key."""

    def place(self, field: str) -> str:
        """Return file, line and key of a field; the file alone if the field is missing."""
        return self.places.get(field, self.path)


def describer(folders: Sequence[Path]) -> Callable[[str], Description]:
    """Return a function that reads the description of a system by its name; `folders` are the profile folders.

    It raises UsageError for an unknown system, and ProfileError for an invalid file.
    """

    def describe(sut: str) -> Description:
        path, _ = find(folders, sut, "")
        top = document.read(path)
        places = {name: str(value.place) for name, value in _description(top)}
        return Description(path.stem, str(path), _system(top).description, places)

    return describe


def _description(top: document.Value) -> list[tuple[str, document.Value]]:
    found = dict(top.items()).get("description")
    return [] if found is None else found.items()


def _refuse_misread(name: str, value: document.Value) -> None:
    """Raise ProfileError if YAML reads a field as something else than written: no, 0123, 1.10, an empty value."""
    plain, written = value.plain(), str(value.node.value)
    if plain is None:
        raise value.wrong("there is no value", "write the value, or '' for an empty one")
    if isinstance(plain, bool):
        misread = name != "is_network" or written.lower() not in ("true", "false")
    else:
        misread = isinstance(plain, int | float) and str(plain) != written
    if misread:
        seen = str(plain).lower() if isinstance(plain, bool) else plain
        raise value.wrong(f"without quotes, YAML reads {written} as {seen}", f"put it in quotes: {name}: '{written}'")


def configuration(folders: Sequence[Path], sut: str, benchmark: str, backend: str) -> Configuration:
    """Find the run configuration of a SUT; a name may end in a backend, and a later folder overrides an earlier.

    Raises UsageError with the nearest name if there is none, ProfileError if the file is invalid.
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
    """Return the file to change for the system at `path`: for a shipped one, a copy among the user's own."""
    return own / "systems" / path.name if path.is_relative_to(profiles.FOLDER) else path


def with_target(text: str, place: tuple[str, str, str], found: FoundTarget) -> str:
    """Return the text of a system's file with a found target, all else unchanged.

    `place` is backend, benchmark and scenario. `text` is a valid system file.
    """
    text = edit.put(text, ("runs", *place), found.target)
    return edit.put(text, ("found", *place), msgspec.to_builtins(found))


def with_tuning(text: str, place: tuple[str, str], tuning: Tuning) -> str:
    """Return the text of a system's file with tuned workers, all else unchanged; `place`: backend, benchmark."""
    return edit.put(text, ("tuned", *place), msgspec.to_builtins(tuning))


def find(folders: Sequence[Path], sut: str, backend: str) -> tuple[Path, str]:
    """Return the file of a SUT and the backend of its figures.

    Raises UsageError for an invalid system name, and with the nearest name if there is none.
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
