"""Run a command line in this process, as the `inferdeck` command would."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from engine.jobs import measuring

STATUSES = (0, 1, 2, 130)


def inferdeck(words: Sequence[str], home: Path) -> list[str]:
    """Run the words on a home; returns what is wrong with the exit status.

    What the process could not be given is left out.
    """
    from tui.main import main

    given = [os.fsdecode(os.fsencode(word.replace("\0", ""))) for word in map(_passable, words)]
    os.environ["INFERDECK_HOME"] = str(home)
    os.environ[measuring.VARIABLE] = str(home)
    status = main(given)
    return [] if status in STATUSES else [f"exit status {status!r}"]


def _passable(word: str) -> str:
    """Return what a shell could pass on: any bytes."""
    return word.encode("utf-8", "surrogateescape" if _escapes(word) else "surrogatepass").decode(
        "utf-8", "surrogateescape"
    )


def _escapes(word: str) -> bool:
    try:
        word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
