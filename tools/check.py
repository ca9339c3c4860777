"""Run what CI runs, piece by piece: `python -m tools.check [lint format types tests]`, all of them without a name.

`coverage` runs the tests and prints which lines they leave out. It is no piece of CI: before Python 3.12 tracing
nearly doubles the time of the tests (1.9 times, measured with 3.11).

Every piece runs, whatever came of those before it; the exit status says whether all were good.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence

PIECES: Mapping[str, Sequence[str]] = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "tests": ("pytest", "-q", "-n", "auto"),
}
"""What each piece runs: a module of this environment and its arguments."""

COVERAGE: Sequence[str] = (*PIECES["tests"], "--cov=engine", "--cov=tui", "--cov-report=term:skip-covered")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the pieces that are named, or all; returns 0 where all were good."""
    known = {**PIECES, "coverage": COVERAGE}
    parser = argparse.ArgumentParser(prog="python -m tools.check", description="Run what CI runs, piece by piece.")
    parser.add_argument("pieces", nargs="*", metavar="PIECE", help=", ".join(known))
    chosen = parser.parse_args(argv).pieces or list(PIECES)
    unknown = [name for name in chosen if name not in known]
    if unknown:
        parser.error(f"there is no piece '{unknown[0]}': {', '.join(known)}")
    failed = [name for name in chosen if not _passes(known[name])]
    sys.stdout.write(f"failed: {', '.join(failed)}\n" if failed else "all good\n")
    return bool(failed)


def _passes(command: Sequence[str]) -> bool:
    sys.stdout.write(f"+ {' '.join(command)}\n")
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", *command], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
