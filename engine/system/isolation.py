"""Start a Python that sees one folder of packages, inferdeck's own code and no other packages of this machine.

A virtual environment would need links and would break when it is moved. A folder on PYTHONPATH needs neither, and an
interpreter started without its site-packages (-S) finds no other package by accident.
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
"""Folder of the packages in an environment's folder."""
OURS = ("engine", "profiles")
"""The packages of inferdeck that run in one."""


class Environment(msgspec.Struct, frozen=True):
    """The fact `environment` of an artifact: the interpreter and the packages installed for it."""

    python: str
    """Path of the interpreter."""
    python_version: str
    packages: dict[str, str]
    """Name → version, of all packages."""


class PythonCommand(NamedTuple):
    """Command line and environment of a Python process."""

    words: tuple[str, ...]
    """The interpreter and its options; `-m module` follows."""
    environment: dict[str, str] | None
    """None: inherited from this process."""


def here() -> PythonCommand:
    """Start another Python in the same way as this one."""
    return PythonCommand((sys.executable, *(("-S",) if sys.flags.no_site else ())), None)


def within_environment(folder: Path, environment: Environment, ours: Path) -> PythonCommand:
    """Start the interpreter of the environment in `folder`. `ours` is a folder for links to inferdeck's own packages.

    Raises CannotRunError if the interpreter no longer exists.
    """
    if not Path(environment.python).exists():
        raise CannotRunError(
            f"the Python of this environment no longer exists: {environment.python}",
            f"install it again, or build another environment: inferdeck store remove {folder.parent.name}",
        )
    ours.mkdir(parents=True, exist_ok=True)
    root = Path(engine.__file__).parent.parent
    for name in OURS:
        link = ours / name
        if link.is_symlink() and link.readlink() != root / name:
            link.unlink()
        if not link.is_symlink():
            link.symlink_to(root / name)
    return PythonCommand((environment.python, "-S"), _variables(os.environ, (folder / SITE, ours)))


def _variables(now: Mapping[str, str], places: tuple[Path, ...]) -> dict[str, str]:
    kept = {name: value for name, value in now.items() if name not in ("PYTHONHOME", "PYTHONSTARTUP")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "PYTHONSAFEPATH": "1",  # don't search the working folder
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # don't write bytecode into the store
    }
