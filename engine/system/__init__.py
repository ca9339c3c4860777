"""Detect this machine: without root, without side effects, and fast enough for every start."""

import os
import platform
import resource
import shutil
import subprocess
from pathlib import Path

from engine.system.description import Cache, Cpu, Gpu, MachineDescription, Memory, OperatingSystem, Storage

__all__ = [
    "Cache",
    "Cpu",
    "Gpu",
    "MachineDescription",
    "Memory",
    "OperatingSystem",
    "Storage",
    "cpu_quota",
    "detect",
    "disk_free",
    "free_memory",
    "memory_room",
    "storage",
    "usable_cores",
]

ROOT = Path("/")
SECONDS = 5
"""Timeout of a program that prints its version."""


def detect(deep: bool = False) -> MachineDescription:
    """Return this machine's properties. `deep` also starts programs: compilers, and nvidia-smi for the memory.

    On Linux and on macOS; unknown properties keep the fields' defaults.
    """
    cpu, memory, system, gpus = _read()
    return MachineDescription(
        hostname=platform.node(),
        cpu=cpu,
        memory=memory,
        os=system,
        python=platform.python_version(),
        gpus=(_nvidia_smi() or gpus) if deep else gpus,
        compilers=_compilers() if deep else {},
    )


def _read() -> tuple[Cpu, Memory, OperatingSystem, tuple[Gpu, ...]]:
    if platform.system() == "Darwin":
        from engine.system import macos  # noqa: PLC0415  (each reads what only its own system has)

        return macos.cpu(), macos.memory(), macos.operating_system(), ()
    from engine.system import linux  # noqa: PLC0415

    return linux.cpu(ROOT), linux.memory(ROOT), linux.operating_system(ROOT), linux.gpus(ROOT)


def cpu_quota() -> float | None:
    """Return the CPU quota of this process's control groups in cores; None is no limit."""
    if platform.system() != "Linux":
        return None
    from engine.system import linux  # noqa: PLC0415

    return linux.quota(ROOT)


def usable_cores() -> int:
    """Return the logical cores worth a thread of this process: its affinity, limited by the quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def memory_room() -> int | None:
    """Return how many more bytes this process's control groups allow; None is no limit."""
    if platform.system() != "Linux":
        return None
    from engine.system import linux  # noqa: PLC0415

    return linux.memory_room(ROOT)


def free_memory() -> int:
    """Return the bytes that a new process can have: of the machine, of its control groups, by its own limit."""
    import psutil  # noqa: PLC0415  (start-up: few plans ask)

    own, _ = resource.getrlimit(resource.RLIMIT_AS)
    limits = [psutil.virtual_memory().available, memory_room(), own if own != resource.RLIM_INFINITY else None]
    return min(one for one in limits if one is not None)


def disk_free(folder: Path) -> int:
    """Return the free bytes on the disk that will hold `folder`."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return 0


def storage(path: Path) -> Storage:
    """Return the file system that holds a path, or would hold it once it is created."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    seen = shutil.disk_usage(place)
    kind = ""
    if platform.system() == "Linux":
        from engine.system import linux  # noqa: PLC0415

        kind = linux.file_system(ROOT, place.resolve())
    return Storage(bytes=seen.total, free=seen.free, kind=kind)


def _said(*command: str) -> str:
    """Return a program's output; empty if it does not exist, fails or times out."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout.strip()


def _compilers() -> dict[str, str]:
    found = {name: _said(name, "--version") for name in ("gcc", "clang")}
    return {name: text.splitlines()[0] for name, text in found.items() if text}


def _nvidia_smi() -> tuple[Gpu, ...]:
    query = "--query-gpu=name,memory.total,driver_version"
    found = []
    for line in _said("nvidia-smi", query, "--format=csv,noheader,nounits").splitlines():
        model, mebibytes, driver = (part.strip() for part in line.rsplit(",", 2))
        memory = int(mebibytes) << 20 if mebibytes.isdigit() else None
        found.append(Gpu(model=model, memory_bytes=memory, driver=driver))
    return tuple(found)
