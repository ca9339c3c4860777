"""Detect a Linux machine from /proc, /sys and /etc: no process is started and no root is needed.

Every function takes the root of the tree, so that files of other machines can be read as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.system.description import Cache, Cpu, Gpu, Memory, OperatingSystem

_FLAGS = frozenset(
    "sse4_2 avx avx2 fma f16c avx_vnni avx512f avx512bw avx512vl avx512_vnni avx512_bf16 avx512_fp16 amx_tile amx_int8 "
    "amx_bf16 asimd asimdhp asimddp i8mm bf16 sve sve2 sme".split()
)
_ARM_CORES = {
    ("0x41", "0xd03"): "ARM Cortex-A53",
    ("0x41", "0xd08"): "ARM Cortex-A72",
    ("0x41", "0xd0b"): "ARM Cortex-A76",
    ("0x41", "0xd0c"): "ARM Neoverse-N1",
    ("0x41", "0xd40"): "ARM Neoverse-V1",
    ("0x41", "0xd49"): "ARM Neoverse-N2",
    ("0x41", "0xd4f"): "ARM Neoverse-V2",
    ("0xc0", "0xac3"): "Ampere-1",
}
"""Implementer and part as in /proc/cpuinfo, for the most common machines."""
_SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_NO_LIMIT = 1 << 60
"""Version 1 control groups have a huge number in place of no limit."""


def cpu(root: Path) -> Cpu:
    """Return the processors. Unknown topology counts as one socket of single-threaded cores."""
    info = _cpuinfo(root)
    base = root / "sys/devices/system/cpu"
    online = sorted(cpu_list(_text(base / "online"))) or list(range(os.cpu_count() or 1))
    flags = info.get("flags", info.get("Features", "")).split()
    return Cpu(
        model=_model(root, info),
        architecture=os.uname().machine,
        sockets=len(_groups(base, online, ("package_cpus_list", "core_siblings_list"))) or 1,
        physical_cores=len(_groups(base, online, ("core_cpus_list", "thread_siblings_list"))) or len(online),
        logical_cores=len(online),
        allowed_cores=len(os.sched_getaffinity(0)) if root == Path("/") else len(online),
        quota=quota(root),
        mhz=_mhz(base, info),
        caches=tuple(_caches(base, online)),
        flags=tuple(sorted(_FLAGS.intersection(flags))),
        numa_nodes=len(list((root / "sys/devices/system/node").glob("node[0-9]*"))) or 1,
    )


def memory(root: Path) -> Memory:
    """Return the main memory and the control group's limit."""
    found = re.search(r"MemTotal:\s+(\d+) kB", _text(root / "proc/meminfo"))
    limit = min((limit for _, limit in _memory_limits(root)), default=None)
    return Memory(bytes=int(found[1]) * 1024 if found else 0, limit=limit)


def operating_system(root: Path) -> OperatingSystem:
    """Return distribution, kernel and C library."""
    pairs = (line.partition("=") for line in _text(root / "etc/os-release").splitlines())
    release = {key: value.strip("\"'") for key, equals, value in pairs if equals}
    libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    return OperatingSystem(
        name=release.get("PRETTY_NAME", "Linux"),
        kinds=tuple(word for word in (release.get("ID", ""), *release.get("ID_LIKE", "").split()) if word),
        kernel=os.uname().release,
        libc=libc or "",
    )


def gpus(root: Path) -> tuple[Gpu, ...]:
    """Return the NVIDIA accelerators that the driver lists, without their memory."""
    driver = re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)\s", _text(root / "proc/driver/nvidia/version"))
    found = []
    for place in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        if model := re.search(r"Model:\s+(.+)", _text(place)):
            found.append(Gpu(model=model[1].strip(), driver=driver[1] if driver else ""))
    return tuple(found)


def file_system(root: Path, path: Path) -> str:
    """Return the type of the file system that holds a path: of the mount point nearest above it."""
    best, kind = "", ""
    for line in _text(root / "proc/self/mounts").splitlines():
        _, place, found, *_ = line.split(" ")
        place = _unescaped(place)
        if len(place) >= len(best) and path.is_relative_to(place):
            best, kind = place, found
    return kind


def cpu_list(text: str) -> set[int]:
    """Parse the kernel's list of processors: `0-3,8`."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text):
        found.update(range(int(first), int(last or first) + 1))
    return found


def _text(path: Path) -> str:
    """Return a file's text; empty if it does not exist or can't be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _cpuinfo(root: Path) -> dict[str, str]:
    """Return the first processor's block: the kernel takes long to write all of a large machine."""
    try:
        with (root / "proc/cpuinfo").open("rb", buffering=0) as file:
            block = file.read(8192).decode("utf-8", "replace").split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _model(root: Path, info: dict[str, str]) -> str:
    """Return the CPU's name; ARM kernels give numbers instead, small boards the name of the board."""
    arm = _ARM_CORES.get((info.get("CPU implementer", ""), info.get("CPU part", "")))
    board = _text(root / "proc/device-tree/model").rstrip("\0")
    name = info.get("model name") or info.get("Processor") or info.get("cpu") or arm or board
    return re.sub(r"\s+", " ", name) if name else "unknown"


