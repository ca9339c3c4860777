"""Diagnose why a process ended, from its exit status and last output: out of memory, a signal, or a bug."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from engine.errors import RunError
from engine.text import clean, cut

OUT_OF_MEMORY = (
    "std::bad_alloc",
    "bad allocation",
    "Insufficient memory",
    "Failed to allocate memory",
    "Unable to allocate",
    "MemoryError",
    "Cannot allocate memory",
    "CUDA_ERROR_OUT_OF_MEMORY",
    "out of memory",
    "OOM when allocating",
)
"""Out-of-memory messages of the C++ library, OpenCV, ONNX Runtime, numpy, Python, the kernel, CUDA and TensorFlow."""

LONGEST = 400
"""Characters of a line that are shown."""

_MEMORY_REMEDY = "free some memory, or use fewer sessions, a smaller batch or smaller samples"


def crash(who: str, status: int, said: Sequence[str], log: str) -> RunError:
    """Return the error for a process that ended abnormally.

    `status` is as subprocess gives it, negative for a signal; `said` are the last lines of its output, and `log` is the
    file with all of it.
    """
    lines = [cut(clean(line.strip()), LONGEST) for line in said if line.strip()]
    memory = next((line for line in reversed(lines) if any(word in line for word in OUT_OF_MEMORY)), "")
    number = -status if status < 0 else status - 128 if status > 128 else 0
    if memory:
        return RunError(f"{who} ran out of memory: {memory}", f"{_MEMORY_REMEDY}; the whole story is in {log}")
    if number == signal.SIGKILL:
        return RunError(f"{who} was killed by SIGKILL", f"often the memory ran out, dmesg tells: {_MEMORY_REMEDY}")
    if status < 0:
        return RunError(f"{who} ended by signal {number} ({_name(number)})", f"the whole story is in {log}")
    last = f": {lines[-1]}" if lines else " and said nothing"
    return RunError(f"{who} ended with status {status}{last}", f"the whole story is in {log}")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "of no name"
