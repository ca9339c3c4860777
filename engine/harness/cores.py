"""CPU topology: usable processors, physical cores, NUMA nodes, and thread affinity.

Two hardware threads of one core share its execution units; the cores of one NUMA node share its memory.
"""

import os
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from engine.errors import RunError, UsageError
from engine.system import cpu_quota

_TOPOLOGY = Path("/sys/devices/system/cpu")
_NODES = Path("/sys/devices/system/node")


def usable() -> tuple[int, ...]:
    """Return the processors that this process may run on, in ascending order."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def affordable() -> tuple[int, ...]:
    """Return the physical cores that this process can keep busy: limited by its CPU quota, at least one."""
    cores, quota = physical(usable()), cpu_quota()
    return cores if quota is None else cores[: max(int(quota), 1)]


def physical(processors: Sequence[int], topology: Path = _TOPOLOGY) -> tuple[int, ...]:
    """Return the first processor of each physical core among `processors`; all if the topology is unknown."""
    chosen: dict[str, int] = {}
    for processor in processors:
        siblings = topology / f"cpu{processor}" / "topology" / "thread_siblings_list"
        core = siblings.read_text(encoding="ascii") if siblings.is_file() else str(processor)
        chosen.setdefault(core, processor)
    return tuple(chosen.values())


def by_node(processors: Sequence[int], nodes: Path = _NODES) -> tuple[tuple[int, ...], ...]:
    """Return the processors by NUMA node, in the order of the nodes; all in one if the topology is unknown."""
    left, found = list(processors), []
    for path in sorted(nodes.glob("node[0-9]*/cpulist"), key=lambda one: int(one.parent.name.removeprefix("node"))):
        members = _listed(path.read_text(encoding="ascii"))
        found.append(tuple(one for one in left if one in members))
        left = [one for one in left if one not in members]
    return tuple(group for group in (*found, tuple(left)) if group)


def core_groups(nodes: Sequence[Sequence[int]], sessions: int, threads: int) -> tuple[tuple[int, ...], ...]:
    """Return adjacent cores for each session, of one node if it has enough; sessions are spread over nodes.

    Raises UsageError if there are not enough.
    """
    cores = sum(map(len, nodes))
    if sessions * threads > cores:
        raise UsageError(
            f"{sessions} sessions of {threads} threads do not fit {cores} cores", "choose fewer sessions or threads"
        )
    within = [_chunks(node, threads) for node in nodes]
    groups = [one for turn in zip_longest(*within) for one in turn if one]
    taken = {core for group in groups for core in group}
    across = _chunks([core for node in nodes for core in node if core not in taken], threads)
    return tuple([*groups, *across][:sessions])


def _chunks(cores: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Split into groups of equal size; the remainder is dropped."""
    return [tuple(cores[start : start + size]) for start in range(0, len(cores) - size + 1, size)]


def _listed(text: str) -> frozenset[int]:
    """Parse the kernel's list format: `0-3,8`."""
    members: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        if first:
            members.update(range(int(first), int(last if dash else first) + 1))
    return frozenset(members)


def pin(cores: Sequence[int]) -> None:
    """Pin the calling thread, and threads that it starts later, to these cores; an empty sequence changes nothing.

    Raises RunError if the process may not use them or the operating system does not support pinning.
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
