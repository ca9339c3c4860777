"""The import layers of the architecture: a room imports only rooms below it, and the command line imports little."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "engine"

ROOMS = [
    {"cli"},
    {"pool"},
    {"design_space"},
    {"explore", "guide"},
    {"watch"},
    {"jobs"},
    {"survey"},
    {"steps"},
    {"tuning"},
    {"standins"},
    {"submission", "harness"},
    {"networks"},
    {"datasets", "tasks"},
    {"backends"},
    {"fetch", "formats"},
    {"store", "system", "mlperf_logs"},
    {"plan"},
    {"profile"},
    {"ascii", "codec", "crashes", "errors", "events", "facts", "histogram", "mlperf", "moved", "step", "text"},
]
"""From the top down; rooms of one line may import each other."""


def room(module: str) -> str:
    """Return the room of a module: the first name below engine."""
    return module.split(".")[1] if "." in module else ""


def level(name: str) -> int:
    """Return the layer of a room, counted from the top."""
    return next(number for number, rooms in enumerate(ROOMS) if name in rooms)


def imports(path: Path) -> set[str]:
    """Return the engine modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "engine"}
    return found


FILES = sorted(ENGINE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_imports_point_down(path: Path) -> None:
    module = "engine." + ".".join(path.relative_to(ENGINE).with_suffix("").parts)
    used = imports(path)
    assert not {name for name in used if name.split(".")[0] in ("tui", "textual")}, "the engine knows no interface"
    if path.parent == ENGINE and path.stem == "__init__":
        return
    for name in used:
        if name.startswith("engine.") and room(name) in {one for rooms in ROOMS for one in rooms}:
            assert level(room(name)) >= level(room(module)), f"{module} reaches up to {name}"


SCREEN = ENGINE.parent / "tui"
SCREEN_FILES = sorted(SCREEN.rglob("*.py"))

FORBIDDEN_IN_THE_SCREEN = {"subprocess", "numpy", "onnx", "onnxruntime", "tensorflow", "cv2", "PIL", "mlperf_loadgen"}


@pytest.mark.parametrize("path", SCREEN_FILES, ids=lambda path: str(path.relative_to(SCREEN)))
def test_the_screen_draws_what_the_engine_says(path: Path) -> None:
    used = imports(path)
    assert not {name.split(".")[0] for name in used} & FORBIDDEN_IN_THE_SCREEN
    allowed = {"engine.cli", "engine.cli.main"} if path.name in ("main.py", "start.py") else set()
    assert not {name for name in used if name.startswith(("engine.cli", "engine.steps", "engine.harness"))} - allowed


def test_nothing_heavy_is_in_the_process_of_the_screen(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.tui.deck import deck, shows\n"
        "async def visit():\n"
        f"    app = deck(Path({str(tmp_path)!r}))\n"
        "    async with app.run_test(size=(120, 36)) as pilot:\n"
        "        await shows(pilot, 'recipe demo')\n"
        "        for key in '23451':\n"
        "            await pilot.press(key)\n"
        "            await pilot.pause()\n"
        "asyncio.run(visit())\n"
        "sys.stderr.write(' '.join(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ENGINE.parent)
    heavy = {"numpy", "onnx", "onnxruntime", "tensorflow", "cv2", "PIL", "mlperf_loadgen", "requests", "textual_serve"}
    assert not heavy & set(done.stderr.split())


def test_every_room_has_its_place() -> None:
    rooms = {path.name for path in ENGINE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= {one for names in ROOMS for one in names}


def test_a_name_tells_which_file() -> None:
    """Only main and base are names in several packages, besides the command line's files, named after its commands."""
    plain = [path.stem for path in FILES if path.parent.name != "cli"]
    assert {name for name in plain if plain.count(name) > 1} == {"__init__", "main", "base"}


def test_only_the_command_line_draws() -> None:
    drawing = {path for path in FILES if any(name.split(".")[0] == "rich" for name in imports(path))}
    assert {path.parent.name for path in drawing} == {"cli"}


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], {"yaml", "numpy", "onnxruntime", "cv2", "rich", "msgspec", "psutil", "requests"}),
        (
            ["plan", "--recipe=demo", "--json"],
            {"numpy", "onnxruntime", "cv2", "onnx", "mlperf_loadgen", "rich", "requests"},
        ),
        (["jobs"], {"numpy", "onnxruntime", "cv2", "rich", "requests"}),
        (["results"], {"numpy", "onnxruntime", "cv2", "rich", "requests", "yaml"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path: Path, words: list[str], heavy: set[str]) -> None:
    code = f"import sys; from engine.cli.main import main; main({words!r}); sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"INFERDECK_HOME": str(tmp_path)}
    )
    assert not heavy & set(done.stderr.split())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_facts_are_read_as_structs(path: Path) -> None:
    """Facts are decoded in one place (Artifact.read), and not read from a dictionary by key."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            assert not (isinstance(node.value, ast.Attribute) and node.value.attr == "facts"), ast.unparse(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            read = node.func.value
            assert not (isinstance(read, ast.Attribute) and read.attr == "facts"), ast.unparse(node)
