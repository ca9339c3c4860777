"""What a guide's choices select."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest

from engine.guide import actions, choices_form, presets, state
from engine.guide.state import FIRST, Guide
from engine.profile.catalog import load
from engine.submission.form import Field
from engine.survey.prepare import resolved
from tests.engine.guide.driver import GuideDriver

CATALOG = load([])
OFFERS = [(name, offer) for name, one in CATALOG.benchmarks.items() for offer in one.file.offers]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> GuideDriver:
    return GuideDriver(tmp_path_factory.mktemp("home"))


def made(driver: GuideDriver, **chosen: str) -> Guide:
    """Return a guide of these choices, which is not saved."""
    guide = msgspec.structs.replace(Guide(name=FIRST, system="demo-offline", made=1.0), **chosen)
    return presets.filled(guide, driver.reader.place.catalog)


def form(driver: GuideDriver, **chosen: str) -> dict[str, Field]:
    """Return the fields of the form for these choices, by name."""
    guide = made(driver, **chosen)
    found = choices_form.form(guide, driver.reader.place, driver.reader.rules(guide))
    return {field.name: field for field in found}


def usable(field: Field) -> list[str]:
    """Return the values that can be chosen."""
    return [one.value for one in field.picks if not one.refused]


@pytest.mark.parametrize(
    ("benchmark", "model", "samples"),
    [
        ("", "patterns-net", "images"),
        ("retinanet", "scenes-net", "images"),
        ("bert-99", "span-net", "questions"),
        ("bert-99.9", "span-net", "questions"),
        ("rnnt", "letters-net", "utterances"),
        ("dlrm-99", "clicks-net", "samples"),
    ],
)
def test_a_practice_says_what_its_samples_are(driver: GuideDriver, benchmark: str, model: str, samples: str) -> None:
    chosen = presets.selection(made(driver, offer="practice", benchmark=benchmark), CATALOG)
    assert model in chosen.query.variations
    notice = f"DEMONSTRATION: open division, short runs, a tiny model on generated {samples}. Not an MLPerf result."
    assert chosen.options["notice"] == notice


@pytest.mark.parametrize(("benchmark", "offer"), OFFERS)
def test_every_offer_of_a_benchmark_can_be_planned(driver: GuideDriver, benchmark: str, offer: str) -> None:
    place, guide = driver.reader.place, made(driver, benchmark=benchmark, offer=offer)
    model = CATALOG.benchmarks[benchmark].file.offers[offer].model
    if not any(model in one.tags for one in CATALOG.components.values()):
        pytest.skip(f"no component {model} yet")
    whole = resolved(place, presets.selection(guide, CATALOG)).plan
    assert any(edge.name == "submission" for edge in whole.nodes[whole.root].after)
    values = resolved(place, presets.trial(guide, CATALOG)).plan.nodes[whole.root].values()
    assert (values["scenarios"], values["style"], values["benchmark"]) == (("Offline",), "test", benchmark)


def test_a_benchmark_offers_what_its_file_has(driver: GuideDriver) -> None:
    found = form(driver, benchmark="bert-99", offer="paragraphs")
    assert usable(found["offer"]) == ["practice", "paragraphs", "real"]
    assert "five questions" in found["offer"].picks[1].help
    assert usable(found["backend"]) == ["onnxruntime", "tensorflow", "openvino"]
    assert found["offer"].verdict == found["backend"].verdict == "ok"
    assert usable(form(driver, benchmark="rnnt", offer="practice")["backend"]) == ["onnxruntime", "openvino"]
    chosen = presets.selection(made(driver, benchmark="bert-99", offer="paragraphs"), CATALOG)
    assert "paragraphs" in str(chosen.overrides)


def test_a_precision_that_the_model_does_not_have_is_marked_before_it_is_taken(driver: GuideDriver) -> None:
    assert usable(form(driver, benchmark="rnnt", offer="practice")["precision"]) == ["fp32", "int8"]
    found = form(driver, benchmark="rnnt", offer="practice", backend="openvino", precision="int8")["precision"]
    assert (found.verdict, usable(found)) == ("problem", ["fp32", "bf16"])
    assert found.remedy == "choose fp32 or bf16"


def test_precision_tuning_and_targets_are_in_the_plan_and_in_the_name_of_the_results(driver: GuideDriver) -> None:
    plain = made(driver, offer="practice")
    assert presets.label(plain) == "practice-open-resnet50-onnxruntime-test", "results of an older version are found"
    guide = msgspec.structs.replace(plain, precision="int8", tuning="thorough", targets="searched")
    assert presets.label(guide) == "practice-open-resnet50-onnxruntime-test-int8-thorough-searched"
    whole = presets.selection(guide, CATALOG).query.variations
    assert {"int8", "tune", "find-performance"} <= set(whole)
    assert not {"tune", "find-performance"} & set(presets.trial(guide, CATALOG).query.variations)
    values = resolved(driver.reader.place, presets.selection(guide, CATALOG)).plan
    assert values.nodes[values.root].values()["targets"] == "searched"


def test_what_is_not_in_the_file_of_a_guide_is_asked_again(driver: GuideDriver) -> None:
    assert list(form(driver, benchmark="bert-99", offer="photographs")) == ["round", "offer", "benchmark"]
    assert form(driver, benchmark="nonsense", offer="practice")["benchmark"].verdict == "problem"
    assert form(driver, offer="practice", backend="nonsense")["backend"].verdict == "problem"


def test_another_benchmark_takes_what_it_lacks_from_its_own(driver: GuideDriver) -> None:
    driver.choose("photographs", backend="tensorflow", data="/data")
    guide = actions.choose(driver.reader, driver.guide, "benchmark", "bert-99.9")
    assert guide.round == "v6.1", "v2.1 has it in datacenters only"
    assert (guide.offer, guide.category, guide.backend, guide.data) == ("paragraphs", "edge", "tensorflow", "")
    guide = actions.choose(driver.reader, driver.guide, "benchmark", "rnnt")
    assert (guide.offer, guide.category, guide.backend) == ("practice", "edge", "")
    assert guide.round == "v4.0"


def test_the_newest_round_that_has_benchmark_and_category_is_proposed(driver: GuideDriver) -> None:
    assert made(driver, round="").round == "v6.1"
    assert made(driver, round="", benchmark="rnnt").round == "v4.0"
    assert made(driver, round="", category="datacenter").round == "v5.0"
    assert made(driver, round="v6.1", category="datacenter").round == "v5.0", "v6.1 has no such category"
    assert (made(driver, round="v3.1").round, made(driver, round="nonsense").round) == ("v3.1", "v6.1")
    assert made(driver).round == "v2.1", "a file from before there was a choice"
    found = form(driver, round="v6.1", offer="practice")
    assert {one.value: one.help for one in found["category"].picks}["datacenter"] == "Server, Offline (round v5.0)"
    assert {one.value: one.help for one in found["benchmark"].picks}["rnnt"].endswith(" (round v4.0)")
    assert [one.value for one in found["round"].picks][:2] == ["v6.1", "v6.0"]
    found = form(driver, round="v5.0", offer="practice", category="datacenter")
    refused = {one.value: one.refused for one in found["round"].picks}
    assert (refused["v5.0"], refused["v5.1"]) == ("", "has no resnet50 in datacenter")


def test_the_round_is_in_the_plan_and_in_the_name_of_the_results(driver: GuideDriver) -> None:
    guide = made(driver, offer="practice", round="v6.1")
    assert presets.label(guide) == "practice-open-resnet50-onnxruntime-test-v6.1"
    for chosen in (presets.selection(guide, CATALOG), presets.trial(guide, CATALOG)):
        assert resolved(driver.reader.place, chosen).round == "v6.1"


def test_results_go_where_they_are_wanted(driver: GuideDriver, tmp_path: Path) -> None:
    driver.choose(benchmark="resnet50")
    assert form(driver, offer="practice")["results"].value == str(state.folder_of(driver.reader.place.folders, FIRST))
    driver.choose(results=str(tmp_path / "mine"))
    overview = driver.overview()
    for step in ("try", "runs", "check", "pack"):
        place = overview.output(step)
        assert place is not None
        assert place.is_relative_to(tmp_path / "mine")
    (tmp_path / "file").write_text("")
    for wrong in (str(tmp_path / "file" / "below"), "a\0b", "x" * 5000):
        assert form(driver, offer="practice", results=wrong)["results"].verdict == "problem", wrong[:20]
        assert form(driver, offer="real", data=wrong)["data"].verdict == "problem", wrong[:20]


def test_a_folder_with_the_data_says_what_is_in_it(driver: GuideDriver, tmp_path: Path) -> None:
    (tmp_path / "ILSVRC2012_val_00000001.JPEG").write_bytes(b"x")
    (tmp_path / "val_map.txt").write_text("ILSVRC2012_val_00000001.JPEG 65\n")
    found = form(driver, offer="real", data=str(tmp_path))["data"]
    assert found.verdict == "ok"
    assert "1 images in" in found.said
    assert form(driver, benchmark="bert-99", offer="real", data=str(tmp_path))["data"].verdict == "problem"


def test_the_names_of_offers_other_than_the_known_need_a_text() -> None:
    for one in CATALOG.benchmarks.values():
        assert all(offer.text for name, offer in one.file.offers.items() if name not in presets.PRESETS)
    assert all(dataclasses.asdict(one)["text"] for one in presets.PRESETS.values())
