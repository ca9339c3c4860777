"""An exploration as its reports and its screen read it: what is asked, what was measured, and under what conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.design_space.trials import Axis, Constraint, Objective, Point, Trial

CONFIDENCE = 0.95
"""Of the intervals that are shown and of what is said to be dominated."""


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """The state of an exploration at one moment; everything is plain data, nothing is read from a disk."""

    name: str
    axes: tuple[Axis, ...]
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()
    trials: tuple[Trial, ...] = ()
    """In the order in which they ended; those of refused points may be among them."""
    refused: Mapping[Point, str] = field(default_factory=dict)
    """Points that resolution or survey refuses → the reason."""
    default: Point | None = None
    """The point that is measured without any choice; the baseline of drift, and what others are compared with."""
    command: tuple[str, ...] = ()
    """Arguments after `inferdeck` that start or go on with the exploration."""
    commands: Mapping[Point, tuple[str, ...]] = field(default_factory=dict)
    """Arguments after `inferdeck` that measure a point again; a point may be missing."""
    machine: Mapping[str, str] = field(default_factory=dict)
    """Name → description: processor, cores, memory, operating system."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Name of a package → its version."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Name → value of what all trials have in common: sampler, seed, duration of a trial, frequency governor."""
    budget: float | None = None
    """Seconds that may be spent in all; None for no limit."""
    size: int | None = None
    """Number of points in the space that are not refused, where it was counted."""
    sessions: Mapping[int, float] = field(default_factory=dict)
    """Session → its start, in seconds since the epoch."""
    left_out: tuple[str, ...] = ()
    """What the budget leaves out, a line each."""
    state: str = ""
    """`running`, `finished` or why it stopped."""

    @property
    def points(self) -> tuple[Point, ...]:
        """The points that have a trial other than a refused one, in the order of their first."""
        return tuple(dict.fromkeys(trial.point for trial in self.trials if trial.state != "refused"))

    @property
    def measuring_seconds(self) -> float:
        """Seconds that its own trials took in all; points measured before are free."""
        return sum(trial.seconds for trial in self.trials if trial.purpose != "reused")
