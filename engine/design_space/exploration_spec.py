"""What an exploration is asked to do, written once as `exploration.json` in its folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from engine import codec
from engine.design_space.axis_words import axis_text
from engine.design_space.exploration_folders import SPEC_FILE
from engine.design_space.objectives import Limit, needs_accuracy
from engine.design_space.trials import Axis, Objective, Point
from engine.errors import JobError, UsageError
from engine.store.files import explained, read_plain, write_atomic

VERSION = 1
LONGEST = 16 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Sampler = Literal["grid", "random", "sobol", "tpe"]

BASELINE_EVERY = 8
"""Trials after which the default point is measured again."""
LONGER = 5.0
"""Factor by which the runs of finalists are longer, where nothing else is asked for."""


class ExplorationSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is varied, what is wanted, and what it may cost."""

    version: int = VERSION
    name: str
    words: tuple[str, ...]
    """The base selection, as the arguments of `inferdeck run`."""
    profiles: tuple[str, ...] = ()
    axes: tuple[Axis, ...]
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...] = ()
    sampler: Sampler = "grid"
    seed: int = 0
    budget: float | None = None
    """Seconds in all; None for no limit."""
    trials: int | None = None
    """Maximum number of trials; None for no limit."""
    seconds: float | None = None
    """Minimum duration of the short runs that rank; None is that of the run style."""
    final_seconds: float | None = None
    """Minimum duration of the runs of finalists; None: there are none."""
    baseline_every: int = BASELINE_EVERY
    again: bool = False
    """Measure every point, also those that were measured before."""
    pool: str = ""
    """Folder of the pool whose SUTs measure; empty: this machine does."""
    created: float = 0.0
    default: Point = ()
    """The point of the base selection."""
    added: tuple[str, ...] = ()
    """Axes that were added after trials had been made: these stand at the default there."""
    size: int = 0
    """Number of points, refused ones included."""
    expected: float = 0.0
    """Seconds of a short trial, as long as none was measured."""
    machine: dict[str, str] = {}
    versions: dict[str, str] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of every figure that is needed."""
        return tuple(dict.fromkeys([*(one.key for one in self.objectives), *(one.key for one in self.limits)]))

    @property
    def with_accuracy(self) -> bool:
        """Whether an accuracy run is needed."""
        return needs_accuracy(self.keys)

    @property
    def command(self) -> tuple[str, ...]:
        """Arguments after `inferdeck` that start it or go on with it."""
        ways = {True: "max:", False: "min:"}
        optional: Mapping[str, object] = {
            "budget": time_text(self.budget) if self.budget else None,
            "trials": self.trials,
            "seconds": None if self.seconds is None else f"{self.seconds:g}",
            "final-seconds": None if self.final_seconds is None else f"{self.final_seconds:g}",
        }
        return (
            "explore",
            *self.words,
            *(f"--profiles={one}" for one in self.profiles),
            *(f"--axis={axis_text(one)}" for one in self.axes),
            *(f"--objective={ways[one.maximize]}{one.key}" for one in self.objectives),
            *(f"--constraint={one.text}" for one in self.limits if not one.why),
            f"--sampler={self.sampler}",
            f"--seed={self.seed}",
            *(f"--{name}={value}" for name, value in optional.items() if value is not None),
            *(["--again"] if self.again else []),
            *([f"--pool={self.pool}"] if self.pool else []),
            f"--name={self.name}",
        )


def time_text(seconds: float) -> str:
    """Return a time as it is written: 45m, 90s."""
    units = ((3600, "h"), (60, "m"))
    return next((f"{seconds / size:g}{unit}" for size, unit in units if seconds % size == 0), f"{seconds:g}s")


def refuse_name(name: str) -> None:
    """Raise UsageError for a name that can't be that of a folder."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' can't be the name of an exploration", "letters, digits, '.', '_' and '-', 64 at most"
        )


def read_exploration_spec(folder: Path) -> ExplorationSpec:
    """Read what an exploration is asked to do. Raises JobError where the file is missing, damaged or too new."""
    path = folder / SPEC_FILE
    try:
        found = codec.decode(read_plain(path, LONGEST), type=ExplorationSpec)
    except FileNotFoundError:
        raise JobError(f"there is no exploration {folder.name}", "inferdeck explore list names them") from None
    except OSError as error:
        raise explained(error, path) from None
    except msgspec.DecodeError as error:
        raise JobError(f"{path} is not an exploration: {error}", f"start a new one, and remove {folder}") from None
    if found.version > VERSION:
        raise JobError(f"{path} was written by a later inferdeck", "use that version, or start a new exploration")
    return found


def write_exploration_spec(folder: Path, spec: ExplorationSpec) -> None:
    """Write it, replacing an earlier one whole."""
    write_atomic(folder / SPEC_FILE, codec.encode(spec, indent=1) + b"\n")
