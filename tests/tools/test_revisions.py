"""The code that makes an artifact is held against its component's revision."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.profile.catalog import load
from tools import revisions


def test_changed_code_was_thought_about() -> None:
    """Where this fails: raise the `revision` of components whose outcome changed, then `python -m tools.revisions
    --record`.
    """
    assert revisions.changed(revisions.recorded(), revisions.current()) == []


def test_a_step_stands_for_what_it_imports_at_any_place() -> None:
    found = revisions.closure(["engine.tasks.image_preparation", "engine.tasks.image_classification"])
    assert {"engine.tasks.image_preparation", "engine.tasks.image_classification", "engine.tasks.base"} <= found
    assert "engine.tasks.image_task" in found, "imported by the task"
    assert "engine.errors" not in found
    assert not [name for name in found if name.startswith(("engine.store", "engine.profile"))]


def test_the_harness_is_part_of_what_measures() -> None:
    found = revisions.closure(revisions.roots(load([]).components["loadgen-run"]))
    assert {"engine.harness.run", "engine.harness.queues", "engine.tasks.programs"} <= found


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of two modules in place of this one."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "one.py").write_text("from engine.two import f\n")
    (tmp_path / "engine" / "two.py").write_text(
        '"""Two."""\n\ndef f(x: int) -> int:\n    """Add."""\n    return x + 1\n'
    )
    monkeypatch.setattr(revisions, "ROOT", tmp_path)
    _forget()
    yield tmp_path / "engine"
    _forget()


def _forget() -> None:
    for kept in (revisions.imports, revisions._tree, revisions._digest_of):
        kept.cache_clear()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ('"""Another text."""\ndef f(x: int) -> int:\n    # why\n    return x + 1\n', True),
        ("def f(x: int) -> int:\n    return (x +\n        1)\n", True),
        ("def f(x: int) -> int:\n    return x + 2\n", False),
        ("def f(y: int) -> int:\n    return y + 1\n", False),
    ],
)
def test_words_and_layout_are_no_code(copied: Path, text: str, same: bool) -> None:
    before = revisions.digest(["engine.one"])
    ast.parse(text)
    (copied / "two.py").write_text(text)
    _forget()
    assert (revisions.digest(["engine.one"]) == before) == same


def test_what_changed_is_named() -> None:
    assert revisions.changed({"a": "1 x", "b": "1 y", "c": "1 z"}, {"a": "1 x", "b": "2 y", "d": "1 v"}) == [
        "b: recorded 1 y, now 2 y",
        "c: recorded 1 z, now nothing",
        "d: recorded nothing, now 1 v",
    ]
