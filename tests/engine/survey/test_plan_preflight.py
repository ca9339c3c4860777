"""Rules' objections to a plan: whose images calibrate the model is read from the plan itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.plan.selection_syntax import selection_of
from engine.survey.plan_preflight import by_the_rules
from engine.survey.prepare import prepare, workplace

TAGS = "--tags=app,mlperf,inference,_resnet50,_valid,_submission"
BERT = TAGS.replace("_resnet50", "_bert-99")


@pytest.mark.parametrize(
    ("words", "division", "refused"),
    [
        (",_patterns-net,_int8", "closed", "calibration-patterns are not calibration samples of the rules"),
        (",_efficientnet-lite0,_int8", "closed", "calibration-photographs are not calibration samples of the rules"),
        (",_patterns-net,_int8", "open", ""),
        (",_patterns-net", "closed", ""),
        (",_int8", "closed", ""),
    ],
)
def test_closed_takes_only_calibration_pictures_of_the_rules(
    tmp_path: Path, words: str, division: str, refused: str
) -> None:
    chosen, _ = selection_of([TAGS + words, f"--division={division}", "--env.CM_SUT_NAME=demo"])
    found = by_the_rules(prepare(workplace(str(tmp_path)), chosen))
    about = [one.what for one in found if "calibration" in one.what]
    assert len(about) == bool(refused)
    assert refused in "".join(about)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ([f"{BERT},_int8,_span-net"], "calibration-articles are not calibration samples of the rules"),
        ([f"{BERT},_int8", "--model_path=/models/own.onnx"], ""),
        ([f"{BERT},_int8", "--model_path=/models/own.onnx", "--adr.calibration.tags=_questions"], ""),
    ],
)
def test_bert_is_calibrated_with_the_lists_of_the_rules_in_closed(
    tmp_path: Path, words: list[str], refused: str
) -> None:
    chosen, _ = selection_of([*words, "--division=closed", "--env.CM_SUT_NAME=demo"])
    found = by_the_rules(prepare(workplace(str(tmp_path)), chosen))
    about = [one.what for one in found if "calibration" in one.what]
    assert len(about) == bool(refused)
    assert refused in "".join(about)


def test_generated_questions_too_few_for_a_valid_run_are_an_error_before_they_are_made(tmp_path: Path) -> None:
    chosen, _ = selection_of([f"{BERT},_span-net", "--env.CM_SUT_NAME=demo"])
    found = by_the_rules(prepare(workplace(str(tmp_path)), chosen))
    assert "the data set has 1024 samples, a run draws from 10833" in [one.what for one in found if one.about == "data"]


@pytest.mark.parametrize(("name", "package"), [("v2.1", ""), ("v5.1", "5.1"), ("v6.1", None)])
def test_a_loadgen_that_the_round_does_not_approve_is_named_with_the_one_to_install(
    tmp_path: Path, name: str, package: str | None
) -> None:
    chosen, _ = selection_of([f"{TAGS},_patterns-net", f"--round={name}", "--env.CM_SUT_NAME=demo"])
    found = [one for one in by_the_rules(prepare(workplace(str(tmp_path)), chosen)) if "LoadGen" in one.what]
    if package is None:
        assert found == []
        return
    assert f"is not an approved version of round {name}: {name[1:]}" in found[0].what
    assert found[0].severity == ("warning" if package else "note")
    assert found[0].remedy.startswith(f"pip install mlcommons-loadgen=={package}" if package else "there is no wheel")
