"""Shares the units of a larger tree among processes: one for each core, this one included.

The others are forks of this one, which start at once and share its memory. A process with more than one thread must not
be forked, so such a one checks alone. All take the next unit from one queue, so that a slow process holds up nobody; a
child that dies costs time and nothing else, for its units are then checked here.
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
from engine.submission.checker.findings import Outcome
from engine.submission.checker.results import check_units
from engine.submission.checker.walk import Unit
from engine.system import usable_cores

WORTH = 16
"""Units for which another process is worth its start."""
MOST = 4
"""Processes; each takes some 30 MB."""
_BYTES = 4
"""Of a number in the queue, and before each outcome, where it says how long that is."""


class _Work(msgspec.Struct):
    tree: Path
    rules: Round
    units: Sequence[Unit]
    strict: bool
    queue: int
    """A file in memory with the number of each unit: processes that are forks of each other share its position."""

    def __iter__(self) -> Iterator[tuple[int, Outcome]]:
        """Take units until none is left, and yield what comes of each with its number."""
        taken: list[int] = []

        def units() -> Iterator[Unit]:
            while number := os.read(self.queue, _BYTES):
                taken.append(int.from_bytes(number, "little"))
                yield self.units[taken[-1]]

        for outcome in check_units(self.tree, self.rules, units(), strict=self.strict):
            yield taken[-1], outcome


class _Sent(msgspec.Struct):
    number: int
    outcome: Outcome


_sent = msgspec.msgpack.Decoder(_Sent)


def share(
    tree: Path, rules: Round, units: Sequence[Unit], *, strict: bool, processes: int | None = None
) -> Iterator[Outcome]:
    """Yield what comes of each unit, in any order; from as many processes as are worth it, or as are given."""
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


def _gathered(work: _Work, children: Sequence[_Child]) -> Iterator[tuple[int, Outcome]]:
    """Work here, and pass on what the children send meanwhile and afterwards."""
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
    """Say whether this process may be forked: on Linux, with no other thread, of Python or of a library."""
    return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208


class _Child:
    """One more process of this program, at work from its beginning."""

    def __init__(self, work: _Work) -> None:
        reading, writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _send_all(work, writing)
        os.close(writing)
        self._pipe = os.fdopen(reading, "rb")
        self.ended = False

    def fileno(self) -> int:
        """The pipe to wait for."""
        return self._pipe.fileno()

    def receive(self) -> tuple[int, Outcome] | None:
        """Wait for an outcome and return it with its unit's number; None once no more will come."""
        length = self._pipe.read(_BYTES)
        data = self._pipe.read(int.from_bytes(length, "little"))
        if len(length) < _BYTES or len(data) < int.from_bytes(length, "little"):
            self.ended = True
            return None
        sent = _sent.decode(data)
        return sent.number, sent.outcome

    def end(self) -> None:
        """End the process, whether it is done or not."""
        self._pipe.close()
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _send_all(work: _Work, pipe: int) -> NoReturn:
    """Write each outcome into the pipe; then end the process without another word, whatever happens."""
    try:
        with os.fdopen(pipe, "wb") as out:
            for number, outcome in work:
                data = msgspec.msgpack.encode(_Sent(number, outcome))
                out.write(len(data).to_bytes(_BYTES, "little") + data)
                out.flush()
    finally:
        os._exit(0)
