"""One fault in an otherwise valid tree: how to create it, and the expected finding."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.mlperf import ACCURACY_LOG
from engine.profile.tree_rules import Severity
from tests.engine.submission.base_tree import SYSTEMS, System

Break = Callable[[Path], object]
"""Creates a fault, given the path that it names: of a file, a folder, or of something new."""


@dataclass(frozen=True)
class Fault:
    """A single fault."""

    name: str
    system: str
    """A key of SYSTEMS."""
    rule: str
    severity: Severity
    path: str
    """Where the finding is, from the tree's root."""
    make: Break
    at: str = ""
    """What is broken, if it is not the finding's path."""
    also: frozenset[str] = field(default=frozenset())
    """Other rules that may report the same fault."""
    results_stand: bool = False
    """The tree is rejected, but none of its results."""

    def __str__(self) -> str:
        return f"{self.system}: {self.rule}: {self.name}"


def run_of(system: str, scenario: str, model: str = "") -> str:
    """The path of a performance run."""
    return f"{result_of(system, scenario, model)}/performance/run_1"


def result_of(system: str, scenario: str, model: str = "") -> str:
    """The path of a result, of the system's first model by default."""
    return beside(system, "results", scenario, model)


def beside(system: str, kind: str, scenario: str, model: str = "") -> str:
    """The path of a scenario folder under results/, measurements/ or compliance/."""
    return SYSTEMS[system].at(kind, model or SYSTEMS[system].models[0], scenario)


def described(system: str) -> str:
    """The path of a system's description."""
    one: System = SYSTEMS[system]
    return f"{one.home}/systems/{one.name}.json"


def remove(path: Path) -> None:
    """Delete a file or a folder."""
    if path.is_dir():
        for inside in path.iterdir():
            remove(inside)
        path.rmdir()
    else:
        path.unlink()


def write(content: str | bytes) -> Break:
    """Overwrite a file."""

    def make(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return make


def replace(old: str, new: str) -> Break:
    """Replace a piece of text, which must exist."""

    def make(path: Path) -> None:
        text = path.read_text()
        assert old in text, f"{path} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    return make


def append(text: str) -> Break:
    """Append to a file."""
    return lambda path: path.write_text(path.read_text() + text)


def rename(name: str) -> Break:
    """Give a file or folder another name."""
    return lambda path: path.rename(path.with_name(name))


def fields(**values: Any) -> Break:
    """Change fields of a JSON object; None deletes a field."""

    def make(path: Path) -> None:
        found = json.loads(path.read_text()) | values
        path.write_text(json.dumps({key: value for key, value in found.items() if value is not None}))

    return make


def says(**values: Any) -> Break:
    """Change the value of a detail log's first message of a key; None deletes the message.

    Keys with dots are written with `__` for a dot and a prefix.
    """

    def make(path: Path) -> None:
        for key, value in values.items():
            _say(path, key.replace("__", "."), value)

    return make


def _say(path: Path, key: str, value: Any) -> None:
    lines = path.read_text().splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if f'"key": "{key}"' in line)
    message = json.loads(lines[number].removeprefix(":::MLLOG "))
    lines[number] = "" if value is None else ":::MLLOG " + json.dumps(message | {"value": value}) + "\n"
    path.write_text("".join(lines))


def own_hash(path: Path) -> None:
    """Replace the full log's hash by that of the truncated log."""
    text = path.read_text().partition("hash=")[0]
    digest = hashlib.sha256((path.parent / ACCURACY_LOG).read_bytes()).hexdigest()
    path.write_text(f"{text}hash={digest}\n")


def cut_line(key: str) -> Break:
    """Damage the line of a message: truncate it."""

    def make(path: Path) -> None:
        lines = path.read_text().splitlines(keepends=True)
        number = next(number for number, line in enumerate(lines) if f'"key": "{key}"' in line)
        lines[number] = lines[number][:60] + "\n"
        path.write_text("".join(lines))

    return make
