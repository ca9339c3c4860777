"""Flow control: one frame is in flight at a time, and the terminal acknowledges it.

After a frame the terminal is asked where its cursor is (`CSI 6n`); it answers when it has read the frame. Until then
further frames wait, and merge. A slow link then shows few but fresh frames instead of a growing queue of old ones.
A terminal that does not answer is left alone after a few questions.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

QUESTION = "\x1b[6n"

_ANSWER = re.compile(rb"\x1b\[\d{1,4};\d{1,4}R")
_BEGINNING = re.compile(rb"\x1b\[[\d;]*$")

_PATIENCE = 2.0
"""Seconds without an answer after which a frame counts as lost."""
_SLOWEST = 1000.0
"""Bytes per second of the slowest link worth waiting for: a large frame gets more time."""
_CHANCES = 3
"""Questions in a row without an answer after which none is asked any more."""
_SMOOTHING = 0.25


class Pace:
    """Decides when the next frame may be sent. Not thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: float | None = None
        """When the open question was asked."""
        self._patience = _PATIENCE
        self._late = 0
        """Answers that may still arrive after a timeout; they must not be taken for keys."""
        self._failures = 0
        self._held = b""
        self.link_ms: float | None = None
        """Milliseconds from a frame to its answer, smoothed; None before the first answer."""

    @property
    def asks(self) -> bool:
        """Whether a question goes with the next frame."""
        return self._failures < _CHANCES

    @property
    def waiting(self) -> bool:
        """Whether an answer is awaited."""
        return self._asked is not None

    def delay(self) -> float:
        """Return the seconds for which the next frame has to wait, if no answer comes before."""
        if self._asked is None:
            return 0.0
        left = self._asked + self._patience - self._clock()
        if left > 0:
            return left
        self._asked = None
        self._late += 1
        self._failures += 1
        return 0.0

    def sent(self, size: int) -> None:
        """Note that a frame of that many bytes went out, with a question."""
        self._asked = self._clock()
        self._patience = _PATIENCE + size / _SLOWEST

    def without_answers(self, data: bytes) -> bytes:
        """Remove the answers from terminal input and return the rest."""
        data = self._held + data
        self._held = b""
        while self._expects and (found := _ANSWER.search(data)):
            data = data[: found.start()] + data[found.end() :]
            self._answered()
        if self._expects and (beginning := _BEGINNING.search(data)):
            self._held = data[beginning.start() :]
            data = data[: beginning.start()]
        return data

    def held(self) -> bytes:
        """Return what looked like the beginning of an answer, when nothing came after it."""
        held, self._held = self._held, b""
        return held

    @property
    def _expects(self) -> bool:
        return self.waiting or self._late > 0

    def _answered(self) -> None:
        """Any answer releases the next frame: a late one shows as well that the terminal reads."""
        self._failures = 0
        if self._asked is None:
            self._late -= 1
            return
        took = 1000 * (self._clock() - self._asked)
        self._asked = None
        self.link_ms = took if self.link_ms is None else self.link_ms + _SMOOTHING * (took - self.link_ms)
