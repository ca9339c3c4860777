"""Start a Python that sees one folder of packages, inferdeck's own code and nothing else of this machine.

A virtual environment would need links and would break when it is moved. A folder on PYTHONPATH needs neither, and an
interpreter that is told not to look for its site-packages (-S) finds no other package by accident.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

import engine
from engine.errors import CannotRunError

SITE = "site"
"""Where the packages are in an environment's folder."""
OURS = ("engine", "profiles")
"""The packages of inferdeck that run in one."""


class Environment(msgspec.Struct, frozen=True):
    """The fact `environment` of an artifact: the interpreter that its packages are for, and what they are."""

    python: str
    """Path of the interpreter."""
    python_version: str
    packages: dict[str, str]
    """Name → version, all of them."""


class Launch(NamedTuple):
    """How a Python is started."""

    words: tuple[str, ...]
    """The interpreter and its options; `-m module` follows."""
    environment: dict[str, str] | None
    """None: as this process has it."""


def here() -> Launch:
    """Start another Python as this one was started."""
    return Launch((sys.executable, *(("-S",) if sys.flags.no_site else ())), None)


def within(folder: Path, environment: Environment, ours: Path) -> Launch:
    """Start the interpreter of the environment in `folder`. `ours` is a folder for links to inferdeck's own packages.

    Raises CannotRunError where the interpreter is gone.
    """
    if not Path(environment.python).exists():
        raise CannotRunError(
            f"the Python of this environment is gone: {environment.python}",
            f"install it again, or let another environment be made: inferdeck store remove {folder.parent.name}",
        )
    ours.mkdir(parents=True, exist_ok=True)
    root = Path(engine.__file__).parent.parent
    for name in OURS:
        link = ours / name
        if link.is_symlink() and link.readlink() != root / name:
            link.unlink()
        if not link.is_symlink():
            link.symlink_to(root / name)
    return Launch((environment.python, "-S"), _variables(os.environ, (folder / SITE, ours)))


def _variables(now: Mapping[str, str], places: tuple[Path, ...]) -> dict[str, str]:
    kept = {name: value for name, value in now.items() if name not in ("PYTHONHOME", "PYTHONSTARTUP")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "PYTHONSAFEPATH": "1",  # the working folder is not searched
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # the store's files stay as they were published
    }
