"""Other Python interpreters of this machine: a framework's version may have wheels for one of them only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

MINORS = (13, 12, 11)
"""LoadGen has wheels for CPython 3.11 to 3.13 only; the newest first."""

_SECONDS = 10
"""Timeout of an interpreter that prints its version."""

_ASK = "import sys; print(sys._base_executable, '.'.join(map(str, sys.version_info[:3])), sys.implementation.name)"


class Interpreter(msgspec.Struct, frozen=True):
    """A Python interpreter."""

    path: str
    """Of the interpreter itself, not of a virtual environment, which may be deleted."""
    version: str
    """3.12.1"""


def running() -> Interpreter:
    """Return the interpreter of this process."""
    base = getattr(sys, "_base_executable", sys.executable)
    return Interpreter(str(Path(base).resolve()), ".".join(map(str, sys.version_info[:3])))


def interpreters() -> Iterator[Interpreter]:
    """Yield the running Python, then others, one per minor version. Each is started once to check that it works."""
    first = running()
    yield first
    for minor in MINORS:
        if first.version.startswith(f"3.{minor}."):
            continue
        found = (asked(path) for path in _candidates(minor))
        yield from [one for one in found if one is not None and one.version.startswith(f"3.{minor}.")][:1]


def asked(path: Path) -> Interpreter | None:
    """Query a Python for its version; None if it can't be run (the shim of an inactive version)."""
    try:
        done = subprocess.run(
            [str(path), "-I", "-c", _ASK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    words = done.stdout.rstrip("\n").rsplit(" ", 2)
    return Interpreter(words[0], words[1]) if len(words) == 3 and words[2] == "cpython" else None


def _candidates(minor: int) -> Iterator[Path]:
    """Yield possible paths of Python 3.`minor`: on the path, then those of pyenv and of uv."""
    on_path = shutil.which(f"python3.{minor}")
    if on_path:
        yield Path(on_path)
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", home / ".local" / "share" / "uv" / "python"))
    for folder, pattern in ((pyenv, f"3.{minor}.*"), (uv, f"cpython-3.{minor}*")):
        for version in sorted(folder.glob(pattern), reverse=True):
            yield version / "bin" / f"python3.{minor}"
