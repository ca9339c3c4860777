"""How long a person waits for the first line: process start to exit of light commands."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from statistics import median
from time import perf_counter

TURNS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "inferdeck --help": ["-m", "engine.cli.main", "--help"],
    "inferdeck plan --help": ["-m", "engine.cli.main", "plan", "--help"],
    "inferdeck jobs": ["-m", "engine.cli.main", "jobs"],
    "inferdeck plan (demo)": ["-m", "engine.cli.main", "plan", "--recipe=demo"],
}


def main(_arguments: list[str]) -> None:
    """Print median seconds, and the ratio to a bare interpreter."""
    with tempfile.TemporaryDirectory() as home:
        bare = 0.0
        for name, words in COMMANDS.items():
            seconds = median(timed([sys.executable, *words], home) for _ in range(TURNS))
            bare = bare or seconds
            print(f"{name:24} {seconds * 1e3:7.1f} ms   {seconds / bare:5.1f} x bare python")


def timed(words: list[str], home: str) -> float:
    """Return the seconds that a command takes."""
    start = perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=True, env={"INFERDECK_HOME": home})
    return perf_counter() - start
