from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.system import linux
from engine.system.description import Cache, Gpu

XEON = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R)  CPU @ 2.80GHz
cpu MHz\t\t: 3100.5
flags\t\t: fpu avx2 avx512f avx512_vnni hypervisor

processor\t: 1
model name\t: another
"""
GRAVITON = "processor\t: 0\nFeatures\t: fp asimd asimddp bf16 i8mm\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def two_sockets(root: Path) -> Path:
    """Two sockets of two cores of two threads: 0-3 and their siblings 4-7."""
    base = "sys/devices/system/cpu"
    files = {f"{base}/online": "0-7\n", "proc/cpuinfo": XEON}
    for number in range(8):
        core, place = number % 4, f"{base}/cpu{number}"
        socket = core // 2
        files[f"{place}/topology/thread_siblings_list"] = f"{core},{core + 4}\n"
        files[f"{place}/topology/core_siblings_list"] = "0-1,4-5\n" if socket == 0 else "2-3,6-7\n"
        for index, level, kind, size, shared in (
            (0, 1, "Data", "48K", f"{core},{core + 4}"),
            (1, 3, "Unified", "32M", "0-1,4-5" if socket == 0 else "2-3,6-7"),
        ):
            cache = f"{place}/cache/index{index}"
            files |= {f"{cache}/level": str(level), f"{cache}/type": kind, f"{cache}/size": size}
            files[f"{cache}/shared_cpu_list"] = shared
    files |= {"sys/devices/system/node/node0/x": "", "sys/devices/system/node/node1/x": ""}
    return tree(root, files)


def test_sockets_cores_and_threads(tmp_path: Path) -> None:
    cpu = linux.cpu(two_sockets(tmp_path))
    assert (cpu.sockets, cpu.physical_cores, cpu.logical_cores, cpu.numa_nodes) == (2, 4, 8, 2)
    assert cpu.model == "Intel(R) Xeon(R) CPU @ 2.80GHz"
    assert cpu.mhz == 2800
    assert cpu.flags == ("avx2", "avx512_vnni", "avx512f")
    assert cpu.caches == (
        Cache(level=1, kind="Data", bytes=48 << 10, instances=4),
        Cache(level=3, kind="Unified", bytes=32 << 20, instances=2),
    )
    assert [cache.name for cache in cpu.caches] == ["L1d", "L3"]
    assert cpu.quota is None


def test_the_clock_of_the_kernel_beats_the_name(tmp_path: Path) -> None:
    root = tree(two_sockets(tmp_path), {"sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "3600000\n"})
    assert linux.cpu(root).mhz == 3600


def test_an_arm_machine_has_a_name(tmp_path: Path) -> None:
    cpu = linux.cpu(tree(tmp_path, {"proc/cpuinfo": GRAVITON}))
    assert cpu.model == "ARM Neoverse-V1"
    assert cpu.flags == ("asimd", "asimddp", "bf16", "i8mm")
    assert cpu.mhz is None


def test_a_board_has_a_name(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/cpuinfo": "processor\t: 0\n", "proc/device-tree/model": "Raspberry Pi 4\0"})
    assert linux.cpu(root).model == "Raspberry Pi 4"


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    cpu = linux.cpu(tmp_path)
    assert cpu.model == "unknown"
    assert cpu.sockets == 1
    assert cpu.physical_cores == cpu.logical_cores == cpu.usable_cores >= 1
    assert linux.memory(tmp_path).usable == 0
    assert linux.operating_system(tmp_path).name == "Linux"
    assert linux.gpus(tmp_path) == ()
    assert linux.file_system(tmp_path, Path("/x")) == ""


@pytest.mark.parametrize(
    ("files", "quota", "usable"),
    [
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000"}, None, 8),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "250000 100000"}, 2.5, 2),
        ({"proc/self/cgroup": "0::/not/seen\n", "sys/fs/cgroup/cpu.max": "20000 100000"}, 0.2, 1),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/cpu.max": "400000 100000",
                "sys/fs/cgroup/a/cpu.max": "300000 100000",
            },
            3.0,
            3,
        ),
        (
            {
                "proc/self/cgroup": "3:cpuset:/\n2:cpu,cpuacct:/job\n0::/\n",
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "150000",
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "50000",
            },
            3.0,
            3,
        ),
        ({"proc/self/cgroup": "1:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1"}, None, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "190000 100000"}, 1.9, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "100000 0"}, None, 8),
        ({"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/cpu.max": "200000 100000"}, 2.0, 2),
        (  # a container that sees its own group as the root, and is in a group below it
            {
                "proc/self/cgroup": "4:cpuacct,cpu:/docker/abc/job\n0::/docker/abc\n",
                "proc/self/mountinfo": "33 31 0:30 /docker/abc /cg/my\\040cpu ro - cgroup cgroup rw,cpu,cpuacct\n",
                "cg/my cpu/job/cpu.cfs_quota_us": "50000",
                "cg/my cpu/job/cpu.cfs_period_us": "100000",
                "cg/my cpu/cpu.cfs_quota_us": "400000",
                "cg/my cpu/cpu.cfs_period_us": "100000",
            },
            0.5,
            1,
        ),
        (  # both versions side by side: the second has a mount of its own
            {
                "proc/self/cgroup": "1:cpu:/\n0::/user/job\n",
                "proc/self/mountinfo": "1 2 0:1 / /cg/cpu rw shared:1 - cgroup cgroup rw,cpu\n"
                "1 2 0:1 / /cg/unified rw - cgroup2 cgroup2 rw\n",
                "cg/unified/user/cpu.max": "300000 100000",
                "cg/unified/user/job/cpu.max": "max 100000",
            },
            3.0,
            3,
        ),
        ({}, None, 8),
    ],
)
def test_quotas_of_both_versions(files: dict[str, str], quota: float | None, usable: int, tmp_path: Path) -> None:
    cpu = linux.cpu(tree(two_sockets(tmp_path), files))
    assert cpu.quota == quota
    assert cpu.usable_cores == usable


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "1048576"}, 1 << 20),
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max"}, None),
        ({"proc/self/cgroup": "4:memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "4096"}, 4096),
        (
            {"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"},
            None,
        ),
    ],
)
def test_memory_limits_of_both_versions(files: dict[str, str], limit: int | None, tmp_path: Path) -> None:
    memory = linux.memory(tree(tmp_path, {"proc/meminfo": "MemTotal:       24684100 kB\nMemFree: 1 kB\n", **files}))
    assert memory.bytes == 24684100 * 1024
    assert memory.limit == limit
    assert memory.usable == (limit or memory.bytes)


@pytest.mark.parametrize(
    ("files", "room"),
    [
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max"}, None),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": "9000",
                "sys/fs/cgroup/a/b/memory.current": "1000",
                "sys/fs/cgroup/a/memory.max": "10000",
                "sys/fs/cgroup/a/memory.current": "8000",
                "sys/fs/cgroup/a/memory.stat": "anon 5\ninactive_file 3000\n",
            },
            5000,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/a\n",
                "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "4096",
                "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "4000",
                "sys/fs/cgroup/memory/a/memory.stat": "inactive_file 1\ntotal_inactive_file 1000\n",
            },
            97,
        ),
        (
            {
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/memory.max": "4096",
                "sys/fs/cgroup/memory.current": "5000",
            },
            0,
        ),
    ],
)
def test_what_a_container_has_left_of_its_memory(files: dict[str, str], room: int | None, tmp_path: Path) -> None:
    assert linux.memory_room(tree(tmp_path, files)) == room


def test_the_distribution(tmp_path: Path) -> None:
    text = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE="debian mint"\n# a comment\n'
    system = linux.operating_system(tree(tmp_path, {"etc/os-release": text}))
    assert system.name == "Ubuntu 24.04.1 LTS"
    assert system.kinds == ("ubuntu", "debian", "mint")
    assert system.kernel


def test_accelerators_that_the_driver_lists(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA H100\nIRQ: 1\n",
            "proc/driver/nvidia/gpus/0000:02:00.0/information": "Model: \t\t NVIDIA H100\n",
            "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\n",
        },
    )
    assert linux.gpus(root) == (Gpu(model="NVIDIA H100", driver="550.54.15"),) * 2


def test_the_nearest_mount_holds_a_path(tmp_path: Path) -> None:
    mounts = "/dev/a / ext4 rw 0 0\nnas:/x /mnt/big\\040disk nfs4 rw 0 0\ntmpfs /mnt tmpfs rw 0 0\n"
    root = tree(tmp_path, {"proc/self/mounts": mounts})
    assert linux.file_system(root, Path("/mnt/big disk/data")) == "nfs4"
    assert linux.file_system(root, Path("/mnt/bigger")) == "tmpfs"
    assert linux.file_system(root, Path("/home")) == "ext4"


@given(st.sets(st.integers(0, 500)))
def test_lists_of_processors(numbers: set[int]) -> None:
    assert linux.cpu_list(",".join(map(str, sorted(numbers)))) == numbers
    if numbers:
        assert linux.cpu_list(f"{min(numbers)}-{max(numbers)}") == set(range(min(numbers), max(numbers) + 1))
