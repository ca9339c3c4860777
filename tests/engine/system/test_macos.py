import pytest

from engine.system import macos
from engine.system.description import Cache

VALUES = {
    "machdep.cpu.brand_string": b"Apple M1\0",
    "hw.packages": (1).to_bytes(4, "little"),
    "hw.physicalcpu": (8).to_bytes(4, "little"),
    "hw.logicalcpu": (8).to_bytes(4, "little"),
    "hw.l1dcachesize": (65536).to_bytes(8, "little"),
    "hw.l2cachesize": (4 << 20).to_bytes(8, "little"),
    "hw.memsize": (16 << 30).to_bytes(8, "little"),
    "hw.optional.neon": (1).to_bytes(4, "little"),
    "hw.optional.arm.FEAT_BF16": (0).to_bytes(4, "little"),
}


def read(name: str) -> bytes:
    return VALUES.get(name, b"")


def test_an_apple_machine() -> None:
    cpu = macos.cpu(read)
    assert (cpu.model, cpu.sockets, cpu.physical_cores, cpu.logical_cores) == ("Apple M1", 1, 8, 8)
    assert cpu.flags == ("asimd",)
    assert cpu.mhz is None
    assert cpu.caches == (
        Cache(level=1, kind="Data", bytes=65536, instances=8),
        Cache(level=2, kind="Unified", bytes=4 << 20, instances=1),
    )
    assert macos.memory(read).usable == 16 << 30


@pytest.mark.usefixtures("tmp_path")
def test_a_machine_that_tells_nothing() -> None:
    cpu = macos.cpu(lambda _: b"")
    assert cpu.model == "unknown"
    assert cpu.usable_cores == cpu.physical_cores >= 1
