"""Run configurations of systems under test: what rate to ask for, or what latency to expect, per benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from engine.errors import UsageError, nearest
from engine.profile import document, typed

BACKEND_ENDINGS = {"onnxruntime": "onnxruntime", "ort": "onnxruntime", "tf": "tensorflow", "tensorflow": "tensorflow"}
"""Endings of a SUT name that pick the configuration of a backend: `gcp-n2-standard-80-tf`."""


class System(msgspec.Struct, frozen=True, kw_only=True):
    """The run configuration of one system."""

    targets: Literal["configured", "measured"]
    """`measured`: what is measured at start goes before these figures, which are only placeholders."""
    description: dict[str, str | int | float | bool] = {}
    """The fields of the rules' system description; empty where nobody has described it."""
    detected: bool = False
    """Fields that the description leaves out are read off the machine that a submission is built on."""
    runs: dict[str, dict[str, dict[str, float]]]
    """Backend → benchmark → scenario → target: queries/s for Server and Offline, ms for the other two."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What one system says of one benchmark on one backend."""

    system: str
    backend: str
    targets: Literal["configured", "measured"]
    figures: dict[str, float]
    """By scenario."""
    file: str


def load_system(path: Path) -> System:
    """Read a system. Raises ProfileError with file, line, place and the nearest valid spelling."""
    return typed.build(document.read(path), System)


def configuration(folders: Sequence[Path], sut: str, benchmark: str, backend: str) -> Configuration:
    """Find the run configuration of a SUT; a name may end in a backend, and a later folder wins over an earlier.

    Raises UsageError with the nearest name where there is none, ProfileError where the file is wrong.
    """
    path, chosen = find(folders, sut, backend)
    system = load_system(path)
    return Configuration(
        system=path.stem,
        backend=chosen,
        targets=system.targets,
        figures=system.runs.get(chosen, {}).get(benchmark, {}),
        file=str(path),
    )


def find(folders: Sequence[Path], sut: str, backend: str) -> tuple[Path, str]:
    """Return the file of a SUT and the backend whose figures hold for it.

    Raises UsageError with the nearest name where there is none.
    """
    known = {path.stem: path for folder in folders for path in sorted((folder / "systems").glob("*.yaml"))}
    name, chosen = sut, backend
    base, _, ending = sut.rpartition("-")
    if sut not in known and base in known and ending in BACKEND_ENDINGS:
        name, chosen = base, BACKEND_ENDINGS[ending]
    if name not in known:
        raise UsageError(f"there is no system '{sut}'", f"{nearest(sut, known)}; or write profiles/systems/{sut}.yaml")
    return known[name], chosen
