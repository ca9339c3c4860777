"""Run the machine's own pip (or uv) and read what it says, its downloads included."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from packaging.version import Version

Report = Callable[[int, int], None]
"""Gets the bytes that have come of the file that is being fetched, and its size."""

_SETTINGS = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
"""What a person's own pip may be set to and what no folder of ours can be installed with."""
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_RAW_PROGRESS = Version("24.1")
"""The first pip that tells its progress in plain lines."""


def progress_bar() -> str:
    """Return how pip is to tell of its downloads: `raw` can be read, where this pip knows it.

    Raises PackageNotFoundError where there is no pip.
    """
    return "raw" if Version(metadata.version("pip")) >= _RAW_PROGRESS else "off"


def run(words: Sequence[str], report: Report, folder: Path | None = None) -> tuple[list[str], int]:
    """Run a command in a folder; return its lines, less those about downloads, and its status."""
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
