"""Benchmarks as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ProfileError
from engine.profile import benchmarks
from engine.profile.catalog import load, profile_file
from engine.profile.known_rounds import all_rounds
from profiles import FOLDER
from tests.helpers import write_components

APP = """
    name: app
    tags: [app]
    benchmarks: true
    options: {benchmark: {picks: benchmark}, task: {}}
    needs:
      data: {tags: "get,data", names: [any-data]}
    variations:
      one: {group: benchmark, refused: "no file of it yet"}
      two: {group: benchmark, refused: "no file of it yet"}
      datacenter: {group: category}  # the shipped bert-99.9 implies it
"""
DATA = """
    name: data
    tags: [get, data, things]
"""
ONE = """
title: the first
samples: words
plan: {set: {task: sort}, needs: {data: {tags: "get,data,things"}}}
names: {data: [things]}
offers: {practice: {model: tiny}}
backends: [onnxruntime]
folder: {env: THINGS, title: folder, help: "a folder", without: "fetched"}
demo: {recipe: demo, offline: demo-offline}
"""


def folder(tmp_path: Path, text: str = ONE) -> Path:
    write_components(tmp_path, {"app": APP, "data": DATA})
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "one.yaml").write_text(text)
    return tmp_path


def test_a_benchmark_is_a_choice_of_the_component_that_offers_them(tmp_path: Path) -> None:
    app = load([folder(tmp_path)]).components["app"]
    one = app.variations["one"]
    assert (one.group, one.default, one.help, one.refused) == ("benchmark", False, "the first", "")
    assert one.set == {"benchmark": "one", "task": "sort"}
    assert one.overrides["data"].tags == ("get", "data", "things")
    assert app.variations["two"].refused == "no file of it yet"
    assert "one" in app.options["benchmark"].choices
    assert app.needs[0].handles == ("data", "any-data", "things")


@pytest.mark.parametrize(
    ("old", "new", "says", "remedy"),
    [
        ("title:", "titel:", r"one\.yaml:2 .*unknown key 'titel'", "title"),
        ("set: {task", "set: {taks", r"one\.yaml:4 .*no option 'taks'", "task"),
        ("backends: [onnxruntime]", "", "'backends' is missing", ""),
        ("demo: {recipe", "demo: {recipes", "unknown key 'recipes'", "recipe"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, old: str, new: str, says: str, remedy: str) -> None:
    with pytest.raises(ProfileError, match=says) as found:
        load([folder(tmp_path, ONE.replace(old, new))])
    assert remedy in found.value.remedy


def test_what_the_shipped_files_name_is_there() -> None:
    catalog = load([])
    app = catalog.components["app-mlperf-inference"]
    rounds = all_rounds([FOLDER])
    assert set(catalog.benchmarks) <= {name for rules in rounds for name in rules.benchmarks}
    inputs = {name for one in catalog.components.values() for option in one.options.values() for name in option.env}
    for one in benchmarks.read_all([FOLDER]).values():
        models = [offer.model for offer in one.file.offers.values()]
        assert {app.variation(name) is not None for name in (*models, *one.file.backends)} == {True}
        assert one.file.folder.env in inputs
        for recipe in filter(None, (one.file.demo.recipe, one.file.demo.offline)):
            assert profile_file([FOLDER], "recipes", recipe).is_file()
        assert "real" in one.file.offers
        assert len(one.file.offers) > 1


def test_one_benchmark_is_used_where_none_is_chosen() -> None:
    shipped = benchmarks.read_all([FOLDER])
    assert shipped[benchmarks.default_name(shipped)].file.default
    assert sum(one.file.default for one in shipped.values()) == 1
    others = {name: one for name, one in shipped.items() if not one.file.default}
    assert benchmarks.default_name(others) == next(iter(others))
    assert benchmarks.default_name({}) == ""
