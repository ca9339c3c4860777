"""Hold the code that makes an artifact against its component's revision: `python -m tools.revisions [--record]`.

The key of an artifact covers `revision`, a number in the component's YAML, and not the source of inferdeck's modules,
so that a renamed word in a shared module does not throw away a preprocessed data set. So that a changed one is not
forgotten, tests/engine/revisions.json keeps a digest of everything that a component's code imports, and a test fails
where it is another one. Then either raise the component's `revision`, because its outcome is another one, or leave it;
and record with this command.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from engine.profile.catalog import load
from engine.profile.component import Component

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "tests" / "engine" / "revisions.json"

INFRASTRUCTURE = (
    "engine.errors engine.events engine.text engine.codec engine.store engine.fetch engine.profile engine.plan "
    "engine.system engine.survey engine.jobs engine.watch engine.step engine.facts engine.mlperf engine.moved "
    "engine.steps.measuring.run_findings engine.mlperf_logs engine.submission.checker"
).split()
"""Rooms and modules that transport, store, read and check, and affect no byte of an artifact."""


def main(argv: Sequence[str] | None = None) -> int:
    """Report what changed since the last record, or record; returns 1 where something changed."""
    parser = argparse.ArgumentParser(prog="python -m tools.revisions", description=__doc__)
    parser.add_argument("--record", action="store_true", help="the revisions are as they should be")
    now = current()
    if parser.parse_args(argv).record:
        RECORD.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    found = changed(recorded(), now)
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return bool(found)


def recorded() -> dict[str, str]:
    """Return what was recorded: component → revision and digest."""
    read: dict[str, str] = json.loads(RECORD.read_text(encoding="utf-8"))
    return read


def current() -> dict[str, str]:
    """Return the same for the present code, for every component that runs code of inferdeck."""
    components = load([]).components
    return {name: f"{one.revision} {digest(roots(one))}" for name, one in components.items() if roots(one)}


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return a line for each component whose code or revision is not what was recorded."""
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return [f"{name}: recorded {before.get(name, 'nothing')}, now {now.get(name, 'nothing')}" for name in names]


def roots(component: Component) -> list[str]:
    """Return the modules of inferdeck that a component names."""
    named = [component.step.partition(":")[0], *component.code]
    return [module for module in named if module.partition(".")[0] == "engine"]


def digest(modules: Sequence[str]) -> str:
    """Return the digest of modules and of all that they import, without what is infrastructure."""
    whole = hashlib.sha256()
    for module in sorted(closure(modules)):
        whole.update(f"{module} {_digest_of(module)}\n".encode())
    return whole.hexdigest()[:16]


def closure(modules: Sequence[str]) -> set[str]:
    """Return modules of inferdeck with all that they import, at any place in their source."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found and not _is_infrastructure(module):
            found.add(module)
            waiting += imports(module)
    return found


@cache
def imports(module: str) -> tuple[str, ...]:
    """Return the modules of inferdeck that a module imports anywhere."""
    return tuple(sorted({name for name in _named(_tree(module)) if _file(name) is not None}))


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("engine"))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "engine":
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_infrastructure(module: str) -> bool:
    return module == "engine" or any(module == name or module.startswith(f"{name}.") for name in INFRASTRUCTURE)


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    found = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    return found if found.is_file() else None


@cache
def _tree(module: str) -> ast.AST:
    file = _file(module)
    assert file is not None, module
    return ast.parse(file.read_bytes())


@cache
def _digest_of(module: str) -> str:
    """Return the digest of a module's syntax tree, without docstrings (comments are not in the tree)."""
    return hashlib.sha256("".join(_written(_tree(module))).encode()).hexdigest()


def _written(node: object) -> Iterator[str]:
    """Yield a syntax tree as text. Empty fields are left out: Python's versions differ in them."""
    if isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for name, value in ast.iter_fields(node):
            if value not in (None, []):
                yield f"{name}="
                yield from _written(value)
        yield ")"
    elif isinstance(node, list):
        for one in node:
            if not _is_text(one):
                yield from _written(one)
    else:
        yield f"{node!r},"


def _is_text(node: object) -> bool:
    """Return whether a statement is only a string: a docstring, or one below an attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


if __name__ == "__main__":
    sys.exit(main())
