"""No module imports, by whatever way, a module that imports it: imports inside functions and for types count, too."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def module_name(path: Path, root: Path) -> str:
    """Return the name by which a file is imported."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, known: Mapping[str, Path]) -> set[str]:
    """Return the known modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found |= {full if full in known else node.module for full in names.values()}
    return found & set(known)


def graph(root: Path, *packages: str) -> dict[str, set[str]]:
    """Return what each module of some packages imports of them."""
    files = {module_name(path, root): path for package in packages for path in (root / package).rglob("*.py")}
    return {name: imported(ast.parse(path.read_text()), files) - {name} for name, path in files.items()}


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of one circle, each imported by the one before; nothing where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_there_is_no_circle_of_imports() -> None:
    imports = graph(ROOT, "engine", "tui", "profiles")
    assert len(imports) > 300
    assert not circle(imports)


@pytest.mark.parametrize(
    "line",
    [
        "import tiny.one",
        "from tiny import one",
        "from tiny.one import ONE",
        "def late():\n    from tiny.one import ONE",
    ],
)
def test_a_circle_is_found(tmp_path: Path, line: str) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text("from tiny.two import TWO\nONE = TWO\n")
    (folder / "two.py").write_text("TWO = 2\n")
    assert not circle(graph(tmp_path, "tiny"))
    (folder / "two.py").write_text(f"TWO = 2\n{line}\n")
    assert sorted(set(circle(graph(tmp_path, "tiny")))) == ["tiny.one", "tiny.two"]
    assert "tiny" not in sys.modules


def test_screens_do_not_know_the_app() -> None:
    imports = graph(ROOT, "tui")
    asking = {name for name, used in imports.items() if "tui.app" in used}
    assert asking == {"tui.start"}
