"""Vary one choice: what can be changed, to what, what is refused and why, and that each selection resolves to it."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from engine.explore import vary
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.rules import rule_book
from engine.plan.selection import Selection
from engine.plan.words import selection_of
from engine.profile.rounds import load_round
from tests.engine.explore import history

CATALOG = history.our_catalog()
RULES = rule_book(load_round(CATALOG.profile("rounds", "v2.1")), CATALOG.folders)
CHOSEN, _ = selection_of(("run", history.TAGS + ",_onnxruntime,_test", "--max_batch=8", "--adr.workers.seconds=2"))


def plan_of(selection: Selection) -> Plan:
    """Resolve a selection by the rules of the round."""
    return resolve(CATALOG, selection, RULES, "v2.1")


def choice(name: str, selection: Selection = CHOSEN) -> vary.Choice:
    """Return what can be varied under that name."""
    return vary.named(vary.choices(CATALOG, plan_of(selection)), name)


def root(selection: Selection) -> dict[str, object]:
    """Return the root's options in the plan of a selection."""
    plan = plan_of(selection)
    return plan.nodes[plan.root].values()


def test_groups_options_and_dependencies_can_be_varied() -> None:
    names = {one.name for one in vary.choices(CATALOG, plan_of(CHOSEN))}
    assert {"backend", "model", "style", "max_batch", "sessions", "target_qps", "workers.seconds"} <= names
    assert not {"notice", "sut", "benchmark", "device", "scenarios"} & names
    assert len(names) == len(vary.choices(CATALOG, plan_of(CHOSEN)))


def test_a_group_shows_its_members_the_present_one_and_the_refused() -> None:
    backend = choice("backend")
    values = {value.word: value for value in backend.values}
    assert backend.current == "onnxruntime"
    assert "PyTorch" in values["pytorch"].refused
    assert "tf" in values
    assert "tensorflow" not in values, "another word for _tf"
    assert choice("style").current == "test"


@pytest.mark.parametrize(("name", "word"), [("style", "fast"), ("category", "datacenter")])
def test_a_variation_takes_the_place_of_the_old_one(name: str, word: str) -> None:
    (other,) = vary.sweep(CATALOG, CHOSEN, choice(name), [word])
    assert root(other)[name] == word
    assert choice(name, other).current == word
    (back,) = vary.sweep(CATALOG, other, choice(name, other), [choice(name).current])
    assert plan_of(back) is not None
    assert root(back) == root(CHOSEN)


def test_a_variation_drops_the_option_that_said_the_same() -> None:
    chosen, _ = selection_of(("run", history.TAGS, "--style=test"))
    (other,) = vary.sweep(CATALOG, chosen, choice("style", chosen), ["fast"])
    assert root(other)["style"] == "fast"


def test_another_word_for_a_variation_gives_way_too() -> None:
    chosen, _ = selection_of(("run", history.TAGS + ",_tensorflow"))
    backend = choice("backend", chosen)
    assert backend.current == "tensorflow"
    (other,) = vary.sweep(CATALOG, chosen, backend, ["onnxruntime"])
    assert root(other)["backend"] == "onnxruntime"


def test_numbers_are_proposed_and_free() -> None:
    batch = choice("max_batch")
    assert [value.word for value in batch.values] == ["2", "4", "8", "16", "32"]
    assert batch.current == "8"
    assert batch.unit == "samples"
    found = vary.sweep(CATALOG, CHOSEN, batch, ["4", "12"])
    assert [root(one)["max_batch"] for one in found] == [4, 12]
    assert choice("sessions").values[0].word == "1"
    assert choice("target_qps").values == ()
    with pytest.raises(UsageError):
        plan_of(vary.varied(CATALOG, CHOSEN, batch, "0"))


def test_a_dependency_is_varied_by_its_name() -> None:
    (longer,) = vary.sweep(CATALOG, CHOSEN, choice("workers.seconds"), ["5"])
    assert plan_of(longer).nodes["choose-workers"].options["seconds"].value == 5.0
    source = choice("dataset.source")
    assert source.current == "patterns"
    (photographs,) = vary.sweep(CATALOG, CHOSEN, source, ["photographs"])
    assert "imagenet-photographs" in plan_of(photographs).nodes


def test_a_value_that_is_not_allowed_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="'fst' is not allowed for style") as caught:
        vary.sweep(CATALOG, CHOSEN, choice("style"), ["fst"])
    assert "fast" in caught.value.remedy
    with pytest.raises(UsageError, match="backend can't be 'pytorch'"):
        vary.sweep(CATALOG, CHOSEN, choice("backend"), ["pytorch"])
    with pytest.raises(UsageError, match="'bakend'"):
        choice("bakend")


def test_values_that_contradict_the_rest_say_so_before_they_are_chosen() -> None:
    tags = history.TAGS.replace("_patterns-net", "_stand-in")
    seeded, _ = selection_of(("run", tags, "--adr.model.seed=3"))
    found = vary.checked(CATALOG, seeded, choice("model", seeded), RULES, "v2.1")
    values = {value.word: value for value in found.values}
    assert "no option 'seed'" in values["patterns-net"].refused
    assert values["stand-in"].current
    with pytest.raises(UsageError, match="model can't be 'patterns-net'"):
        vary.sweep(CATALOG, seeded, found, ["patterns-net"])


def test_every_proposed_value_resolves_or_is_refused() -> None:
    for one in vary.choices(CATALOG, plan_of(CHOSEN)):
        for value in vary.checked(CATALOG, CHOSEN, one, RULES, "v2.1").values:
            if not value.refused:
                assert plan_of(vary.varied(CATALOG, CHOSEN, one, value.word))
