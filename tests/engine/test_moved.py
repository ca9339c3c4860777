"""Renamed modules are found under both names, and make the keys of earlier versions' stores."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from engine.moved import MOVED, first_name, present_name
from engine.profile.catalog import load
from engine.profile.component import Component
from engine.profile.document import SourceLocation
from engine.step import SurveyContext, SurveyResult
from engine.steps import base
from engine.survey.keys import code_digest, definition, source_file
from engine.survey.survey import load_function


@pytest.mark.parametrize(
    ("name", "first", "code"),
    [
        (
            "choose-workers",
            "engine.steps.workers:choose",
            "9160b551d655a5c8b342216d55d68d16334678b2a867a035a48b6ecc0b86d997",
        ),
        (
            "imagenet-patterns",
            "engine.models.patterns:generate",
            "f9e93a14b7b19adbffde38db6345013a3014fb7edefc6d40ccc795ff9bc521fe",
        ),
        (
            "model-file",
            "engine.steps.model:read_file",
            "3db49c691da1816eec0ab3df83fbef069407b238e293ea6e59ee1fac204ff006",
        ),
        (
            "openimages-photographs",
            "engine.steps.package_data:boxed",
            "e39c1d9e49cd68d464f8c1a69a5a3e22189f95085e37bd8536d3225c60c3e51f",
        ),
        (
            "patterns-net",
            "engine.models.patterns_net:shipped",
            "679e2c7adb013640b779cee65d96ac6b6eb0c52aeae9a1e30cbbe0f9cfb36deb",
        ),
        (
            "ssd-mobilenet-v2",
            "engine.models.ssd_mobilenet:convert",
            "e11eed17526cbe554dd3baceed257014a6bd6bb5a7e432311a749d718c410048",
        ),
        (
            "standin-retinanet",
            "engine.models.standin_retinanet:build",
            "f8db10c56f0798c02ddf9ff0d8f50ffdd386694359fe539d940a8573df007f31",
        ),
    ],
)
def test_keys_are_those_of_earlier_versions(name: str, first: str, code: str) -> None:
    """As inferdeck wrote them before the modules were sorted into rooms; raising a revision changes the second."""
    component = load([]).components[name]
    assert (definition(component), code_digest(component)) == (first, code)


@pytest.mark.parametrize(("first", "present"), MOVED.items())
def test_a_line_leads_to_a_module_and_back(first: str, present: str) -> None:
    assert find_spec(present.partition(":")[0]) is not None
    assert present not in MOVED, "one step, and no circle"
    assert (present_name(first), first_name(present)) == (present, first)


def test_a_function_is_found_by_the_former_name_of_its_module(tmp_path: Path) -> None:
    own = Component(name="own", place=SourceLocation(str(tmp_path / "own.yaml"), 1, ""))
    assert source_file("engine.models.patterns", own) == source_file("engine.datasets.patterns", own)
    assert load_function("engine.models.patterns:generate", own) is load_function(
        "engine.datasets.patterns:generate", own
    )


def test_other_names_stay() -> None:
    assert first_name("engine.steps.download:fetch") == present_name("engine.steps.download:fetch")
    assert (first_name(""), present_name("my_step.py:run")) == ("", "my_step.py:run")


def test_a_component_of_the_users_own_may_import_the_former_names() -> None:
    assert (base.Look, base.Sight) == (SurveyContext, SurveyResult)
