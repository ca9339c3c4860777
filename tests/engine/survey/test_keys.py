"""The source of a step, and what of it is part of keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ProfileError
from engine.moved import MOVED
from engine.profile.catalog import load
from engine.profile.component import Component
from engine.profile.reading import read_component
from engine.survey.keys import code_digest, definition, source_file
from engine.survey.survey import load_function


def component(folder: Path) -> Component:
    path = folder / "own.yaml"
    path.write_text("name: own\ntags: [own]\n")
    return read_component(path)


def test_a_module_is_found_by_its_name_and_a_file_beside_the_profile(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    assert source_file("mine.py", component(tmp_path)) == tmp_path / "mine.py"
    assert source_file("engine.steps.machine.detect", component(tmp_path)).name == "detect.py"


@pytest.mark.parametrize("module", ["...", ".x", "no.such.module", "engine.nothing", "", "loop.py", "no.py"])
def test_what_is_no_module_is_an_error_of_the_profile(tmp_path: Path, module: str) -> None:
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    with pytest.raises(ProfileError, match="there is no step module"):
        source_file(module, component(tmp_path))


@pytest.mark.parametrize(
    ("name", "first", "code"),
    [
        (
            "imagenet-preprocessed",
            "engine.steps.preprocess:preprocess",
            "f0591b3ac7ebceace8b4060a6cea687b31984fc8143a82945708c533ce4eac15",
        ),
        (
            "openimages-preprocessed",
            "engine.steps.preprocess:preprocess",
            "ea8234af940244efaeb567f18c41fdc4dfe091fa154f146441ce61418bd40d6e",
        ),
    ],
)
def test_code_that_moved_makes_what_stores_of_earlier_versions_have(name: str, first: str, code: str) -> None:
    """Both as inferdeck wrote them when image preparation was in the steps package."""
    found = load([]).components[name]
    assert (definition(found), code_digest(found)) == (first, code)


@pytest.mark.parametrize(("first", "present"), MOVED.items())
def test_a_component_of_a_persons_own_may_say_the_former_name(tmp_path: Path, first: str, present: str) -> None:
    own = component(tmp_path)
    assert source_file(first.partition(":")[0], own) == source_file(present.partition(":")[0], own)
    if ":" in first:
        assert load_function(first, own) is load_function(present, own)
