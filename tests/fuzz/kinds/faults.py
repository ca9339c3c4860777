"""Inputs that misbehave on purpose, to see that the runner finds it."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from engine.errors import DataError


def _raise() -> NoReturn:
    raise ZeroDivisionError("a fault")


def _refuse() -> NoReturn:
    raise DataError("a file is damaged", "get another")


def _escape() -> None:
    sys.stdout.write("red \x1b[31m\n")


def _bidi() -> None:
    sys.stderr.write("name \u202egnp.exe\n")


def _log() -> None:
    Path("screen.log").write_text("Traceback (most recent call last):\n")


def _eat() -> None:
    bytearray(b"x") * (700 << 20)


def _connect() -> None:
    socket.create_connection(("127.0.0.1", 9))


def _start() -> None:
    subprocess.run([sys.executable, "-m", "engine.jobs"], check=False)


def _sleep() -> None:
    time.sleep(60)


def _die() -> None:
    import os

    os._exit(3)


FAULTS: Sequence[tuple[str, Callable[[], None]]] = (
    ("", _refuse),
    ("ZeroDivisionError", _raise),
    (r"'\x1b' on stdout", _escape),
    (r"'\u202e' on stderr", _bidi),
    ("'Traceback' in a log", _log),
    ("memory", _eat),
    ("Forbidden", _connect),
    ("Forbidden", _start),
    ("hang", _sleep),
    ("the process died: 3", _die),
)
"""How the cause begins that the runner should find, and what is done."""


@dataclass(frozen=True)
class Fault:
    """A fault between two things that do nothing."""

    number: int
    parts: Sequence[str] = ("nothing", "the fault", "nothing")

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Do it, if the second part is among those kept."""
        del folder
        if 1 in kept:
            FAULTS[self.number][1]()
        return []


def make(chance: random.Random) -> Fault:
    """Return one of the faults."""
    return Fault(chance.randrange(len(FAULTS)))
