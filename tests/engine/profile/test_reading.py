"""The component language: valid files, and errors with their position."""

from __future__ import annotations

import random
import re
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import profiles
from engine.errors import ProfileError
from engine.profile.catalog import load
from engine.profile.component import Component, Rule, fill
from engine.profile.reading import read_component
from engine.profile.values import parse_size
from tests.fuzz import mutate

WHOLE = """\
name: whole
summary: Everything that a component can say
tags: [get, whole]
step: engine.steps.machine.sut_configuration:survey
survey: engine.steps.machine.sut_configuration:survey
cache: false
exclusive: true
resumable: true
results: "{system}/x"
label: "{batch}"
code: [engine.steps.machine.sut_configuration]
cost: {fetch: 17.4 MB, disk: 2 GiB, seconds: 3}
options:
  batch: {type: int, default: 8, minimum: 1, unit: samples, key: false}
  layout: {choices: [NCHW, NHWC], default: NCHW, env: LAYOUT}
  lists: {type: list, default: [a, b]}
  ruled: {type: list, default: {rule: required-scenarios}}
  file: {type: path, implies: other}
needs:
  data: {tags: "get,data,_full", names: [dataset], version: ">=1", hand: [layout], when: {layout: NCHW}, set: {a: 1}}
  near: {beside: data, where: {layout: "{layout}"}}
after:
  score: {tags: "score", each: {one: lists}, unless: {layout: [NHWC]}}
variations:
  NCHW: {group: layout, default: true, set: {layout: NCHW}, help: channels first}
  NHWC: {group: layout, set: {layout: NHWC}, implies: [other]}
  other: {needs: {data: {add: _small, version: "<2"}, more: {tags: "get,more"}}, everywhere: {x: {add: _y}}}
  batch.#: {set: {batch: "#"}, beside: {x: {set: {y: 1}}}}
  gone: {refused: "not built"}
versions: ["1.0", "2.0"]
"""


def read(tmp_path: Path, text: str) -> Component:
    """Read a component from its text."""
    path = tmp_path / "one.yaml"
    path.write_text(textwrap.dedent(text))
    return read_component(path)


def test_everything_that_can_be_said_is_read(tmp_path: Path) -> None:
    one = read(tmp_path, WHOLE)
    assert (one.cost.fetch_bytes, one.cost.disk_bytes, one.cost.seconds) == (17_400_000, 2 * 2**30, 3)
    assert one.options["batch"].default == 8
    assert not one.options["batch"].key
    assert one.options["ruled"].default == Rule("required-scenarios")
    data, near = one.needs
    assert (str(data.query), data.handles, data.hand) == ("get,data,_full", ("data", "dataset"), {"layout": "layout"})
    assert near.where == {"layout": "{layout}"}
    assert one.after[0].each == {"one": "lists"}
    assert one.variations["other"].overrides["data"].version == "<2"
    assert one.variations["other"].needs[0].name == "more"
    found = one.variation("batch.16")
    assert found is not None
    assert found[1] == "16"
    assert one.variation("batch.") is None
    assert [member.name for member in one.groups()["layout"]] == ["NCHW", "NHWC"]


