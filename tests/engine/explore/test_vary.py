"""Vary one choice: what can be changed, to what, what is refused and why, and that each selection resolves to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.explore import vary
from engine.explore.history import all_runs
from engine.explore.runs import Run, find
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.rule_book import rule_book
from engine.plan.selection import Selection
from engine.plan.selection_syntax import selection_of
from engine.profile.round_file import load_round
from engine.profile.systems import describer
from tests.engine.explore import history
from tests.helpers import folders_in

CATALOG = history.our_catalog()
RULES = rule_book(load_round(CATALOG.profile("rounds", "v2.1")), describer(CATALOG.folders))
CHOSEN, _ = selection_of(("run", history.TAGS + ",_onnxruntime,_test", "--max_batch=8", "--adr.workers.seconds=2"))


def plan_of(selection: Selection) -> Plan:
    """Resolve a selection by the rules of the round."""
    return resolve(CATALOG, selection, RULES, "v2.1")


def variable(title: str, selection: Selection = CHOSEN) -> vary.Variable:
    """Return the choice with that title."""
    return next(one for one in vary.variables(CATALOG, plan_of(selection)) if one.choice.title == title)


def words(one: vary.Variable) -> list[str]:
    """Return the available values."""
    return [trial.value for trial in one.trials if not trial.refused]


def now(one: vary.Variable) -> str:
    """Return the present value."""
    return next((trial.value for trial in one.trials if trial.now), "")


def root(selection: Selection) -> dict[str, object]:
    """Return the root's options in the plan of a selection."""
    plan = plan_of(selection)
    return plan.nodes[plan.root].values()


def test_what_decides_a_speed_can_be_varied_and_what_it_is_measured_for_not() -> None:
    found = vary.variables(CATALOG, plan_of(CHOSEN))
    titles = {one.choice.title for one in found}
    assert {"backend", "model", "style", "max batch", "sessions", "dataset source"} <= titles
    assert not {"notice", "sut", "benchmark", "scenarios", "modes", "submission", "division"} & titles
    assert len(titles) == len(found)


def test_a_group_shows_its_members_the_present_one_and_the_refused() -> None:
    backend = variable("backend")
    assert now(backend) == "onnxruntime"
    assert "PyTorch" in next(trial.refused for trial in backend.trials if trial.value == "pytorch")
    assert "tf" in words(backend)
    assert now(variable("style")) == "test"


@pytest.mark.parametrize(("name", "word"), [("style", "fast"), ("style", "valid")])
def test_another_value_takes_the_place_of_the_old_one(name: str, word: str) -> None:
    (other,) = vary.sweep(CATALOG, CHOSEN, variable(name), [word])
    assert root(other)[name] == word
    assert now(variable(name, other)) == word
    (back,) = vary.sweep(CATALOG, other, variable(name, other), [now(variable(name))])
    assert root(back) == root(CHOSEN)


def test_a_variation_wins_over_the_option_that_said_the_same() -> None:
    chosen, _ = selection_of(("run", history.TAGS, "--style=test"))
    (other,) = vary.sweep(CATALOG, chosen, variable("style", chosen), ["fast"])
    assert root(other)["style"] == "fast"


def test_a_run_is_varied_in_its_own_scenario_alone(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    history.job(folders, "--scenarios=Offline,Server", "--max_batch=8")
    run = find(all_runs(folders), "1/server")
    assert root(vary.narrowed(run))["scenarios"] == ("Server",)
    assert root(vary.narrowed(run))["max_batch"] == 8
    with pytest.raises(UsageError, match="not known"):
        vary.narrowed(Run(id="x", job="x", step="x"))


def test_of_two_words_for_one_thing_one_is_proposed() -> None:
    assert [one for one in words(variable("backend")) if one in ("tf", "tensorflow")] == ["tf"]
    chosen, _ = selection_of(("run", history.TAGS + ",_tensorflow"))
    assert [one for one in words(variable("backend", chosen)) if one in ("tf", "tensorflow")] == ["tensorflow"]


def test_another_word_for_a_variation_gives_way_too() -> None:
    chosen, _ = selection_of(("run", history.TAGS + ",_tensorflow"))
    assert now(variable("backend", chosen)) == "tensorflow"
    (other,) = vary.sweep(CATALOG, chosen, variable("backend", chosen), ["onnxruntime"])
    assert root(other)["backend"] == "onnxruntime"


def test_numbers_are_proposed_and_free() -> None:
    batch = variable("max batch")
    assert words(batch) == ["2", "4", "8", "16", "32"]
    assert now(batch) == "8"
    assert [root(one)["max_batch"] for one in vary.sweep(CATALOG, CHOSEN, batch, ["4", "12"])] == [4, 12]
    assert words(variable("sessions"))[:3] == ["1", "2", "4"]
    assert variable("target qps").trials == ()
    assert variable("target qps").free


def test_a_dependency_is_varied_by_its_name() -> None:
    source = variable("dataset source")
    assert now(source) == "patterns"
    (photographs,) = vary.sweep(CATALOG, CHOSEN, source, ["photographs"])
    assert "imagenet-photographs" in plan_of(photographs).nodes


def test_a_value_that_is_not_allowed_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="'fst' is not allowed for style") as caught:
        vary.sweep(CATALOG, CHOSEN, variable("style"), ["fst"])
    assert "fast" in caught.value.remedy
    with pytest.raises(UsageError, match="backend can't be 'pytorch'"):
        vary.sweep(CATALOG, CHOSEN, variable("backend"), ["pytorch"])


def test_values_that_contradict_the_rest_say_so_before_they_are_chosen() -> None:
    tags = history.TAGS.replace("_patterns-net", "_stand-in")
    seeded, _ = selection_of(("run", tags, "--adr.model.seed=3"))
    found = vary.checked(CATALOG, seeded, variable("model", seeded), RULES, "v2.1")
    assert now(found) == "stand-in"
    assert "patterns-net" not in words(found)
    assert "no option 'seed'" in next(trial.refused for trial in found.trials if trial.value == "patterns-net")
    with pytest.raises(UsageError, match="model can't be 'patterns-net'"):
        vary.sweep(CATALOG, seeded, found, ["patterns-net"])


def test_every_proposed_value_resolves_or_is_refused() -> None:
    for one in vary.variables(CATALOG, plan_of(CHOSEN)):
        found = vary.checked(CATALOG, CHOSEN, one, RULES, "v2.1")
        for selection in vary.sweep(CATALOG, CHOSEN, found, words(found)):
            assert plan_of(selection)
