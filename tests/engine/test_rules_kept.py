"""Claims of docs/rules-kept.md, held against the code: a known schedule never reaches the process that is measured."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.test_circles import graph

ROOT = Path(__file__).parents[2]
SCHEDULE = "engine.tuning.schedule"
SUT = "engine.harness.main"
PAGE = (ROOT / "docs" / "rules-kept.md").read_text(encoding="utf-8")

IMPORTS = graph(ROOT, "engine")


def loaded_by_the_sut() -> list[str]:
    """Return the modules with which the SUT process starts, and all that it imports by a name from the run's spec."""
    return [SUT, *(name for name in IMPORTS if name.startswith(("engine.tasks.", "engine.backends.")))]


def closure(modules: Iterable[str], imports: Mapping[str, Iterable[str]]) -> set[str]:
    """Return modules with all that they import, anywhere in their files, and the packages that these are in."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in found or module not in imports:
            continue
        found.add(module)
        waiting += [*imports[module], module.rpartition(".")[0]]
    return found


def test_nothing_that_the_sut_process_imports_knows_the_schedule() -> None:
    assert SUT in IMPORTS
    assert SCHEDULE in IMPORTS
    found = closure(loaded_by_the_sut(), IMPORTS)
    assert not [name for name in found if name == "engine.tuning" or name.startswith("engine.tuning.")]


def test_the_closure_finds_the_schedule_where_it_is_imported() -> None:
    assert SCHEDULE in closure(["engine.steps.measuring.target"], IMPORTS)
    assert SCHEDULE in closure(loaded_by_the_sut(), {**IMPORTS, "engine.harness.queues": [SCHEDULE]})


def test_the_running_harness_has_not_loaded_the_schedule() -> None:
    code = f"import sys, {SUT}; print('\\n'.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "engine.harness.queues" in loaded
    assert not [name for name in loaded if name.startswith("engine.tuning")]


def test_one_module_simulates_the_schedule() -> None:
    assert [name for name, imported in IMPORTS.items() if SCHEDULE in imported] == ["engine.tuning.server_model"]


def test_tuning_reads_no_seed_of_a_round() -> None:
    read = {
        node.attr
        for path in (ROOT / "engine" / "tuning").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert "sessions" in read
    assert "seeds" not in read


def test_files_and_names_of_the_page_exist() -> None:
    files = re.findall(r"`((?:engine|tests|profiles)/[\w./-]+)`", PAGE)
    assert files
    assert not [name for name in files if not (ROOT / name).exists()]
    named = re.findall(r"`(engine/[\w/]+\.py)` `([\w.]+)`", PAGE)
    assert named
    missing = [
        f"{file}: {name}"
        for file, name in named
        if name.rpartition(".")[2] not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert not missing
