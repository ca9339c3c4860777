"""What an input is: independent parts. Any selection of them can be run, so a failing input can be made smaller."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, cast

SHARES = {"commands": 30, "homes": 24, "trees": 16, "profiles": 10, "data": 12, "logs": 6, "keys": 2}
"""Every kind, and how many of a hundred inputs are of it."""

SECONDS = {"keys": 30.0}
"""What an input may take, where it is not a command or two but a whole session with a screen."""
USUAL_SECONDS = 5.0


class Case(Protocol):
    """One input."""

    @property
    def parts(self) -> Sequence[object]:
        """What the input consists of; the text of each is shown when the input fails."""

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Run the parts with these indices in an empty folder; returns what is wrong with the outcome, if anything.

        Exceptions that should not be raised are let through.
        """


def make(kind: str, seed: int) -> Case:
    """Return the input of a kind that a seed stands for."""
    module = importlib.import_module(f"tests.fuzz.kinds.{kind}")
    maker = cast("Callable[[random.Random], Case]", module.make)
    return maker(random.Random(f"{kind} {seed}"))
