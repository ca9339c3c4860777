"""What the source of a step is."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ProfileError
from engine.profile.component import Component
from engine.profile.reading import read_component
from engine.survey.keys import source_file


def component(folder: Path) -> Component:
    path = folder / "own.yaml"
    path.write_text("name: own\ntags: [own]\n")
    return read_component(path)


def test_a_module_is_found_by_its_name_and_a_file_beside_the_profile(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    assert source_file("mine.py", component(tmp_path)) == tmp_path / "mine.py"
    assert source_file("engine.steps.machine.detect", component(tmp_path)).name == "system.py"


@pytest.mark.parametrize("module", ["...", ".x", "no.such.module", "engine.nothing", "", "loop.py", "no.py"])
def test_what_is_no_module_is_an_error_of_the_profile(tmp_path: Path, module: str) -> None:
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    with pytest.raises(ProfileError, match="there is no step module"):
        source_file(module, component(tmp_path))
