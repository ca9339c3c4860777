"""Run the installed `inferdeck` command as a user does, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SHORT = ("--min_duration_ms=200", "--min_query_count=24", "--adr.workers.seconds=1")
"""Few queries: these tests look at files and figures, not at speed."""


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    """Start `inferdeck WORDS`."""
    environment = {**os.environ, "INFERDECK_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-m", "engine.cli.main", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def inferdeck(home: Path, *words: str, timeout: float = 900) -> tuple[int, str, str]:
    """Run `inferdeck WORDS`; return status, output and errors."""
    with start(home, *words) as process:
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err


def measured(home: Path, *words: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Run a job with --json and return its results by scenario and mode; fails the test if the job failed."""
    status, out, err = inferdeck(home, *words, "--json")
    assert status == 0, f"{out}\n{err}"
    return {(one["scenario"], one["mode"]): one for one in json.loads(out)["results"]}
