"""What an exploration consists of: axes, points, objectives, constraints, finished trials. No file is read here."""

from __future__ import annotations

from typing import Literal

import msgspec

Point = tuple[tuple[str, str], ...]
"""One choice of values: (axis name, value) in the order of the space's axes, only of the axes that exist there."""

State = Literal["valid", "valid if longer", "breaks", "failed", "refused"]
"""`valid`: LoadGen calls it VALID and every constraint holds. `valid if longer`: only the shortness of the trial stands
against it. `breaks`: a latency constraint, accuracy target or constraint of the exploration is broken. `failed`: the
trial ended without its figures. `refused`: resolution or survey refuses the combination, so it was never run."""


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """A choice that is varied."""

    name: str
    """As typed: precision, backend, workers.max_batch."""
    values: tuple[str, ...]
    """In the order as typed; of a number in ascending order."""
    is_number: bool = False
    """Whether the order and distance of values mean something to a search."""
    only_with: tuple[tuple[str, frozenset[str]], ...] = ()
    """(other axis, its values) pairs that must all hold for this axis to exist; empty: it exists everywhere."""


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a trial that is to be as high or as low as possible."""

    key: str
    """As typed and as in `Trial.figures`: Offline, accuracy, peak_memory."""
    title: str
    unit: str
    maximize: bool


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """A bound that a figure has to keep."""

    key: str
    at_least: bool
    """Whether the bound is a lower one."""
    bound: float

    def holds(self, figure: float) -> bool:
        """Whether a figure keeps the bound; the bound itself does."""
        return figure >= self.bound if self.at_least else figure <= self.bound


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One finished trial of a point."""

    number: int
    """From 1, in the order in which trials ended."""
    point: Point
    state: State
    reason: str = ""
    """Why it is not valid; empty where it is."""
    figures: dict[str, float] = {}
    """By the keys of objectives and constraints, in their units."""
    stage: int = 0
    """0 for the short runs that rank, higher for longer runs of finalists."""
    session: int = 0
    """Counts starts of the exploration's process: figures of two sessions may differ by drift alone."""
    purpose: Literal["search", "repeat", "baseline", "promoted", "reused"] = "search"
    started: float = 0.0
    """Seconds since the epoch."""
    seconds: float = 0.0
    """Duration, waiting for the machine excluded."""
    job: str = ""
    """Id of its job, of a pool with the SUT where it is: `sut-a:r-0001`. Empty for a refused point."""
    note: str = ""
    """What may have changed its figures: other work on the machine. Empty where nothing is known."""

    @property
    def sut(self) -> str:
        """The SUT of a pool that made it; empty: this machine."""
        return self.job.rpartition(":")[0]
