import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine import system
from engine.errors import CannotRunError, ProfileError
from engine.step import Step, SurveyContext
from engine.steps.machine import detect as steps
from engine.system.description import OperatingSystem

GONE = {"The thing": {"command": "no-such-command-here", "apt": "thing-tools"}}
THERE = {"A shell": {"command": "sh"}}


@pytest.fixture(autouse=True)
def _debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate Debian with an unprivileged user, whatever runs the tests."""
    found = system.detect()
    debian = OperatingSystem(name="Debian", kinds=("debian",), kernel="6")
    there = system.MachineDescription(hostname="h", cpu=found.cpu, memory=found.memory, os=debian, python="3.11.0")
    monkeypatch.setattr(system, "detect", lambda deep=False: there)
    monkeypatch.setattr("os.geteuid", lambda: 1000)


def context(**options: Any) -> SurveyContext:
    return SurveyContext(options=options, inputs={})


def step(tmp_path: Path, **options: Any) -> Step:
    return Step(id="s", title="t", options=options, inputs={}, output=tmp_path, emit=lambda _: None)


def test_a_machine_is_always_found() -> None:
    sight = steps.survey_system(context())
    cpu = system.detect().cpu
    assert sight.state == "found"
    assert sight.artifact is not None
    assert sight.artifact.facts["cpu"]["model"] == cpu.model
    assert sight.artifact.facts["os"]["kinds"] == ("debian",)
    assert cpu.model in sight.identity
    assert f"{cpu.usable_cores} usable" in sight.identity
    assert "Debian" not in sight.identity, "an update does not make another machine"
    assert cpu.model in sight.text


def test_what_is_there_is_found() -> None:
    sight = steps.survey_packages(context(packages=THERE, yes_install=False))
    assert sight.state == "found"
    assert sight.artifact is not None
    assert sight.artifact.facts == {"packages": ["A shell"]}


def test_without_the_option_it_is_what_inferdeck_needs() -> None:
    assert steps.survey_packages(context(yes_install=False)).state == "found"


def test_what_is_missing_comes_with_the_command() -> None:
    sight = steps.survey_packages(context(packages=GONE | THERE))
    assert sight.state == "missing"
    assert sight.text == "not found: The thing"
    assert sight.remedy == "sudo apt-get install --yes thing-tools"


def test_who_says_yes_lets_the_step_run() -> None:
    assert steps.survey_packages(context(packages=GONE, yes_install=True)).state == "run"


def test_what_has_no_name_here_is_for_a_person() -> None:
    nameless = {"The thing": {"command": "no-such-command-here", "dnf": "thing"}}
    sight = steps.survey_packages(context(packages=nameless, yes_install=True))
    assert sight.state == "missing"
    assert "install The thing with" in sight.remedy


@pytest.mark.parametrize("packages", [{"x": {"comand": "sh"}}, {"x": {}}, {"x": 7}, ["x"]])
def test_an_option_that_is_wrong(packages: Any) -> None:
    with pytest.raises(ProfileError, match="packages"):
        steps.survey_packages(context(packages=packages))


def test_nothing_is_installed_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("something was run"))
    for options in ({}, {"yes_install": False}):
        with pytest.raises(CannotRunError) as caught:
            steps.install_packages(step(tmp_path, packages=GONE, **options))
        assert "sudo apt-get install --yes thing-tools" in caught.value.remedy
    assert steps.install_packages(step(tmp_path, packages=THERE, yes_install=True)) == {
        "packages": ["A shell"],
        "installed": [],
    }


def test_the_command_is_a_list_and_never_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "no-such-command-here"

    def run(command: tuple[str, ...], **how: Any) -> subprocess.CompletedProcess[str]:
        assert command == ("sudo", "-n", "apt-get", "install", "--yes", "thing-tools")
        assert how["stdin"] == subprocess.DEVNULL
        assert "shell" not in how
        tool.write_text("#!/bin/sh\n")
        tool.chmod(0o755)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    facts = steps.install_packages(step(tmp_path, packages=GONE, yes_install=True))
    assert facts == {"packages": ["The thing"], "installed": ["The thing"]}


def test_a_failed_install_says_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: tuple[str, ...], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "reading\nsudo: a password is required\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(CannotRunError, match="a password is required") as caught:
        steps.install_packages(step(tmp_path, packages=GONE, yes_install=True))
    assert "run by hand: sudo apt-get install --yes thing-tools" in caught.value.remedy


def test_an_install_that_does_not_help_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, "", ""))
    with pytest.raises(CannotRunError, match="not found afterwards"):
        steps.install_packages(step(tmp_path, packages=GONE, yes_install=True))


def test_without_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise FileNotFoundError(2, "No such file or directory", "sudo")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(CannotRunError, match="sudo cannot be run"):
        steps.install_packages(step(tmp_path, packages=GONE, yes_install=True))
