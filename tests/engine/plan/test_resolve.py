"""The resolver: choices, their reasons, and errors about invalid words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ProfileError, UsageError
from engine.plan.plan import Plan
from engine.plan.reason import (
    Asked,
    GroupDefault,
    HandedDown,
    ImpliedBy,
    NeededBy,
    OptionDefault,
    RoundRule,
    VersionRange,
)
from engine.plan.resolve import resolve
from engine.plan.rule_book import rule_book
from engine.plan.selection import Selection
from engine.profile.catalog import Catalog, load, profile_file
from engine.profile.component import Override, Query
from engine.profile.round_file import load_round
from engine.profile.systems import describer
from tests.helpers import catalog_of

APP = """
    name: app
    tags: [app, bench]
    options:
      scenarios: {type: list, choices: [A, B], default: [A]}
      ruled: {type: list, default: {rule: all}}
      layout: {default: NCHW}
      file: {type: path, implies: own}
      count: {type: int}
    needs:
      data: {tags: "get,data", names: [dataset, raw], hand: {layout: layout}}
      model: {tags: "get,model"}
    after:
      run: {tags: "run", each: {scenario: scenarios}}
      score: {tags: "score", each: {scenario: scenarios}, when: {layout: NCHW}}
    variations:
      fast: {group: style, default: true}
      slow: {group: style}
      all: {set: {scenarios: [A, B]}}
      both: {implies: [all, slow]}
      own: {needs: {model: {tags: "get,own,model", hand: {path: file}}}}
      count.#: {set: {count: "#"}}
      wide: {everywhere: {inner: {add: _big}}}
      gpu: {group: device, refused: "there is none"}
    """
FILES = {
    "app": APP,
    "data": """
        name: data
        tags: [get, data]
        options: {layout: {choices: [NCHW, NHWC], default: NCHW}, place: {type: path, env: [DATA_PATH]}}
        needs: {inner: {tags: "get,inner"}}
        variations:
          NHWC: {group: layout, set: {layout: NHWC}}
          full: {}
          part: {default: true}
        """,
    "inner": """
        name: inner
        tags: [get, inner]
        versions: ["1.0", "1.5", "2.0"]
        variations: {big: {group: size}, small: {group: size, default: true}}
        """,
    "model": """
        name: model
        tags: [get, model]
        beside: {data: {add: _full}}
        """,
    "own": """
        name: own
        tags: [get, own, model]
        options: {path: {type: path}}
        """,
    "run": """
        name: run
        tags: [run]
        label: "{scenario}"
        options: {scenario: {default: A}}
        needs: {model: {beside: model}, data: {beside: data}}
        """,
    "score": """
        name: score
        tags: [score]
        label: "{scenario}"
        options: {scenario: {default: A}}
        needs: {run: {beside: run, where: {scenario: "{scenario}"}}}
        """,
}


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """The components above."""
    return catalog_of(tmp_path, FILES)


def plan_of(catalog: Catalog, tags: str = "app", **changes: Any) -> Plan:
    """Resolve with a rule book that knows one rule."""
    selection = Selection(Query.parse(tags.split(",")), **changes)
    return resolve(catalog, selection, lambda name, options: (name, options["layout"]), "r1")


def test_dependencies_come_first_and_are_explained(catalog: Catalog) -> None:
    plan = plan_of(catalog)
    assert list(plan.nodes) == ["inner", "data", "model", "app", "run[A]", "score[A]"]
    assert plan.nodes["data"].why == NeededBy("app", "data")
    assert plan.nodes["run[A]"].why == NeededBy("app", "run", after=True)
    assert [edge.node for edge in plan.nodes["score[A]"].needs] == ["run[A]"]
    assert plan.nodes["data"].options["layout"].reason == HandedDown("app", "layout")
    assert plan.nodes["app"].options["layout"].reason == OptionDefault()
    assert plan.nodes["app"].options["ruled"].value == ("all", "NCHW")
    assert plan.nodes["app"].options["ruled"].reason == RoundRule("r1", "all")


def names(plan: Plan, node: str) -> dict[str, Any]:
    """Return the variations of a node with their reasons."""
    return {one.name: one.reason for one in plan.nodes[node].variations}


def test_variations_by_asking_default_and_implication(catalog: Catalog) -> None:
    assert names(plan_of(catalog), "app") == {"fast": GroupDefault("style")}
    plan = plan_of(catalog, "app,_both")
    assert names(plan, "app") == {
        "all": ImpliedBy("app", "both"),
        "both": Asked("_both in --tags"),
        "slow": ImpliedBy("app", "both"),
    }
    assert "run[B]" in plan.nodes
    asked = plan_of(catalog, "app,_both,_fast")
    assert names(asked, "app")["fast"] == Asked("_fast in --tags")
    assert "slow" not in names(asked, "app")


def test_a_variation_can_be_left_out(catalog: Catalog) -> None:
    assert "all" not in names(plan_of(catalog, "app,_both,-_all"), "app")
    changed = plan_of(catalog, overrides={"data": Override(add=Query(without=("part",)))})
    assert set(names(changed, "data")) == {"full"}


def test_what_a_sibling_asks_for_is_done(catalog: Catalog) -> None:
    assert names(plan_of(catalog), "data")["full"] == ImpliedBy("model")
    assert "full" not in names(plan_of(catalog, options={"file": "m.onnx"}), "data")


def test_an_option_can_imply_a_variation_and_is_handed_down(catalog: Catalog) -> None:
    plan = plan_of(catalog, options={"file": "m.onnx"})
    assert plan.nodes["own"].options["path"].value == "m.onnx"
    assert plan.nodes["own"].why == ImpliedBy("app", "own")
    assert names(plan, "app")["own"] == Asked("--file")


def test_parameters(catalog: Catalog) -> None:
    plan = plan_of(catalog, "app,_count.12")
    assert plan.nodes["app"].options["count"].value == 12
    with pytest.raises(UsageError, match="whole number"):
        plan_of(catalog, "app,_count.many")


def test_overrides_reach_down_by_name(catalog: Catalog) -> None:
    plan = plan_of(
        catalog, overrides={"raw": Override(add=Query(variations=("NHWC",))), "inner": Override(version="<2")}
    )
    assert names(plan, "data")["NHWC"] == Asked("--adr.raw")
    assert plan.nodes["inner"].version == "1.5"
    assert plan.nodes["inner"].version_why == VersionRange("<2")
    assert names(plan_of(catalog, "app,_wide"), "inner") == {"big": ImpliedBy("app", "wide")}


def test_the_highest_version_is_taken(catalog: Catalog) -> None:
    assert plan_of(catalog).nodes["inner"].version == "2.0"


def test_inputs_from_outside(catalog: Catalog) -> None:
    plan = plan_of(catalog, env={"DATA_PATH": "/data"})
    assert plan.nodes["data"].options["place"].reason == Asked("--env.DATA_PATH")


@pytest.mark.parametrize(
    ("tags", "changes", "what", "remedy"),
    [
        ("ap", {}, "no component has the tag 'ap'", "'app'"),
        ("app; _fast", {}, "no component has the tag 'app; _fast'", "separated by commas: app,_fast"),
        ("app,get", {}, "no component has all of the tags", "does not have"),
        ("get", {}, "fits several components", "add a tag"),
        ("app,_fst", {}, "no variation '_fst'", "'_fast'"),
        ("app,_fast,_slow", {}, "exclude each other", "keep one"),
        ("app,_gpu", {}, "'_gpu' of app can't be used", "there is none"),
        ("app", {"options": {"layuot": "x"}}, "no option 'layuot'", "layout"),
        ("app", {"options": {"scenarios": "A,C"}}, "'C' is not a value", "A, B"),
        ("app", {"env": {"DATA_PAHT": "x"}}, "no component reads 'DATA_PAHT'", "DATA_PATH"),
        ("get,model", {"env": {"DATA_PATH": "x"}}, "nothing in this plan reads", "an input of data"),
        ("app", {"overrides": {"dta": Override(version="1")}}, "no dependency 'dta'", "data"),
        ("app", {"overrides": {"inner": Override(version=">=3")}}, "no version of inner fits", "2.0"),
        ("app", {"overrides": {"inner": Override(version="new")}}, "not a version range", ">="),
        ("app", {"overrides": {"data": Override(add=Query(variations=("ful",)))}}, "no variation '_ful'", "_full"),
        ("app", {"overrides": {"data": Override(set={"plce": 1})}}, "no option 'plce'", "place"),
    ],
)
def test_words_that_do_not_fit_are_named(
    catalog: Catalog, tags: str, changes: dict[str, Any], what: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as caught:
        plan_of(catalog, tags, **changes)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


def test_a_circle_is_named(tmp_path: Path) -> None:
    text = "name: {0}\ntags: [{0}]\nneeds: {{x: {{tags: {1}}}}}\n"
    catalog = catalog_of(tmp_path, {"a": text.format("a", "b"), "b": text.format("b", "a")})
    with pytest.raises(ProfileError, match="a → b → a"):
        plan_of(catalog, "a")


def test_what_is_not_beside_is_named(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, {"a": "name: a\ntags: [a]\nneeds: {x: {beside: modl}}"})
    with pytest.raises(ProfileError, match="nothing named 'modl'"):
        plan_of(catalog, "a")


def test_a_person_whose_choices_leave_nothing_beside_reads_why(tmp_path: Path) -> None:
    need = "{beside: modl, lacks: there is no model here, remedy: take one}"
    catalog = catalog_of(tmp_path, {"a": f"name: a\ntags: [a]\nneeds: {{x: {need}}}"})
    with pytest.raises(UsageError) as caught:
        plan_of(catalog, "a")
    assert (caught.value.what, caught.value.remedy) == ("there is no model here", "take one")


def test_a_dependency_of_the_same_name_below_leaves_the_parents_alone(catalog: Catalog) -> None:
    plan = plan_of(catalog, "app,_all")
    for run in ("run[A]", "run[B]"):
        assert [edge.node for edge in plan.nodes[run].needs] == ["model", "data"]


def test_equal_dependencies_are_one_node(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        {
            "a": "name: a\ntags: [a]\nneeds: {x: {tags: b}, y: {tags: c}}",
            "b": "name: b\ntags: [b]\nneeds: {x: {tags: 'd,_u'}}",
            "c": "name: c\ntags: [c]\nneeds: {x: {tags: 'd,_u'}, y: {tags: d}}",
            "d": "name: d\ntags: [d]\noptions: {u: {type: bool, default: false}}\nvariations: {u: {set: {u: true}}}",
        },
    )
    assert list(plan_of(catalog, "a").nodes) == ["d", "b", "d#2", "c", "a"]


VARIATIONS = ["resnet50", "onnxruntime", "cpu", "efficientnet-lite0", "stand-in", "patterns-net", "fast", "valid"]
VARIATIONS += ["all-scenarios", "all-modes", "datacenter", "edge-and-datacenter", "accuracy-only"]


@given(st.lists(st.sampled_from(VARIATIONS), unique=True), st.permutations(["Offline", "Server", "SingleStream"]))
def test_any_selection_resolves_to_a_sound_plan_or_says_why_not(words: list[str], scenarios: list[str]) -> None:
    selection = Selection(
        Query(("app", "mlperf", "inference"), tuple(words)),
        options={} if "all-scenarios" in words else {"scenarios": ",".join(scenarios)},
    )
    try:
        plan = resolve(SHIPPED, selection, RULES, "v2.1")
    except UsageError as error:
        if "exclude each other" not in error.what:
            raise
        return
    assert plan == resolve(SHIPPED, selection, RULES, "v2.1")
    seen: set[str] = set()
    for node in plan.nodes.values():
        assert {edge.node for edge in node.needs} | set(node.follows) <= seen, "a dependency comes after its user"
        seen.add(node.id)
        assert len(set(node.needs)) == len(node.needs), "a dependency stands twice"
        component = SHIPPED.components[node.component]
        groups = [one.group for one in node.variations if one.group]
        assert len(groups) == len(set(groups)), "two variations of one group"
        assert set(node.options) == {one.name for one in component.options.values() if not one.refused}
        filled = {group for group, members in component.groups().items() if any(one.default for one in members)}
        assert filled <= set(groups), "a group with a default has nothing chosen"
    assert {node.id for node, _, _ in plan.walk()} == set(plan.nodes), "the tree shows every node"


SHIPPED = load()
RULES = rule_book(load_round(profile_file(SHIPPED.folders, "rounds", "v2.1")), describer(SHIPPED.folders))


def test_why_a_component_was_picked(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        {
            "app": "name: app\ntags: [app]\nneeds: {one: {tags: data}, other: {tags: model}}\n",
            "data": "name: data\ntags: [data]\n",
            "big": "name: big\ntags: [data, big]\n",
            "model": "name: model\ntags: [get, model]\n",
        },
    )
    nodes = resolve(catalog, Selection(Query(("app",)))).nodes
    assert str(nodes["data"].picked) == "the only one with just the tags data"
    assert str(nodes["model"].picked) == "the only one with tags get,model"
