"""Resolving is pure: the modules use nothing impure, and no file, clock or process state is read."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "engine" / "plan").glob("*.py"))

PURE = frozenset("__future__ collections dataclasses functools itertools json msgspec packaging typing".split())
"""Allowed imports of the resolver from the standard library and packages."""
OURS = frozenset({"engine.errors", "engine.mlperf", "engine.text"})
"""And from inferdeck, besides the resolver itself and the records of the profiles."""
RECORDS = {
    "engine.profile": {"hints"},
    "engine.profile.catalog": {"Catalog"},
    "engine.profile.component": None,
    "engine.profile.names": {"folder_fault"},
    "engine.profile.recipe_files": {"RecipeFile"},
    "engine.profile.rounds": {"Round"},
    "engine.profile.run_rules": {"resolve_rules"},
    "engine.profile.systems": {"Description"},
    "engine.profile.tree_rules": {"Division"},
    "engine.profile.values": {"coerce"},
}
"""Module of the profiles → its pure names; None is all."""


def impure(code: str) -> list[str]:
    """Return a module's imports and calls that could have side effects."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] not in PURE]
        elif isinstance(node, ast.ImportFrom):
            module, names = node.module or "", {alias.name for alias in node.names}
            if module.split(".")[0] in PURE or module in OURS or module.startswith("engine.plan"):
                continue
            allowed = RECORDS.get(module, set())
            found += [f"{module}.{name}" for name in sorted(names) if allowed is not None and name not in allowed]
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("open", "print", "input")
        ):
            found.append(node.func.id)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_modules_name_nothing_impure(path: Path) -> None:
    assert not impure(path.read_text())


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "def late():\n    import time",
        "from pathlib import Path",
        "from engine.profile import document",
        "from engine.profile.systems import find",
        "from engine.store.files import read_plain",
        "text = open('x').read()",
    ],
)
def test_what_is_impure_is_noticed(line: str) -> None:
    assert impure(line)


RESOLVE = """
import sys, os, time
import packaging.version, packaging.specifiers, msgspec.structs
from engine.plan.choices import choices, choose
from engine.plan.resolve import resolve
from engine.plan.rule_book import refuse_foreign_scenarios, rule_book
from engine.plan.selection_syntax import selection_of, with_whole_paths
from engine.profile.catalog import load
from engine.profile.round_file import load_round
from engine.profile.systems import describer

catalog = load()
round_ = load_round(catalog.profile("rounds", "v2.1"))
known = describer(catalog.folders)("demo")
words = ["--tags=app,mlperf,inference,reference,python,_resnet50,_all-scenarios,_all-modes,_compliance,_submission"]
used = []

def watch(event, arguments):
    if event.split(".")[0] in ("open", "os", "glob", "pathlib", "socket", "subprocess", "shutil", "tempfile", "import"):
        used.append((event, arguments))

class Refused(dict):
    def __getitem__(self, name):
        used.append(("environment", name))
        raise KeyError(name)
    get = __getitem__

def no_clock(*_):
    used.append(("clock", ""))
    return 0.0

sys.addaudithook(watch)
os.environ = Refused()
for name in ("time", "time_ns", "monotonic", "perf_counter", "localtime", "strftime"):
    setattr(time, name, no_clock)
chosen, _ = selection_of([*words, "--sut=demo", "--division=open"])
chosen = with_whole_paths(chosen, catalog, lambda path: "/somewhere/" + path)
rules = rule_book(round_, lambda name: known)
plan = resolve(catalog, chosen, rules, "v2.1")
refuse_foreign_scenarios(plan.nodes[plan.root], round_)
found = choices(catalog, plan)
other = choose(catalog, chosen, next(one for one in found if one.title == "style"), "fast")
resolve(catalog, other, rules, "v2.1")
count = len(plan.nodes)
assert count > 40, count
assert not used, used
{more}
assert used
"""


@pytest.mark.parametrize("more", ["open(os.devnull).close()", "os.environ.get('HOME')", "time.time()"])
def test_resolving_touches_nothing(more: str) -> None:
    """`more` runs afterwards, and shows that side effects would be detected."""
    code = RESOLVE.replace("{more}", f"try:\n    {more}\nexcept KeyError:\n    pass")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
