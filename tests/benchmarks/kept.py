"""What the side-by-side benchmark has measured: kept in a file, so that it can be measured in parts.

A figure is a list of values for each who was measured, a value a round: the same place in two lists is the same round.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from math import inf
from pathlib import Path
from statistics import median

import msgspec

from engine.harness.spec import Workers
from engine.mlperf import Scenario
from engine.store.files import sha256_of, write_atomic
from engine.system import detect
from engine.tuning.search import RateTrial
from tests.benchmarks.contestants import Candidate, Variant

BASELINE = "baseline"
PACKAGES = ("onnxruntime", "openvino", "mlcommons-loadgen", "numpy")


class Bare(msgspec.Struct, frozen=True):
    """One way of the exhaustive search."""

    candidate: Candidate
    samples_per_second: float
    mean_ms: float


class Tuning(msgspec.Struct, frozen=True):
    """What engine.tuning.tune chose."""

    workers: dict[Scenario, Workers]
    samples_per_second: float
    """The best that it measured."""
    seconds: float
    """Loading included."""


class Kept(msgspec.Struct):
    """All of it."""

    seconds: float
    """Of one run."""
    bound_ms: int
    """Of Server."""
    machine: str
    packages: dict[str, str]
    server_queries: int = 459
    """At least so many in a trial of Server; files that do not say had 459."""
    models: dict[str, str] = {}
    """Variant → SHA-256 of its model."""
    sweeps: dict[str, list[Bare]] = {}
    tuned: dict[str, Tuning] = {}
    figures: dict[str, dict[str, list[float]]] = {}
    """Figure → who → values."""
    searches: dict[str, list[list[RateTrial]]] = {}
    """Who → the searches in Server that have ended, each with its trials."""
    begun: dict[str, list[RateTrial]] = {}
    """Who → the trials of the search that has not."""

    def add(self, who: str, found: Mapping[str, float]) -> None:
        """Keep a value of each figure."""
        for figure, value in found.items():
            self.figures.setdefault(figure, {}).setdefault(who, []).append(value)

    def typical(self, figure: str, who: str) -> float | None:
        """Return the median of a figure; None where it was not measured."""
        values = self.figures.get(figure, {}).get(who)
        return median(values) if values else None

    def best_bare(self, variant: str) -> str | None:
        """Return who of a variant's bare loops was the best in Offline."""
        return max(self._bare("offline", variant), key=lambda name: self.typical("offline", name) or 0.0, default=None)

    def quickest_bare(self, variant: str) -> str | None:
        """Return who of a variant's bare loops was the best in SingleStream."""
        figure = "single mean"
        return min(self._bare(figure, variant), key=lambda name: self.typical(figure, name) or inf, default=None)

    def _bare(self, figure: str, variant: str) -> list[str]:
        return [name for name in self.figures.get(figure, {}) if name.startswith(bare(variant, ""))]


def ours(variant: Variant) -> str:
    """Return the name under which the harness's figures are kept."""
    return f"ours, {variant.name}"


def bare(variant: str, candidate: Candidate | str) -> str:
    """Return the name under which a bare loop's figures are kept."""
    return f"bare, {variant}, {candidate}"


def opened(path: Path | None, seconds: float, bound_ms: int, server_queries: int, variants: list[Variant]) -> Kept:
    """Read what was kept before, or begin anew. Ends the program where that was measured otherwise."""
    found = {name: _version(name) for name in PACKAGES}
    cpu = detect().cpu
    machine = f"{cpu.model}, {cpu.allowed_cores} cores"
    packages = {name: one for name, one in found.items() if one}
    new = Kept(seconds, bound_ms, machine, packages, server_queries=server_queries)
    if path is not None and path.exists():
        old = msgspec.json.decode(path.read_bytes(), type=Kept)
        if _circumstances(old) != _circumstances(new):
            sys.exit(
                f"{path} was measured under other circumstances: {_circumstances(old)}, now {_circumstances(new)}\n"
                "give another file, or the same options"
            )
        new = old
    for variant in variants:
        digest = sha256_of(variant.model)
        if new.models.setdefault(variant.name, digest) != digest:
            sys.exit(f"{path} was measured with another model for {variant.name}: remove it")
    return new


def _circumstances(kept: Kept) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in kept.packages.items())
    server = f"{kept.bound_ms} ms and {kept.server_queries} queries in Server"
    return f"runs of {kept.seconds:g} s, {server}, {kept.machine}, {packages}"


def save(kept: Kept, path: Path | None) -> None:
    """Write it, where there is a file for it."""
    if path is not None:
        write_atomic(path, msgspec.json.format(msgspec.json.encode(kept), indent=1))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
