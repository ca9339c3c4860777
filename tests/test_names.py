"""No public name stands for two things where a reader meets both: rooms that import each other, or a file that imports
both rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from tests.test_circles import module_name

ROOT = Path(__file__).parents[1]


@cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax tree of each module of the engine and of the app."""
    files = [path for package in ("engine", "tui") for path in (ROOT / package).rglob("*.py")]
    return {module_name(path, ROOT): ast.parse(path.read_text()) for path in files}


def room(module: str) -> str:
    """Return the room of a module, such as engine.jobs."""
    return ".".join(module.split(".")[:2])


def defined(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Yield each public name at the top level of a module, and whether it is a class."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                yield name, True
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, False
            case ast.Assign(targets=targets):
                yield from ((target.id, False) for target in targets if isinstance(target, ast.Name))


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import from a module, anywhere in a file; the name is empty for a whole module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole, "") if whole in trees() else (node.module, alias.name)


def shared_names() -> dict[str, list[tuple[str, str]]]:
    """Return the names of two modules whose rooms meet: classes, and what other modules import by its name."""
    known = trees()
    own = {module: dict(defined(tree)) for module, tree in known.items()}
    meet: set[tuple[str, str]] = set()
    public: dict[str, set[str]] = {}
    for module, tree in known.items():
        taken = [(source, name) for source, name in imported(tree) if source in known]
        rooms = {room(module), *(room(source) for source, _ in taken)}
        meet |= {(one, other) for one in rooms for other in rooms}
        for source, name in [*taken, *((module, name) for name, is_class in own[module].items() if is_class)]:
            if name in own[source] and not name.startswith("_"):
                public.setdefault(name, set()).add(source)
    found = {
        name: [pair for pair in combinations(sorted(modules), 2) if (room(pair[0]), room(pair[1])) in meet]
        for name, modules in public.items()
    }
    return {name: pairs for name, pairs in found.items() if pairs}


ALLOWED = {
    "Array": "each module's alias of numpy's arrays, the same everywhere",
    "calibration": "tasks: found by this name in the module of a task",
    "build": "networks: the module that it is imported from names the network",
    "write": "tasks: writes the sample set of the task that it is imported from",
}
"""Names that tell in spite of it, and why."""


def test_no_public_name_is_shared_by_rooms_that_meet() -> None:
    assert {name: where for name, where in shared_names().items() if name not in ALLOWED} == {}


@pytest.mark.parametrize("name", ALLOWED)
def test_each_exception_is_needed(name: str) -> None:
    assert name in shared_names()


def test_a_shared_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {
        "engine.a.one": "class Launch: ...\nLIMIT = 1\nOWN = 1",
        "engine.b.two": "from engine.a.one import LIMIT\nclass Launch: ...\nOWN = 2",
        "engine.c.far": "class Launch: ...\nLIMIT = 3",
        "engine.d.reader": "from engine.c.far import LIMIT",
    }
    found = {name: ast.parse(text) for name, text in sources.items()}
    monkeypatch.setattr("tests.test_names.trees", lambda: found)
    assert shared_names() == {"Launch": [("engine.a.one", "engine.b.two")]}
