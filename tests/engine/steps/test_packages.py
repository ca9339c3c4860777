"""Installed packages: found under any of their names, missing with the words that install them."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

from engine.steps.base import Look
from engine.steps.packages import survey_package

OPTIONS = {"package": "tensorflow", "or_packages": ("tensorflow-cpu",), "install": "inferdeck[tensorflow]"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The packages that are installed, by version, for a test to fill."""
    found: dict[str, str] = {}

    def version(name: str) -> str:
        if name not in found:
            raise metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(metadata, "version", version)
    return found


def look(version: str | None = None, **options: Any) -> Look:
    return Look({**OPTIONS, **options}, {}, version)


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow-cpu"])
def test_either_name_will_do(installed: dict[str, str], name: str) -> None:
    installed[name] = "2.21.0"
    sight = survey_package(look(">=2.18", module="engine.backends.tensorflow", device="cpu"))
    assert (sight.state, sight.identity, sight.text) == ("found", f"{name}==2.21.0", "2.21.0")
    assert sight.artifact is not None
    assert sight.artifact.facts == {
        "package": name,
        "version": "2.21.0",
        "module": "engine.backends.tensorflow",
        "device": "cpu",
    }


def test_a_missing_package_says_what_installs_it(installed: dict[str, str]) -> None:
    sight = survey_package(look())
    assert (sight.state, sight.text) == ("missing", "tensorflow is not installed")
    assert sight.remedy == "pip install 'inferdeck[tensorflow]'"
    installed["else"] = "1"
    assert survey_package(Look({"package": "onnxruntime"}, {})).remedy == "pip install 'onnxruntime'"


def test_a_version_out_of_range_is_a_conflict(installed: dict[str, str]) -> None:
    installed["tensorflow-cpu"] = "2.21.0"
    sight = survey_package(look("<2.20"))
    assert sight.state == "conflict"
    assert "tensorflow-cpu 2.21.0 is installed, <2.20 is asked for" in sight.text
    assert sight.remedy.startswith("pip install 'tensorflow-cpu<2.20'")
