"""Detect a macOS machine with sysctl's C function: no process is started."""

import ctypes
import os
import platform
from collections.abc import Callable

from engine.system.description import Cache, Cpu, Memory, OperatingSystem

Read = Callable[[str], bytes]
"""Called with the name of a value; returns its bytes, none if there is no such value."""

_FLAGS = {
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f",
    "hw.optional.avx512vnni": "avx512_vnni",
    "hw.optional.neon": "asimd",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.arm.FEAT_SME": "sme",
}
"""sysctl name → Linux name of the same feature."""
_CACHES = (("hw.l1dcachesize", 1, "Data"), ("hw.l1icachesize", 1, "Instruction"), ("hw.l2cachesize", 2, "Unified"))


def sysctl(name: str) -> bytes:
    """Return the bytes of a value of the kernel."""
    libc = ctypes.CDLL(None)
    size = ctypes.c_size_t(0)
    if libc.sysctlbyname(name.encode(), None, ctypes.byref(size), None, ctypes.c_size_t(0)) != 0:
        return b""
    buffer = ctypes.create_string_buffer(size.value)
    libc.sysctlbyname(name.encode(), buffer, ctypes.byref(size), None, ctypes.c_size_t(0))
    return buffer.raw[: size.value]


def _number(read: Read, name: str) -> int:
    return int.from_bytes(read(name), "little")


def cpu(read: Read = sysctl) -> Cpu:
    """Return the processors. A process may use all of them: macOS has neither affinity nor quotas."""
    logical = _number(read, "hw.logicalcpu") or os.cpu_count() or 1
    hertz = _number(read, "hw.cpufrequency_max")
    caches = [(_number(read, name), level, kind) for name, level, kind in _CACHES]
    return Cpu(
        model=read("machdep.cpu.brand_string").rstrip(b"\0").decode("utf-8", "replace") or "unknown",
        architecture=platform.machine(),
        sockets=_number(read, "hw.packages") or 1,
        physical_cores=_number(read, "hw.physicalcpu") or logical,
        logical_cores=logical,
        allowed_cores=logical,
        mhz=hertz / 1e6 if hertz else None,
        caches=tuple(
            Cache(level=level, kind=kind, bytes=size, instances=_number(read, "hw.physicalcpu") if level == 1 else 1)
            for size, level, kind in caches
            if size
        ),
        flags=tuple(sorted(flag for name, flag in _FLAGS.items() if _number(read, name))),
    )


def memory(read: Read = sysctl) -> Memory:
    """Return the main memory."""
    return Memory(bytes=_number(read, "hw.memsize"))


def operating_system() -> OperatingSystem:
    """Return version and kernel."""
    return OperatingSystem(
        name=f"macOS {platform.mac_ver()[0]}", kinds=("macos",), kernel=os.uname().release, libc="libSystem"
    )
