"""The options that step functions read match those that components declare: names, types and choices."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from msgspec import UnsetType

from engine.errors import ProfileError
from engine.profile.catalog import load
from engine.profile.component import Component, Option
from engine.step import Options, Step, read_options

SHIPPED = load()

TYPES: dict[str, Any] = {
    "text": str,
    "path": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": tuple[str, ...],
}
"""Type of an option in YAML → type annotation of the struct."""


def functions(component: Component) -> list[str]:
    """Return the functions that a component names, `module:function`."""
    return [name for name in (component.step, component.survey) if name]


@cache
def tree_of(module: ModuleType) -> ast.Module:
    """Return the syntax tree of a module's file."""
    return ast.parse(Path(str(module.__file__)).read_text())


ROOMS = ("steps", "tasks", "datasets", "standins", "networks")
"""Rooms of the functions that components name."""


def of_steps(module: str) -> bool:
    """Return whether a module is in one of ROOMS."""
    return module.startswith(tuple(f"engine.{room}." for room in ROOMS))


def kinds(name: str) -> Iterator[type[Options]]:
    """Yield the structs that a function reads, including those of the step functions that it calls."""
    waiting, seen = [name], {name}
    while waiting:
        place, _, function = waiting.pop().partition(":")
        module = importlib.import_module(place)
        defined = [node for node in tree_of(module).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        bodies = [node for node in defined if node.name == function]
        for call in (node for body in bodies for node in ast.walk(body) if isinstance(node, ast.Call)):
            if ast.unparse(call.func).rpartition(".")[2] == "read_options":
                kind = value_of(module, call.args[-1])
                if isinstance(kind, type):
                    yield kind
            if (further := called(module, call.func)) and further not in seen:
                seen.add(further)
                waiting.append(further)


def called(module: ModuleType, function: ast.expr) -> str:
    """Return the called step function, `module:function`; empty where it is not one."""
    match function:
        case ast.Name(id=name):
            return f"{dict(imported(tree_of(module))).get(name, module.__name__)}:{name}"
        case ast.Attribute(value=ast.Name(id=room), attr=name):
            inner = getattr(module, room, None)
            if isinstance(inner, ModuleType) and of_steps(inner.__name__):
                return f"{inner.__name__}:{name}"
    return ""


def value_of(module: ModuleType, name: ast.expr) -> Any:
    """Return what a name, or an attribute of an imported module, stands for in a module; None if unknown."""
    match name:
        case ast.Name(id=one):
            return getattr(module, one, None)
        case ast.Attribute(value=ast.Name(id=room), attr=one):
            place = dict(imported(tree_of(module))).get(room)
            inner = importlib.import_module(f"{place}.{room}") if place else None
            return getattr(inner, one, None)
    return None


@cache
def imported(tree: ast.AST) -> list[tuple[str, str]]:
    """Return (name, module) of what a file imports from modules of ROOMS, anywhere in it."""
    found = ((node.module or "", node.names) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return [(one.name, module) for module, names in found if of_steps(f"{module}.") for one in names]


def members(declared: Any) -> tuple[Any, ...]:
    """Return the types of a field, without None and UNSET."""
    every = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
    return tuple(one for one in every if one not in (NoneType, UnsetType))


def fault(field: msgspec.structs.FieldInfo, option: Option | None) -> str:
    """Return how a field contradicts the option in the YAML; empty where it fits."""
    if option is None:
        return "is not declared" if field.required else ""
    types, typed = members(field.type), TYPES[option.type]
    for one in types:
        if get_origin(one) is not Literal:
            continue
        allowed = set(get_args(one))
        if not option.choices or not set(option.choices) <= allowed:
            return f"may be {option.choices or 'anything'}, and the struct allows {sorted(allowed)}"
        types = tuple(type(choice) for choice in allowed)
    return "" if typed in types else f"is a {option.type}, and the struct says {field.type}"


READ = [
    (component, name) for component in SHIPPED.components.values() for name in functions(component) if of_steps(name)
]


@pytest.mark.parametrize(("component", "name"), READ, ids=[f"{one.name} {name}" for one, name in READ])
def test_structs_fit_the_components(component: Component, name: str) -> None:
    for kind in kinds(name):
        for field in msgspec.structs.fields(kind):
            wrong = fault(field, component.options.get(field.encode_name))
            assert not wrong, f"{component.name}: {field.name} {wrong} ({kind.__name__})"


def test_the_structs_are_found() -> None:
    names = [name for _, name in READ] + ["engine.tasks.image_calibration:calibration"]  # called through its task
    found = {kind.__name__ for name in names for kind in kinds(name)}
    every = {kind.__name__ for kind in _below(Options) if of_steps(kind.__module__) and not kind.__subclasses__()}
    assert len(every) >= 40
    assert every <= found, "a struct that no component's function reads"


def _below(kind: type[Options]) -> Iterator[type[Options]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


class Tried(Options, frozen=True, kw_only=True):
    """Options of the tests here."""

    name: str
    count: int | None
    form: Literal["a", "b"]
    files: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("field", "option", "wrong"),
    [
        ("name", None, "not declared"),
        ("files", None, ""),
        ("name", Option("name", "int"), "is a int"),
        ("name", Option("name", "path"), ""),
        ("count", Option("count", "float"), "is a float"),
        ("count", Option("count", "int"), ""),
        ("form", Option("form", "text"), "anything"),
        ("form", Option("form", "text", choices=("a", "c")), "may be"),
        ("form", Option("form", "text", choices=("a",)), ""),
        ("files", Option("files", "text"), "is a text"),
    ],
)
def test_what_does_not_fit_is_noticed(field: str, option: Option | None, wrong: str) -> None:
    (info,) = (one for one in msgspec.structs.fields(Tried) if one.name == field)
    found = fault(info, option)
    assert wrong in found
    assert bool(found) == bool(wrong)


def test_options_are_read_typed_and_others_are_left_alone(tmp_path: Path) -> None:
    given = {"name": "x", "count": None, "form": "b", "files": ["one"], "other": 1}
    step = Step(id="s", title="s", options=given, inputs={}, output=tmp_path, emit=lambda _: None)
    assert step.read_options(Tried) == Tried(name="x", count=None, form="b", files=("one",))


@pytest.mark.parametrize("change", [{"name": None}, {"name": 1}, {"form": "c"}, {"count": "1"}])
def test_what_the_component_lacks_is_named(change: dict[str, Any]) -> None:
    given = {"name": "x", "count": 1, "form": "a", **change}
    with pytest.raises(ProfileError, match=rf"\$\.{next(iter(change))}"):
        read_options(given, Tried)


def test_a_missing_option_is_named() -> None:
    with pytest.raises(ProfileError, match="required field `name`"):
        read_options({"count": 1, "form": "a"}, Tried)
