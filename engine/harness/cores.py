"""The cores that a run may use, and which of them are real: two hardware threads of one core share its arithmetic."""

import os
from collections.abc import Sequence
from pathlib import Path

from engine.errors import RunError

_TOPOLOGY = Path("/sys/devices/system/cpu")


def usable() -> tuple[int, ...]:
    """Return the processors that this process may run on, in ascending order."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def physical(processors: Sequence[int], topology: Path = _TOPOLOGY) -> tuple[int, ...]:
    """Return the first processor of each physical core among `processors`; all where the system does not say."""
    chosen: dict[str, int] = {}
    for processor in processors:
        siblings = topology / f"cpu{processor}" / "topology" / "thread_siblings_list"
        core = siblings.read_text(encoding="ascii") if siblings.is_file() else str(processor)
        chosen.setdefault(core, processor)
    return tuple(chosen.values())


def pin(cores: Sequence[int]) -> None:
    """Keep the calling thread, and threads that it starts from now on, on these cores. None: nothing is changed.

    Raises RunError where the process may not use them or the operating system cannot pin.
    """
    if not cores:
        return
    try:
        os.sched_setaffinity(0, cores)
    except (AttributeError, OSError, ValueError) as error:
        raise RunError(
            f"cannot keep a session on the cores {list(cores)}: {error}",
            f"choose from the cores that this process may use: {list(usable())}; none leaves it to the system",
        ) from error
