"""Distribute the units of a large tree over processes: one per core, including this one.

Children are forks, which start at once and share memory. A process with several threads must not be forked, so it
checks alone. All take the next unit from one queue, so that a slow process delays nobody; the units of a child that
dies are checked again here.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from engine.profile.rounds import Round
from engine.submission.checker.findings import UnitOutcome
from engine.submission.checker.results import check_units
from engine.submission.checker.walk import Unit
from engine.system import usable_cores

WORTH = 16
"""Number of units for which another process is worth its start."""
MOST = 4
"""Maximum number of processes; each takes some 30 MB."""
_BYTES = 4
"""Size of a number in the queue, and of the length prefix of each outcome."""


class _Work(msgspec.Struct):
    tree: Path
    rules: Round
    units: Sequence[Unit]
    strict: bool
    queue: int
    """Create an in-memory file with the number of each unit: forked processes share its position."""

    def __iter__(self) -> Iterator[tuple[int, UnitOutcome]]:
        """Take units until none is left, and yield each one's outcome with its number."""
        taken: list[int] = []

        def units() -> Iterator[Unit]:
            while number := os.read(self.queue, _BYTES):
                taken.append(int.from_bytes(number, "little"))
                yield self.units[taken[-1]]

        for outcome in check_units(self.tree, self.rules, units(), strict=self.strict):
            yield taken[-1], outcome


class _Sent(msgspec.Struct):
    number: int
    outcome: UnitOutcome


_sent = msgspec.msgpack.Decoder(_Sent)


def share(
    tree: Path, rules: Round, units: Sequence[Unit], *, strict: bool, processes: int | None = None
) -> Iterator[UnitOutcome]:
    """Yield the outcome of each unit, in any order, from as many processes as are worthwhile or given."""
    count = processes if processes is not None else min(_cores(), MOST, 1 + len(units) // WORTH)
    if count <= 1 or not can_fork():
        yield from check_units(tree, rules, units, strict=strict)
        return
    queue = os.memfd_create("units")
    children: list[_Child] = []
    left = set(range(len(units)))
    try:
        os.write(queue, b"".join(number.to_bytes(_BYTES, "little") for number in left))
        os.lseek(queue, 0, os.SEEK_SET)
        work = _Work(tree, rules, units, strict, queue)
        children = [_Child(work) for _ in range(count - 1)]
        for number, outcome in _gathered(work, children):
            left.discard(number)
            yield outcome
    finally:
        os.close(queue)
        for child in children:
            child.end()
    yield from check_units(tree, rules, [units[number] for number in sorted(left)], strict=strict)


def _gathered(work: _Work, children: Sequence[_Child]) -> Iterator[tuple[int, UnitOutcome]]:
    """Work here, forwarding what the children send meanwhile and afterwards."""
    for mine in work:
        yield mine
        while readable := select.select([child for child in children if not child.ended], [], [], 0)[0]:
            yield from (sent for child in readable if (sent := child.receive()) is not None)
    for child in children:
        while (sent := child.receive()) is not None:
            yield sent


def _cores() -> int:
    return usable_cores()


def can_fork() -> bool:
    """Return whether this process may be forked: on Linux, with a single thread in Python and its libraries."""
    return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208


class _Child:
    """A forked process that works on units."""

    def __init__(self, work: _Work) -> None:
        reading, writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _send_all(work, writing)
        os.close(writing)
        self._pipe = os.fdopen(reading, "rb")
        self.ended = False

    def fileno(self) -> int:
        """Return the descriptor of the pipe to wait for."""
        return self._pipe.fileno()

    def receive(self) -> tuple[int, UnitOutcome] | None:
        """Wait for an outcome and return it with its unit's number; None once no more will come."""
        length = self._pipe.read(_BYTES)
        data = self._pipe.read(int.from_bytes(length, "little"))
        if len(length) < _BYTES or len(data) < int.from_bytes(length, "little"):
            self.ended = True
            return None
        sent = _sent.decode(data)
        return sent.number, sent.outcome

    def end(self) -> None:
        """End the process, whether it has finished or not."""
        self._pipe.close()
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _send_all(work: _Work, pipe: int) -> NoReturn:
    """Write each outcome into the pipe; then exit without cleanup, whatever happens."""
    try:
        with os.fdopen(pipe, "wb") as out:
            for number, outcome in work:
                data = msgspec.msgpack.encode(_Sent(number, outcome))
                out.write(len(data).to_bytes(_BYTES, "little") + data)
                out.flush()
    finally:
        os._exit(0)