@pytest.mark.parametrize(
    ("old", "new", "line", "says", "remedy"),
    [
        ("name: whole", "name: ../../escaped", 1, "'../../escaped' can't be the name", "letters"),
        ("name: whole", "name: a/b", 1, "'a/b' can't be the name", "letters"),
        ("name: whole", f"name: {'a' * 200}", 1, "can't be the name", "100"),
        ("summary:", "sumary:", 2, "unknown key 'sumary'", "summary"),
        ("cache: false", "cache: perhaps", 6, "true or false", "true or false"),
        ("choices: [NCHW, NHWC]", "chioces: [NCHW]", 15, "unknown key 'chioces'", "choices"),
        ("{type: int,", "{type: integer,", 14, "'integer' is no type", "int"),
        ("default: 8,", "default: eight,", 14, "not a whole number", "whole number"),
        ("default: 8,", "default: 0,", 14, "too small", "at least 1"),
        ("set: {layout: NHWC}", "set: {layuot: NHWC}", 26, "no option 'layuot'", "layout"),
        ("set: {layout: NHWC}", "set: {layout: NWHC}", 26, "'NWHC' is not a value", "NHWC"),
        ("implies: [other]", "implies: [othr]", 26, "unknown variation 'othr'", "other"),
        ("implies: other", "implies: othr", 13, "unknown variation 'othr'", "other"),
        ("implies: other", "picks: layot", 13, "unknown group 'layot'", "layout"),
        ("hand: [layout]", "hand: [layot]", 20, "no option 'layot'", "layout"),
        ("when: {layout", "when: {laout", 20, "no option 'laout'", "layout"),
        ("names: [dataset]", "beside: x", 20, "either 'tags' or 'beside'", "one of the two"),
        ("fetch: 17.4 MB", "fetch: 17.4 parsecs", 12, "not a size", "MB"),
        ("fetch: 17.4 MB", "fetch: [1, 2]", 12, "not a size", "MB"),
        ("fetch: 17.4 MB", f"fetch: {'9' * 400} MB", 12, "not a size", "MB"),
        ("seconds: 3", "seconds: soon", 12, "'soon' is no figure", "a number from 0 to 1e+18"),
        ("seconds: 3", "seconds: -1", 12, "'-1' is no figure", "from 0"),
        ("minimum: 1", "minimum: .nan", 14, "'nan' is no figure", "a number"),
        ("minimum: 1", "minimum: few", 14, "'few' is no figure", "a number"),
        ("choices: [NCHW, NHWC]", "choices: NCHW", 15, "a text where a list", "[one, two]"),
        ("choices: [NCHW, NHWC]", "choices: [[NCHW]]", 15, "is no choice", "a text or a number"),
        ("default: [a, b]", "default: [[a], b]", 16, "takes a list", "one,two"),
        ("default: [a, b]", "default: 5", 16, "takes a list", "one,two"),
        ("set: {a: 1}", "set: 5", 20, "a number where a mapping", "key: value"),
        ('where: {layout: "{layout}"}', "where: [layout]", 21, "a list where a mapping", "key: value"),
        ("hand: [layout]", "hand: layout", 20, "a text where a mapping", "key: value"),
        ("NHWC: {group: layout,", "NHWC: {group: layout, default: true,", 26, "two defaults", "one of them"),
        ("versions:", "name: again\nversions:", 30, "duplicate key", "one of them"),
        ("tags: [get, whole]", "tags: {get: whole}", 3, "a mapping where a list", "write"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, says: str, remedy: str
) -> None:
    assert old in WHOLE
    with pytest.raises(ProfileError) as caught:
        read(tmp_path, WHOLE.replace(old, new, 1))
    assert says in caught.value.what
    assert remedy in caught.value.remedy
    place = re.search(r"one\.yaml:(\d+)", caught.value.what)
    assert place is not None
    assert int(place[1]) == line


@given(st.integers(0, 2**32))
def test_whatever_stands_in_a_place_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    path = tmp_path_factory.mktemp("profile") / "one.yaml"
    path.write_bytes(mutate.structure(WHOLE.encode(), random.Random(seed)))
    with suppress(ProfileError):
        assert read_component(path).tags


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "empty"), ("name: [", "not YAML"), ("- a", "a list where a mapping"), ("name: x", "'tags' is missing")],
)
def test_a_file_that_is_no_component_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ProfileError, match=says):
        read(tmp_path, text)


def test_yaml_can_not_make_objects(tmp_path: Path) -> None:
    read(tmp_path, "name: x\ntags: [a]\nsummary: plain")
    with pytest.raises(ProfileError):
        read(tmp_path, "name: x\ntags: [a]\nsummary: !!python/object/apply:os.system ['true']")


def test_every_shipped_component_is_valid_and_says_what_it_is() -> None:
    catalog = load()
    assert {"app-mlperf-inference", "imagenet-preprocessed", "standin-resnet50"} <= set(catalog.components)
    for one in catalog.components.values():
        assert one.summary, one.name
        assert Path(one.place.file).stem == one.name
        assert Path(one.place.file).is_relative_to(profiles.FOLDER)


def test_every_number_of_a_shipped_component_has_limits() -> None:
    open_ended = [
        f"{component.name}.{option.name}"
        for component in load().components.values()
        for option in component.options.values()
        if option.type in ("int", "float") and not option.choices and None in (option.minimum, option.maximum)
    ]
    assert open_ended == []


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.integers() | st.text()), st.text())
def test_a_template_fills_known_names_and_leaves_the_rest(values: dict[str, object], text: str) -> None:
    plain = text.replace("{", "").replace("}", "")
    assert fill(plain, values) == plain
    assert fill("{a}", values) == str(values.get("a", "{a}"))
    assert fill("{a.__class__}", values) == "{a.__class__}"


@given(st.integers(min_value=0, max_value=10**15))
def test_sizes(count: int) -> None:
    assert parse_size(f"{count} B") == count
    assert parse_size(count) == count
    assert parse_size(f"{count} MiB") == count * 2**20
    assert parse_size(f"{count} bananas") is None


@pytest.mark.parametrize("word", ["0", "-1", "1.5", "yes", "two"])
def test_a_revision_is_a_whole_number_from_one(tmp_path: Path, word: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"name: a\ntags: [a]\nrevision: {word}\n")
    with pytest.raises(ProfileError, match=r"a\.yaml:3 .*no revision"):
        read_component(path)
    path.write_text("name: a\ntags: [a]\nrevision: 2\n")
    assert read_component(path).revision == 2
