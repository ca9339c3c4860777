from __future__ import annotations

from dataclasses import replace
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InferdeckError
from engine.plan.choices import UNSET, Choice, choices, choose, node_choices
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.rule_book import rule_book
from engine.plan.selection import Selection
from engine.profile.catalog import Catalog, load
from engine.profile.component import Query
from engine.profile.round_file import load_round
from engine.profile.systems import describer

APP = Selection(Query(("app", "mlperf", "inference", "reference", "python"), ("resnet50",)))
SYSTEMS = ("default", "demo")


@cache
def catalog() -> Catalog:
    return load()


def plan_of(chosen: Selection) -> Plan:
    rules = rule_book(load_round(catalog().profile("rounds", "v2.1")), describer(catalog().folders))
    return resolve(catalog(), chosen, rules, "v2.1")


def rows(chosen: Selection) -> dict[str, Choice]:
    return {one.key: one for one in choices(catalog(), plan_of(chosen), SYSTEMS)}


def test_every_choice_shows_what_is_decided() -> None:
    found = rows(APP)
    assert found["group benchmark"].value == "resnet50"
    assert found["group benchmark"].changed
    assert found["group model"].value == "reference"
    assert not found["group model"].changed
    assert found["dataset group source"].value == "500"
    assert found["option scenarios"].kind == "several"
    assert [one.value for one in found["option sut"].alternatives] == list(SYSTEMS)


def test_what_the_profile_refuses_stays_visible_with_its_reason() -> None:
    refused = {one.value: one.refused for one in rows(APP)["group backend"].alternatives if one.refused}
    assert "tflite" in refused
    assert all(refused.values())


def test_a_group_that_only_fills_a_list_has_no_row_of_its_own() -> None:
    assert "group modes" not in rows(APP)
    assert "option modes" in rows(APP)


def test_taking_a_variation_replaces_the_one_that_was_asked_for() -> None:
    chosen = choose(catalog(), APP, rows(APP)["group model"], "stand-in")
    again = choose(catalog(), chosen, rows(chosen)["group model"], "patterns-net")
    assert again.query.variations == ("resnet50", "patterns-net")
    assert choose(catalog(), again, rows(again)["group model"], UNSET) == APP


def test_of_several_names_for_one_variation_one_is_offered() -> None:
    def offered(chosen: Selection, group: str) -> list[str]:
        return [one.value for one in rows(chosen)[f"group {group}"].alternatives]

    assert {"synthetic-weights", "stand-in"} & set(offered(APP, "model")) == {"synthetic-weights"}
    assert {"tf", "tensorflow"} & set(offered(APP, "backend")) == {"tf"}
    old = choose(catalog(), APP, rows(APP)["group model"], "stand-in")
    assert {"synthetic-weights", "stand-in"} & set(offered(old, "model")) == {"stand-in"}
    assert rows(old)["group model"].value == "stand-in"


def test_a_group_takes_the_place_of_the_option_that_picked_from_it() -> None:
    for chosen in (replace(APP, options={"style": "fast"}), replace(APP, env={"CM_RUN_STYLE": "fast"})):
        row = rows(chosen)["group style"]
        assert (row.value, row.changed) == ("fast", True)
        assert rows(choose(catalog(), chosen, row, "valid"))["group style"].value == "valid"


def test_an_option_that_cant_be_honoured_is_no_choice() -> None:
    assert "option power" not in rows(APP)


def test_a_switch_goes_on_and_off() -> None:
    on = choose(catalog(), APP, rows(APP)["switch all-scenarios"], "on")
    assert rows(on)["switch all-scenarios"].value == "on"
    off = choose(catalog(), on, rows(on)["switch all-scenarios"], "off")
    assert rows(off)["switch all-scenarios"].value == "off"


def test_what_another_choice_implies_can_be_switched_off() -> None:
    both = Selection(Query(APP.query.tags, ("resnet50", "submission")), options={"sut": "gcp-n2-standard-80"})
    off = choose(catalog(), both, rows(both)["switch all-scenarios"], "off")
    assert rows(off)["switch all-scenarios"].value == "off"


def test_a_dependency_is_changed_by_its_own_name_whatever_it_was_called() -> None:
    from engine.plan.selection_syntax import selection_of

    chosen, _ = selection_of(
        ["--tags=app,mlperf,inference,reference,python,_resnet50", "--adr.imagenet.tags=_patterns"]
    )
    assert rows(chosen)["dataset group source"].value == "patterns"
    again = choose(catalog(), chosen, rows(chosen)["dataset group source"], "photographs")
    assert rows(again)["dataset group source"].value == "photographs"
    assert choose(catalog(), again, rows(again)["dataset group source"], UNSET).overrides == {}


def test_a_version_without_a_sign_means_just_that_one() -> None:
    chosen = choose(catalog(), APP, rows(APP)["backend version"], "1.20.1")
    assert chosen.overrides["backend"].version == "==1.20.1"


@given(st.data())
def test_what_can_be_chosen_is_what_the_plan_then_shows(data: st.DataObject) -> None:
    row = data.draw(st.sampled_from([one for one in rows(APP).values() if one.alternatives]), label="row")
    value = data.draw(st.sampled_from([one.value for one in row.alternatives if not one.refused]), label="value")
    chosen = choose(catalog(), APP, row, value)
    try:
        after = rows(chosen)
    except InferdeckError:
        return  # excluded by another choice: the window shows the resolver's reason next to it
    assert row.key not in after or after[row.key].value == value


def node_rows(chosen: Selection, name: str) -> dict[str, Choice]:
    return {one.key: one for one in node_choices(catalog(), plan_of(chosen), name)}


def test_a_component_at_any_depth_has_its_own_choices_and_keeps_them() -> None:
    chosen = replace(APP, query=Query(APP.query.tags, ("resnet50", "patterns-net")))
    count = node_rows(chosen, "imagenet-patterns")["images option count"]
    assert (count.title, count.value, count.unit) == ("count", "1024", "images")
    fewer = choose(catalog(), chosen, count, "64")
    assert plan_of(fewer).nodes["imagenet-patterns"].options["count"].value == 64
    assert node_rows(fewer, "imagenet-patterns")["images option count"].changed
    assert choose(catalog(), fewer, count, UNSET) == chosen


def test_a_switch_and_a_version_of_a_dependency_are_changed() -> None:
    on_load = node_rows(APP, "imagenet-preprocessed")["preprocessed switch on-load"]
    assert "on-load" in {
        one.name for one in plan_of(choose(catalog(), APP, on_load, "on")).nodes["imagenet-preprocessed"].variations
    }
    version = node_rows(APP, "onnxruntime")["backend version"]
    assert plan_of(choose(catalog(), APP, version, "1.23.2")).nodes["onnxruntime"].version_range == "==1.23.2"


def test_what_the_parent_passes_down_is_no_choice_of_the_child() -> None:
    assert not node_rows(APP, "sut-configuration")
    assert "workers option benchmark" not in node_rows(APP, "choose-workers")


def test_a_folder_of_the_user_has_a_row_and_is_set_by_its_outside_name() -> None:
    dataset = rows(APP)["dataset group source"]
    full = choose(catalog(), APP, dataset, "full")
    row = rows(full)["input IMAGENET_PATH"]
    given = choose(catalog(), full, row, "/data/imagenet")
    assert given.env == {"IMAGENET_PATH": "/data/imagenet"}
    assert rows(given)["input IMAGENET_PATH"].value == "/data/imagenet"
    assert choose(catalog(), given, row, UNSET) == full
