import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import system
from engine.system.description import Gpu, MachineDescription


def test_this_machine_is_described_without_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    found = system.detect()
    assert found.cpu.model
    assert 1 <= found.cpu.usable_cores <= found.cpu.logical_cores
    assert found.cpu.sockets <= found.cpu.physical_cores <= found.cpu.logical_cores
    assert found.memory.usable > 0
    assert found.os.kernel
    assert found == system.detect()
    assert msgspec.json.decode(msgspec.json.encode(found), type=MachineDescription) == found


def test_a_deep_look_asks_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "gcc": "gcc (Debian 12.2.0-14) 12.2.0\nCopyright\n",
        "nvidia-smi": "NVIDIA H200, 143771, 550.1\nOdd, Name, [N/A], 550.1\n",
    }

    def run(command: tuple[str, ...], **_: Any) -> subprocess.CompletedProcess[str]:
        if command[0] not in said:
            raise FileNotFoundError(command[0])
        return subprocess.CompletedProcess(command, 0, stdout=said[command[0]])

    monkeypatch.setattr(subprocess, "run", run)
    found = system.detect(deep=True)
    assert found.compilers == {"gcc": "gcc (Debian 12.2.0-14) 12.2.0"}
    assert found.gpus == (
        Gpu(model="NVIDIA H200", memory_bytes=143771 << 20, driver="550.1"),
        Gpu(model="Odd, Name", memory_bytes=None, driver="550.1"),
    )


def test_a_program_that_hangs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: tuple[str, ...], **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, 5)

    monkeypatch.setattr(subprocess, "run", run)
    assert system.detect(deep=True).compilers == {}


def test_the_storage_of_a_folder_that_will_be(tmp_path: Path) -> None:
    found = system.storage(tmp_path / "not" / "there" / "yet")
    assert 0 < found.free <= found.bytes
    assert found.bytes == system.storage(tmp_path).bytes


def test_the_free_memory_ends_at_a_limit_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < system.free_memory() <= system.detect().memory.usable
    monkeypatch.setattr("resource.getrlimit", lambda _: (1000, 1000))
    assert system.free_memory() == 1000
