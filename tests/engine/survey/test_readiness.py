"""Which benchmarks and recipes can run here; what is wrong with one of them does not hide the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.profile.catalog import load
from engine.survey.prepare import Workplace
from engine.survey.readiness import benchmark_checks, recipe_checks
from profiles import FOLDER
from tests.helpers import folders_in


def test_a_component_without_its_need_is_reported_beside_the_others(tmp_path: Path) -> None:
    """A file of the user's in place of a shipped one names a tag that no component has."""
    shipped = (FOLDER / "components" / "openimages-preprocessed.yaml").read_text()
    needed = "  dataset: {beside: dataset}"
    assert needed in shipped
    own = tmp_path / "profile" / "components"
    own.mkdir(parents=True)
    (own / "openimages-preprocessed.yaml").write_text(shipped.replace(needed, "  dataset: {tags: 'get,openimagez'}"))
    place = Workplace(folders_in(tmp_path / "home"), load((FOLDER, tmp_path / "profile")))
    found = {one.name: one for one in benchmark_checks(place)}
    wrong = [one for name, one in found.items() if name.startswith("retinanet")]
    assert [(one.ready, "openimagez" in one.text) for one in wrong] == [(False, True)] * len(wrong)
    assert all("openimages" in one.remedy for one in wrong)
    assert found["bert-99, full data set"].ready


def test_a_recipe_that_cannot_be_read_is_reported_beside_the_others(tmp_path: Path) -> None:
    own = tmp_path / "profile" / "recipes"
    own.mkdir(parents=True)
    (own / "broken.yaml").write_text("tagz: x\n")
    place = Workplace(folders_in(tmp_path / "home"), replace(load(), folders=(FOLDER, tmp_path / "profile")))
    found = {one.name: one for one in recipe_checks(place)}
    assert len(found) > 1
    assert not found["recipe broken"].ready
    assert "broken.yaml" in found["recipe broken"].text
