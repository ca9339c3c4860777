"""Survey of a backend: installed, installable into a separate environment, or unusable here."""

from __future__ import annotations

from typing import Any

import pytest

from engine import system
from engine.errors import UsageError
from engine.step import SurveyContext, SurveyResult, read_options
from engine.steps.machine import backend
from engine.system.description import Cpu, Gpu, MachineDescription, Memory, OperatingSystem

OPTIONS: dict[str, Any] = {
    "package": "tensorflow",
    "or_packages": ("tensorflow-cpu",),
    "module": "engine.backends.tensorflow",
    "device": "cpu",
}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A machine for a test to equip."""
    has: dict[str, Any] = {"flags": (), "gpus": ()}

    def detect() -> MachineDescription:
        cpu = Cpu(
            model="Old One",
            architecture="x86_64",
            sockets=1,
            physical_cores=2,
            logical_cores=2,
            allowed_cores=2,
            flags=has["flags"],
        )
        kind = OperatingSystem(name="Some Linux", kinds=("debian",), kernel="6")
        return MachineDescription(
            hostname="h", cpu=cpu, memory=Memory(bytes=1), os=kind, python="3.11", gpus=has["gpus"]
        )

    monkeypatch.setattr(system, "detect", detect)
    return has


def survey(version: str | None = None, **options: Any) -> SurveyResult:
    return backend.survey(SurveyContext({**OPTIONS, **options}, {}, version=version))


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow-cpu"])
def test_either_name_will_do(installed: dict[str, str], name: str) -> None:
    installed[name] = "2.21.0"
    result = survey(">=2.18")
    assert (result.state, result.identity, result.text) == ("found", f"{name}==2.21.0", "2.21.0")
    assert result.artifact is not None
    assert result.artifact.facts == {
        "package": name,
        "version": "2.21.0",
        "module": "engine.backends.tensorflow",
        "device": "cpu",
        "settings": {},
        "measured": {},
    }


@pytest.mark.parametrize(("range_", "has"), [(None, {}), ("<2.20", {"tensorflow-cpu": "2.21.0"})])
def test_what_is_not_here_gets_an_environment(
    installed: dict[str, str], range_: str | None, has: dict[str, str]
) -> None:
    installed |= has
    result = survey(range_)
    assert result.state == "run"
    assert "an environment of its own" in result.text
    assert ("2.21.0 is installed, <2.20 is required" in result.text) == bool(has)


def test_without_pip_and_uv_it_is_missing(installed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    result = survey()
    assert result.state == "missing"
    assert result.remedy.endswith("-m ensurepip")


def test_settings_tell_one_from_another(installed: dict[str, str]) -> None:
    installed["tensorflow"] = "2.21.0"
    plain, set_ = survey(), survey(settings=("inter_op_parallelism_threads=2",))
    assert set_.identity == "tensorflow==2.21.0 inter_op_parallelism_threads=2" != plain.identity
    assert set_.artifact is not None
    assert set_.artifact.facts["settings"] == {"inter_op_parallelism_threads": "2"}


def test_a_setting_without_a_value_is_refused(installed: dict[str, str]) -> None:
    installed["tensorflow"] = "2.21.0"
    with pytest.raises(UsageError, match="'opt_level' in 'settings' is not NAME=VALUE"):
        survey(settings=("opt_level",))


def test_a_processor_without_the_instructions_is_a_conflict(installed: dict[str, str], machine: dict[str, Any]) -> None:
    installed["tensorflow"] = "2.21.0"
    result = survey(cpu_flags=("avx512_bf16", "amx_bf16"), instead="use _fp32")
    assert (result.state, result.remedy) == ("conflict", "use _fp32")
    assert result.text == "this processor (Old One) has none of avx512_bf16, amx_bf16"
    machine["flags"] = ("avx512_bf16",)
    assert survey(cpu_flags=("avx512_bf16", "amx_bf16")).state == "found"


def test_a_device_that_is_not_there_is_a_conflict(installed: dict[str, str], machine: dict[str, Any]) -> None:
    installed["tensorflow"] = "2.21.0"
    assert survey(accelerator="NVIDIA").text == "no NVIDIA device is found on this machine"
    machine["gpus"] = (Gpu(model="NVIDIA Something"),)
    assert survey(accelerator="NVIDIA").state == "found"


def to_install(*packages: str) -> str:
    return backend.to_install(read_options({**OPTIONS, "install": packages}, backend.FrameworkOptions))


def test_the_package_of_this_machine_is_fetched() -> None:
    never, always = "tensorflow-cpu; sys_platform == 'amiga'", "tensorflow-else; python_version >= '3'"
    assert to_install(never, always) == "tensorflow-else"
    assert to_install(never) == "tensorflow"
    with pytest.raises(UsageError, match="is not a package"):
        to_install("--index-url=x")
