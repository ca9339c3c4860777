"""Open a file in the user's pager or editor, which takes over the terminal until it ends."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Literal

from engine.errors import UsageError

ProgramVariable = Literal["PAGER", "EDITOR"]
_DEFAULT = {"PAGER": "less", "EDITOR": "vi"}


def open_file(path: Path, variable: ProgramVariable) -> None:
    """Run the program that the environment variable names, or a default, on the file. Raises UsageError."""
    try:
        program = shlex.split(os.environ.get(variable, "")) or [_DEFAULT[variable]]
        subprocess.run([*program, str(path)], check=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"the program for ${variable} can't be started: {error}", f"set ${variable}") from None
