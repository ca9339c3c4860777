"""Reads a Linux machine from /proc, /sys and /etc: no process is started and nothing needs root.

Every function takes the root of the tree, so that other machines' files can be read as well as this one's.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from engine.system.facts import Cache, Cpu, Gpu, Memory, OperatingSystem

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
"""Implementer and part as /proc/cpuinfo gives them, for the machines that are measured most."""
_SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_NO_LIMIT = 1 << 60
"""Control groups of the first version write a huge number where there is no limit."""


def cpu(root: Path) -> Cpu:
    """Return the processors. What the system does not tell is counted as one socket of single-threaded cores."""
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
        quota=_quota(root),
        mhz=_mhz(base, info),
        caches=tuple(_caches(base, online)),
        flags=tuple(sorted(_FLAGS.intersection(flags))),
        numa_nodes=len(list((root / "sys/devices/system/node").glob("node[0-9]*"))) or 1,
    )


def memory(root: Path) -> Memory:
    """Return the main memory and the control group's limit."""
    found = re.search(r"MemTotal:\s+(\d+) kB", _text(root / "proc/meminfo"))
    limits = [
        int(text) for text in _group_texts(root, "memory", "memory.max", "memory.limit_in_bytes") if text.isdigit()
    ]
    limit = min((limit for limit in limits if limit < _NO_LIMIT), default=None)
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
    """Return the NVIDIA accelerators that the driver lists; their memory is not told there."""
    driver = re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)\s", _text(root / "proc/driver/nvidia/version"))
    found = []
    for place in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        if model := re.search(r"Model:\s+(.+)", _text(place)):
            found.append(Gpu(model=model[1].strip(), driver=driver[1] if driver else ""))
    return tuple(found)


def file_system(root: Path, path: Path) -> str:
    """Return the kind of file system that holds a path: the last mount whose place is the nearest above it."""
    best, kind = "", ""
    for line in _text(root / "proc/self/mounts").splitlines():
        _, place, found, *_ = line.split(" ")
        place = place.encode().decode("unicode_escape")  # a blank stands there as \\040
        if len(place) >= len(best) and path.is_relative_to(place):
            best, kind = place, found
    return kind


def cpu_list(text: str) -> set[int]:
    """Read the kernel's way to write a set of processors: `0-3,8`."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text):
        found.update(range(int(first), int(last or first) + 1))
    return found


def _text(path: Path) -> str:
    """Return a file's text, or nothing where there is none or it may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _cpuinfo(root: Path) -> dict[str, str]:
    """Return the first processor's block: on a large machine the kernel takes long to write them all."""
    try:
        with (root / "proc/cpuinfo").open("rb", buffering=0) as file:
            block = file.read(8192).decode("utf-8", "replace").split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _model(root: Path, info: dict[str, str]) -> str:
    """ARM kernels give numbers instead of a name, small boards have a name of the whole board."""
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
    """Return the sets of processors that share something; `names` are those of newer and older kernels."""
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
    """Count each kind once per set of processors that share one, so that few files are read on a large machine."""
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


def _quota(root: Path) -> float | None:
    """Return the smallest quota on the way from this process' group to the root group."""
    quotas = []
    for text in _group_texts(root, "cpu", "cpu.max", "cpu.cfs_quota_us"):
        quota, _, period = text.partition(" ")
        if quota.isdigit() and int(quota):
            quotas.append(int(quota) / int(period or 100_000))
    return min(quotas, default=None)


def _group_texts(root: Path, controller: str, second: str, first: str) -> Iterator[str]:
    """Yield what a control file says in this process' group and all groups above, in both versions of control groups.

    Inside a container the group's path may not be visible: then what the container sees as the root counts.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / controllers
        group = mount / path.lstrip("/")
        for place in (group, *group.parents):
            if not place.is_relative_to(mount):
                break
            if text := _text(place / (first if controllers else second)):
                period = _text(place / "cpu.cfs_period_us") if controllers and controller == "cpu" else ""
                yield f"{text} {period}".strip()
