"""Build a node's recipe: everything that must be equal for a stored artifact to be reused."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from engine.errors import ProfileError
from engine.moved import first_name, present_name
from engine.plan.plan import Node
from engine.profile.component import Component
from engine.store.files import digest, disk_errors, sha256_of
from engine.store.recipe import Recipe


def recipe_of(node: Node, component: Component, identities: Mapping[str, str], outside: str = "") -> Recipe:
    """Return the recipe of a node, given the identities of its inputs.

    `outside` is the surveyed state of files that the step reads from elsewhere on the machine.
    """
    inputs: dict[str, tuple[str, ...]] = {}
    for edge in node.needs:
        inputs[edge.name] = (*inputs.get(edge.name, ()), identities[edge.node])
    if outside:
        inputs["outside"] = (outside,)
    return Recipe(
        component=component.name,
        definition=definition(component),
        version=node.version or node.version_range,
        code=code_digest(component),
        options={name: decided.value for name, decided in node.options.items() if decided.key},
        inputs=inputs,
    )


def definition(component: Component) -> str:
    """Return what runs, as keys name it: a function of ours under its first name, or a command."""
    return first_name(component.step) or " ".join(component.command)


def code_digest(component: Component) -> str:
    """Return the identity of the code that makes the artifact; empty where nothing runs.

    For inferdeck's own modules it is the component's revision, which a test compares with their source and that of all
    they import (tools/revisions.py); for others it is the digest of their files.
    """
    modules = [component.step.partition(":")[0]] if component.step else []
    parts = [_code(module, component) for module in (*modules, *component.code)]
    return digest("".join(parts)) if parts else ""


def _code(module: str, component: Component) -> str:
    file = source_file(module, component)
    ours = not module.endswith(".py") and module.partition(".")[0] == "engine"
    return f"{first_name(module)} {component.revision}\n" if ours else _file_digest(file)


def source_file(module: str, component: Component) -> Path:
    """Return the source file of a module, or of a `.py` file next to the profile."""
    if module.endswith(".py"):
        path = (Path(component.place.file).parent / module).absolute()
        found = path if path.is_file() else None
    else:
        found = _module_file(present_name(module))
    if found is None:
        raise ProfileError(f"{component.place}: there is no step module '{module}'", "check the name after 'step:'")
    return found


@cache
def _module_file(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # no name of a module, or one that its package does not have
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _file_digest(path: Path) -> str:
    with disk_errors(path):
        seen = path.stat()
    return _digest_of(path, seen.st_size, seen.st_mtime_ns, seen.st_ino)


@lru_cache(maxsize=1024)
def _digest_of(path: Path, _size: int, _changed: int, _inode: int) -> str:
    """Return the digest of a file, cached while its state is unchanged: an open screen must notice an edited step."""
    return sha256_of(path)
