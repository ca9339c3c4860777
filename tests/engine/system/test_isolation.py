from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import CannotRunError
from engine.system.interpreters import asked, interpreters, running
from engine.system.isolation import SITE, Environment, here, within_environment


def test_a_python_within_sees_its_packages_our_code_and_nothing_else(tmp_path: Path) -> None:
    site = tmp_path / "made" / SITE
    site.mkdir(parents=True)
    (site / "own_package.py").write_text("NAME = 'own'\n")
    environment = Environment(running().path, running().version, {"own-package": "1.0"})
    launch = within_environment(tmp_path / "made", environment, tmp_path / "ours")
    code = (
        "import importlib.util as u, own_package, engine, profiles;"
        "print(own_package.NAME, u.find_spec('pytest'), u.find_spec('tui'))"
    )
    done = subprocess.run(
        [*launch.words, "-c", code], env=launch.environment, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.split() == ["own", "None", "None"]


def test_an_interpreter_that_is_gone_says_what_to_do(tmp_path: Path) -> None:
    gone = Environment(str(tmp_path / "python3"), "3.11.0", {})
    with pytest.raises(CannotRunError, match="no longer exists"):
        within_environment(tmp_path / "content", gone, tmp_path / "ours")


def test_another_python_starts_as_this_one_did() -> None:
    assert here().words[0] == sys.executable
    assert here().environment is None


def test_the_running_python_comes_first_and_each_minor_version_once() -> None:
    found = list(interpreters())
    assert found[0] == running()
    minors = [one.version.rsplit(".", 1)[0] for one in found]
    assert len(minors) == len(set(minors))


def test_what_is_no_python_is_passed_over(tmp_path: Path) -> None:
    assert asked(tmp_path / "python3.12") is None
    fake = tmp_path / "python3.13"
    fake.write_text("#!/bin/sh\necho nonsense\n")
    fake.chmod(0o755)
    assert asked(fake) is None