def _mhz(base: Path, info: dict[str, str]) -> float | None:
    khz = _text(base / "cpu0/cpufreq/cpuinfo_max_freq")
    if khz.isdigit():
        return int(khz) / 1000
    named = re.search(r"@ ([\d.]+)GHz", info.get("model name", ""))
    now = re.fullmatch(r"[\d.]+", info.get("cpu MHz", ""))
    return float(named[1]) * 1000 if named else float(now[0]) if now else None


def _groups(base: Path, online: list[int], names: tuple[str, ...]) -> list[set[int]]:
    """Return the sets of processors that share a resource; `names` are the files of newer and older kernels."""
    seen: set[int] = set()
    groups = []
    for number in online:
        if number not in seen:
            texts = (_text(base / f"cpu{number}/topology/{name}") for name in names)
            if group := cpu_list(next(filter(None, texts), "")):
                groups.append(group)
                seen |= group
    return groups


def _caches(base: Path, online: list[int]) -> Iterator[Cache]:
    """Yield each cache once per set of processors that share it, reading few files on a large machine."""
    for index in range(8):
        seen: set[int] = set()
        sizes: dict[tuple[int, str, int], int] = {}
        for number in online:
            place = base / f"cpu{number}/cache/index{index}"
            size = re.fullmatch(r"(\d+)([KMG])?", _text(place / "size")) if number not in seen else None
            if size:
                seen |= cpu_list(_text(place / "shared_cpu_list")) | {number}
                key = (int(_text(place / "level")), _text(place / "type"), int(size[1]) * _SIZES.get(size[2], 1))
                sizes[key] = sizes.get(key, 0) + 1
        for (level, kind, amount), instances in sizes.items():
            yield Cache(level=level, kind=kind, bytes=amount, instances=instances)


def quota(root: Path) -> float | None:
    """Return the control groups' CPU quota in cores; None is no limit.

    It is the smallest quota from this process's group up to the root group.
    """
    found = []
    for group in _control_groups(root, "cpu"):
        amount, _, period = _group_quota(group)
        if amount.isdigit() and period.isdigit() and int(amount) and int(period):
            found.append(int(amount) / int(period))
    return min(found, default=None)


def _group_quota(group: _Group) -> tuple[str, str, str]:
    """Return quota and period in microseconds, with a separator between."""
    if group.is_second:
        return _text(group.folder / "cpu.max").partition(" ")
    return _text(group.folder / "cpu.cfs_quota_us"), " ", _text(group.folder / "cpu.cfs_period_us") or "100000"


def memory_room(root: Path) -> int | None:
    """Return how many more bytes this process can allocate within its control groups; None is no limit.

    A group's inactive file cache counts as free.
    """
    return min((max(limit - _used(group), 0) for group, limit in _memory_limits(root)), default=None)


def _memory_limits(root: Path) -> Iterator[tuple[_Group, int]]:
    for group in _control_groups(root, "memory"):
        text = _text(group.folder / ("memory.max" if group.is_second else "memory.limit_in_bytes"))
        if text.isdigit() and int(text) < _NO_LIMIT:
            yield group, int(text)


def _used(group: _Group) -> int:
    used = _text(group.folder / ("memory.current" if group.is_second else "memory.usage_in_bytes"))
    cache = re.search(r"^(?:total_)?inactive_file (\d+)$", _text(group.folder / "memory.stat"), re.M)
    return max((int(used) if used.isdigit() else 0) - (int(cache[1]) if cache else 0), 0)


@dataclass(frozen=True)
class _Group:
    """A control group of this process."""

    folder: Path
    is_second: bool
    """Whether it is of version 2, which has other file names."""


def _control_groups(root: Path, controller: str) -> Iterator[_Group]:
    """Yield this process's group of a controller and all visible groups above, in both versions.

    Inside a container the path may be the host's: the mount's root is then a part of it, or the group is not visible,
    and the mount's root alone counts.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        shown, mount = _mount(root, controller if controllers else "") or ("/", f"sys/fs/cgroup/{controllers}")
        top = root / mount.lstrip("/")
        inside = Path(path).relative_to(shown) if Path(path).is_relative_to(shown) else Path(path.lstrip("/"))
        group = top if ".." in inside.parts else top / inside
        for place in (group, *group.parents):
            if not place.is_relative_to(top):
                break
            yield _Group(place, not controllers)


def _mount(root: Path, controller: str) -> tuple[str, str] | None:
    """Return which group a hierarchy's mount has as its root, and the mount point.

    Without a controller it is the hierarchy of version 2. None if unknown.
    """
    for line in _text(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.partition(" ")
        fields = before.split(" ")
        if len(fields) > 4 and (
            kind == "cgroup2"
            if not controller
            else kind == "cgroup" and controller in options.split(" ")[-1].split(",")
        ):
            return _unescaped(fields[3]), _unescaped(fields[4])
    return None


def _unescaped(path: str) -> str:
    """Unescape a path of a mount table: a blank is written as \\040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)
