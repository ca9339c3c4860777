"""Whether a framework has wheels in the requested version is checked before a job starts, if the index answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import CannotRunError, FetchError
from engine.fetch.package_set import NoFitError, Pinned
from engine.plan.resolve import resolve
from engine.plan.selection import Selection
from engine.profile.component import Override, Query
from engine.steps.machine import environment
from engine.survey import package_check
from engine.survey.survey import Surveyor
from tests.helpers import catalog_of, folders_in

APP = "name: app\ntags: [app]\nsummary: A program\nneeds: {backend: {tags: one}}\n"
BACKEND = """
name: one
tags: [one]
summary: A framework
survey: engine.steps.machine.backend:survey
step: engine.steps.machine.environment:make
options:
  package: {default: packaging}
  module: {default: engine.backends.onnxruntime}
  device: {default: cpu}
"""


def check(tmp_path: Path, version: str) -> None:
    """Check a plan that requests this version."""
    ours = catalog_of(tmp_path / "profile", {"app": APP, "one": BACKEND})
    plan = resolve(ours, Selection(Query(("app",)), overrides={"backend": Override(version=version)}))
    seen = Surveyor(ours, folders_in(tmp_path / "home")).survey(plan)
    assert not seen.problems()
    package_check.refuse_without(plan, seen, ours)


def answering(monkeypatch: pytest.MonkeyPatch, answer: Exception | None) -> list[str]:
    """Make the index answer, and return the requests to it."""
    asked: list[str] = []

    def resolved(requirements: list[object], _python: Path, *, alone: bool) -> tuple[Pinned, ...]:
        assert alone
        asked.append(" ".join(map(str, requirements)))
        if answer:
            raise answer
        return ()

    monkeypatch.setattr(environment, "resolve", resolved)
    return asked


def test_a_version_without_wheels_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = answering(monkeypatch, NoFitError("the index has no wheel of packaging<1 for it", "it has 24.0"))
    with pytest.raises(CannotRunError, match=r"one: packaging<1 is not available for Python 3\..*no wheel") as caught:
        check(tmp_path, "<1")
    assert caught.value.remedy == "it has 24.0"
    assert set(asked) == {"packaging<1"}


def test_a_version_that_is_there_is_asked_for_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = answering(monkeypatch, None)
    check(tmp_path, ">=1,<2")
    assert asked == ["packaging<2,>=1"]


def test_what_runs_here_is_not_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = answering(monkeypatch, NoFitError("none", ""))
    check(tmp_path, "")
    assert asked == []


def test_where_the_index_is_silent_the_step_finds_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answering(monkeypatch, FetchError("the package index does not answer", "check the network"))
    check(tmp_path, "<1")
