"""Run the machine's own pip (or uv) and parse its output, including download progress."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from packaging.version import Version

Progress = Callable[[int, int], None]
"""Called with the bytes downloaded of the present file, and its size."""

_SETTINGS = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
"""Settings of the user's pip that prevent an installation into a folder."""
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_RAW_PROGRESS = Version("24.1")
"""The first pip with machine-readable progress."""


def progress_bar() -> str:
    """Return pip's progress bar setting: `raw` is machine-readable, if this pip supports it.

    Raises PackageNotFoundError if there is no pip.
    """
    return "raw" if Version(metadata.version("pip")) >= _RAW_PROGRESS else "off"


def run(words: Sequence[str], report: Progress, folder: Path | None = None) -> tuple[list[str], int]:
    """Run a command in a folder; return its output lines without download progress, and its exit status."""
    lines = []
    with subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, **_SETTINGS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if match := _PROGRESS.match(line):
                    report(int(match[1]), int(match[2]))
                else:
                    lines.append(line.rstrip("\n"))
        except BaseException:
            process.kill()
            raise
    return lines, process.returncode
