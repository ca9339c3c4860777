"""Describe this machine in the fields of the rules; only what can be detected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.profile import systems
from engine.profile.rounds import Round
from engine.system import MachineDescription, detect, storage
from engine.system.description import Cache, Gpu

FRAMEWORKS = ("onnxruntime", "tensorflow", "tensorflow-cpu", "openvino")

NOT_APPLICABLE = "N/A"
"""Value of a field that does not apply to this system."""

OF_ACCELERATORS = (
    "accelerator_frequency", "accelerator_host_interconnect", "accelerator_interconnect",
    "accelerator_interconnect_topology", "accelerator_memory_configuration", "accelerator_on-chip_memories",
)  # fmt: skip
"""Fields that do not apply without an accelerator."""

FIXED = {"number_of_nodes": "1", "status": "available"}
"""Defaults: one machine, and generally available software."""


def detected(rules: Round, folder: Path, frameworks: str, *, deep: bool = True) -> dict[str, str]:
    """Return every field of the rules' system description; empty where nothing can be detected.

    `folder` is on the disk that counts as storage; `frameworks` names the installed backends with their versions.
    `deep` runs the programs that report their versions.
    """
    found = {**dict.fromkeys(rules.system.required, ""), **FIXED}
    found.update(_read(detect(deep=deep), folder, frameworks))
    return found


def description_of(
    folders: Sequence[Path], sut: str, rules: Round, disk: Path, *, deep: bool = True
) -> dict[str, str | int | float | bool]:
    """Return the description of a system, completed with this machine's figures where it asks for that.

    Raises UsageError for an unknown system, DataError for one that nobody has described.
    """
    path, _ = systems.find(folders, sut, "")
    system = systems.load_system(path)
    if not system.description:
        raise DataError(f"the system {path.stem} has no description", f"inferdeck system new {path.stem} writes one")
    read = detected(rules, disk, frameworks(), deep=deep) if system.detected else {}
    described = {**read, **system.description}
    return {name: value for name, value in described.items() if name not in rules.system.other_rounds}


def frameworks() -> str:
    """Return the installed backends with their versions."""
    from importlib import metadata  # noqa: PLC0415  (start-up: a plan that describes nothing needs no packages)

    found = []
    for package in FRAMEWORKS:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def differences(description: Mapping[str, Any]) -> list[str]:
    """Return the fields of a description that contradict this machine, as `field: described, found`."""
    wrong = _contradicted(description, detect())
    if "accelerator_model_name" in wrong:  # some drivers list their devices nowhere but in their own program
        wrong = _contradicted(description, detect(deep=True))
    return [f"{name}: described as '{description[name]}', here it is '{found}'" for name, found in wrong.items()]


def _contradicted(description: Mapping[str, Any], machine: MachineDescription) -> dict[str, str]:
    return {
        name: found
        for name, found in _hardware(machine).items()
        if found and str(description.get(name, "")) not in ("", NOT_APPLICABLE, found)
    }


def _hardware(machine: MachineDescription) -> dict[str, str]:
    """Return the fields that distinguish machines and can be detected without running a program."""
    sockets = max(1, machine.cpu.sockets)
    return {
        "host_processor_model_name": machine.cpu.model,
        "host_processors_per_node": str(sockets),
        "host_processor_core_count": str(machine.cpu.physical_cores // sockets),
        "accelerator_model_name": machine.gpus[0].model if machine.gpus else NOT_APPLICABLE,
    }


def _read(machine: MachineDescription, folder: Path, frameworks: str) -> dict[str, str]:
    cpu, gpus = machine.cpu, machine.gpus
    disk = storage(folder)
    return {
        **({} if gpus else dict.fromkeys(OF_ACCELERATORS, NOT_APPLICABLE)),
        **_hardware(machine),
        "host_processor_frequency": f"{cpu.mhz / 1000:.2f} GHz" if cpu.mhz else "",
        "host_processor_caches": "; ".join(_cache(cache) for cache in cpu.caches),
        "host_memory_capacity": f"{round(machine.memory.bytes / 2**30)} GB",
        "host_storage_capacity": f"{round(disk.bytes / 1e9)} GB",
        "accelerators_per_node": str(len(gpus)),
        "accelerator_memory_capacity": _memory(gpus),
        "framework": frameworks,
        "operating_system": machine.os.name,
        "other_software_stack": "; ".join(
            part
            for part in (
                f"Linux {machine.os.kernel}" if machine.os.libc else machine.os.kernel,
                machine.os.libc,
                f"Python {machine.python}",
                *machine.compilers.values(),
                *sorted({f"driver {gpu.driver}" for gpu in gpus if gpu.driver}),
            )
            if part
        ),
    }


def _cache(cache: Cache) -> str:
    return f"{cache.name} {cache.instances} x {cache.bytes // 1024} KiB"


def _memory(gpus: tuple[Gpu, ...]) -> str:
    if not gpus:
        return NOT_APPLICABLE
    size = gpus[0].memory_bytes
    return f"{round(size / 2**30)} GB" if size else ""
