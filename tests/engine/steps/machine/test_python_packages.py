"""Installed packages: found in the requested range, or missing with the command that installs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.step import SurveyContext
from engine.steps.machine.python_packages import survey_package, survey_package_data

LOADGEN = {"package": "mlcommons-loadgen"}


def test_what_is_installed_is_found(installed: dict[str, str]) -> None:
    installed["mlcommons-loadgen"] = "6.0.17"
    sight = survey_package(SurveyContext(LOADGEN, {}, version=">=6"))
    assert (sight.state, sight.identity, sight.text) == ("found", "mlcommons-loadgen==6.0.17", "6.0.17")
    assert sight.artifact is not None
    assert sight.artifact.facts == {"package": "mlcommons-loadgen", "version": "6.0.17"}


def test_a_missing_package_says_what_installs_it(installed: dict[str, str]) -> None:
    sight = survey_package(SurveyContext(LOADGEN, {}))
    assert (sight.state, sight.text) == ("missing", "mlcommons-loadgen is not installed")
    assert sight.remedy == "pip install 'mlcommons-loadgen'"


def test_a_version_out_of_range_is_a_conflict(installed: dict[str, str]) -> None:
    installed["mlcommons-loadgen"] = "6.0.17"
    sight = survey_package(SurveyContext(LOADGEN, {}, version="<6"))
    assert sight.state == "conflict"
    assert "mlcommons-loadgen 6.0.17 is installed, <6 is required" in sight.text
    assert sight.remedy.startswith("pip install 'mlcommons-loadgen<6'")


DATA = {"index": "pypi", "package": "sample", "bytes": "32.7 MB"}


def test_a_package_file_tells_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    sight = survey_package_data(SurveyContext(DATA, {}))
    assert (sight.state, sight.fetch_bytes) == ("run", 32_700_000)


def test_a_package_of_npm_needs_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sight = survey_package_data(SurveyContext({**DATA, "index": "npm"}, {}))
    assert (sight.state, "no npm on this machine" in sight.text) == ("missing", True)
    assert "Node.js" in sight.remedy
    (tmp_path / "npm").write_text("#!/bin/sh\n")
    (tmp_path / "npm").chmod(0o755)
    assert survey_package_data(SurveyContext({**DATA, "index": "npm"}, {})).state == "run"
