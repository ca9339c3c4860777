"""Verification of a compliance test as a step: its output files, and that a failed test is a result, not an error."""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import profiles
from engine import events
from engine.errors import DataError
from engine.mlperf import ACCURACY_LOG
from engine.mlperf_logs.accuracy_log import Record, records, write_log
from engine.profile.round_file import load_round
from engine.step import Artifact, Step
from engine.steps.results.verify_compliance import verify
from engine.submission.verified import stale

RULES = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")
CLASSES = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
"""The true class of each sample."""


def write_run(folder: Path, score: float, settings: Mapping[str, Any], answers: Mapping[int, int]) -> Path:
    """Write an Offline run: its detail log and its classes by sample."""
    folder.mkdir(parents=True)
    values = {"effective_scenario": "Offline", "result_validity": "VALID", "result_samples_per_second": score}
    lines = [json.dumps({"key": key, "value": value}) for key, value in {**values, **settings}.items()]
    (folder / "mlperf_log_detail.txt").write_text("".join(f":::MLLOG {line}\n" for line in lines))
    found = (Record(number, index, struct.pack("<f", answer)) for number, (index, answer) in enumerate(answers.items()))
    write_log(folder / "mlperf_log_accuracy.json", found)
    return folder


def settings_of(test: str) -> dict[str, Any]:
    """Return the settings of a test as LoadGen logs them."""
    rule = RULES.test(test)
    seeds = rule.seeds or RULES.seeds
    values = {f"effective_{name}_rng_seed": getattr(seeds, name) for name in ("qsl", "sample_index", "schedule")}
    return values | {f"effective_{name}": value for name, value in rule.settings.items()}


def step(folder: Path, test: str, score: float, answers: Mapping[int, int], told: list[events.AnyEvent]) -> Step:
    """A step that verifies a run of `test` with this score and these responses against one of 1,000 samples/s."""
    right = dict(enumerate(CLASSES))
    inputs = {
        "performance": write_run(folder / "performance", 1000, {}, {}),
        "accuracy": write_run(folder / "accuracy", 0, {}, right),
    }
    write_run(folder / "test" / "performance", score, settings_of(test), answers)
    (folder / "val_map.txt").write_text("".join(f"{index}.JPEG {one}\n" for index, one in enumerate(CLASSES)))
    artifacts = {name: Artifact(str(place)) for name, place in {**inputs, "test": folder / "test"}.items()}
    artifacts["preprocessed"] = Artifact(str(folder), {"arrays": ["samples.npy"], "count": 8, "labels": "val_map.txt"})
    output = folder / "output"
    output.mkdir()
    options = {
        "round": "v2.1",
        "benchmark": "resnet50",
        "division": "closed",
        "sut": "box",
        "scenario": "Offline",
        "test": test,
        "task": "engine.tasks.image_classification",
        "dtype": "float32",
    }
    return Step(
        id="compliance",
        title="Verify compliance",
        options=options,
        inputs=artifacts,
        output=output,
        emit=told.append,
        profiles=(profiles.FOLDER,),
    )


def files(folder: Path) -> dict[str, str]:
    """Return the text files in a folder by path, except the record of compared runs, which is always the same."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "verified.json")
    return {str(path.relative_to(folder)): path.read_text() for path in found}


@pytest.mark.parametrize("test", ["TEST04", "TEST05"])
def test_a_test_of_speed_leaves_one_file(tmp_path: Path, test: str) -> None:
    told: list[events.AnyEvent] = []
    facts = verify(step(tmp_path, test, 1010, {}, told))
    assert (facts["passed"], facts["why"], facts["reference"], facts["score"]) == (True, "", 1000, 1010)
    text = "Verifying performance.\nreference score = 1000\ntest score = 1010\nTEST PASS\n"
    assert files(tmp_path / "output") == {"verify_performance.txt": text}
    (result,) = told
    assert isinstance(result, events.Measured)
    assert (result.scenario, result.mode, result.metric) == ("Offline", test, "TEST PASS")
    assert (result.value, result.unit, result.valid) == (101, "% of the performance run's throughput", None)


def test_a_test_that_fails_is_an_outcome_and_a_warning(tmp_path: Path) -> None:
    told: list[events.AnyEvent] = []
    facts = verify(step(tmp_path, "TEST05", 2000, {}, told))
    assert not facts["passed"]
    assert files(tmp_path / "output")["verify_performance.txt"].splitlines()[-1].startswith("TEST FAIL: ")
    result, warning = told
    assert isinstance(result, events.Measured)
    assert (result.metric, result.value) == ("TEST FAIL", 200)
    assert isinstance(warning, events.Warned)
    assert warning.text.startswith(f"error {warning.rule}: TEST05 Offline: TEST FAIL: its throughput is 200.0%")
    assert warning.rule == "compliance.verify_performance"
    assert "again" in warning.remedy


@pytest.mark.parametrize(
    ("test", "redone", "why"),
    [
        ("TEST05", "", ""),
        ("TEST05", "accuracy", ""),
        ("TEST05", "performance", "a different performance run"),
        ("TEST01", "", ""),
        ("TEST01", "accuracy", "a different accuracy run"),
    ],
)
def test_a_verification_holds_for_the_runs_that_it_compared(tmp_path: Path, test: str, redone: str, why: str) -> None:
    verify(step(tmp_path, test, 1000, {4: 5}, []))
    if redone:
        log = tmp_path / redone / "mlperf_log_detail.txt"
        log.write_text(log.read_text() + "\n")
    found = stale(tmp_path / "output", tmp_path / "performance", tmp_path / "accuracy")
    assert (why in found) if why else found == ""


def test_the_same_responses_leave_the_log_and_its_score(tmp_path: Path) -> None:
    at_work = step(tmp_path, "TEST01", 1000, {4: 5, 2: 4, 0: 3}, [])
    assert verify(at_work)["passed"]
    left = files(tmp_path / "output")
    assert set(left) == {
        "verify_performance.txt",
        "verify_accuracy.txt",
        "accuracy/accuracy.txt",
        "accuracy/mlperf_log_accuracy.json",
    }
    assert left["verify_accuracy.txt"].endswith("num_perf_log_data_mismatch = 0\nnum_missing_qsl_idxs = 0\nTEST PASS\n")
    assert left["accuracy/accuracy.txt"] == "accuracy=100.000%, good=3, total=3\n"
    log = tmp_path / "test" / "performance" / "mlperf_log_accuracy.json"
    assert left["accuracy/mlperf_log_accuracy.json"] == log.read_text()


@pytest.mark.parametrize(
    ("answers", "baseline", "compliance"),
    [
        ({4: 5, 2: 4, 0: 7}, "accuracy=100.000%, good=3, total=3\n", "accuracy=66.667%, good=2, total=3\n"),
        ({9: 3, 8: 5, 1: 1, 3: 0}, "accuracy=100.000%, good=4, total=4\n", "accuracy=75.000%, good=3, total=4\n"),
        ({0: 0}, "accuracy=100.000%, good=1, total=1\n", "accuracy=0.000%, good=0, total=1\n"),
    ],
)
def test_where_responses_differ_the_accuracies_decide(
    tmp_path: Path, answers: Mapping[int, int], baseline: str, compliance: str
) -> None:
    told: list[events.AnyEvent] = []
    facts = verify(step(tmp_path, "TEST01", 1000, answers, told))
    assert not facts["passed"]
    assert "more than 1 % apart" in facts["why"]
    left = files(tmp_path / "output")
    assert "TEST PASS" not in left["verify_accuracy.txt"]
    assert "TEST PASS" in left["verify_performance.txt"]
    assert left["accuracy/baseline_accuracy.txt"] == baseline
    assert left["accuracy/compliance_accuracy.txt"] == compliance
    assert isinstance(told[-1], events.Warned)
    assert told[-1].rule == "compliance.accuracy_differs"


def test_differing_responses_of_equal_accuracy_pass(tmp_path: Path) -> None:
    """Both runs are wrong about sample 1, in different ways."""
    at_work = step(tmp_path, "TEST01", 1000, {0: 3, 1: 8}, [])
    write_log(
        tmp_path / "accuracy" / "mlperf_log_accuracy.json",
        (Record(index, index, struct.pack("<f", 7 if index == 1 else one)) for index, one in enumerate(CLASSES)),
    )
    assert verify(at_work)["passed"]
    left = files(tmp_path / "output" / "accuracy")
    assert left["baseline_accuracy.txt"] == left["compliance_accuracy.txt"] == "accuracy=50.000%, good=1, total=2\n"
    assert len(left) == 4


def test_without_a_sampled_response_the_test_fails(tmp_path: Path) -> None:
    facts = verify(step(tmp_path, "TEST01", 1000, {}, []))
    assert "no response of the test can be compared" in facts["why"]
    assert files(tmp_path / "output" / "accuracy")["accuracy.txt"] == ""


def test_responses_to_unknown_samples_are_a_warning(tmp_path: Path) -> None:
    told: list[events.AnyEvent] = []
    at_work = step(tmp_path, "TEST01", 1000, {0: 3, 9: 3}, told)
    log = tmp_path / "accuracy" / "mlperf_log_accuracy.json"
    write_log(log, [record for record in records(log) if record.qsl_idx != 9])
    assert verify(at_work)["passed"]
    assert "1 of 2 responses" in str(told)


def test_both_accuracies_are_of_the_samples_that_both_runs_answered(tmp_path: Path) -> None:
    at_work = step(tmp_path, "TEST01", 1000, {0: 3, 1: 8, 9: 3}, [])
    log = tmp_path / "accuracy" / "mlperf_log_accuracy.json"
    write_log(log, [record for record in records(log) if record.qsl_idx != 9])
    assert not verify(at_work)["passed"]
    left = files(tmp_path / "output" / "accuracy")
    assert left["baseline_accuracy.txt"] == "accuracy=100.000%, good=2, total=2\n"
    assert left["compliance_accuracy.txt"] == "accuracy=50.000%, good=1, total=2\n"
    assert left["accuracy.txt"] == "accuracy=66.667%, good=2, total=3\n", "the log as it is"


TEXTS = ["a quick", "brown", "fox", "jumps over", "the", "lazy dog"]


def write_texts(log: Path, answers: Sequence[tuple[int, str]]) -> None:
    """Write an accuracy log whose responses are letters as int64, of the length of each text."""
    found = (
        Record(number, index, struct.pack(f"<{len(text)}q", *map(ord, text)))
        for number, (index, text) in enumerate(answers)
    )
    write_log(log, found)


@pytest.mark.parametrize(
    ("tested", "passed", "baseline", "compliance"),
    [
        ([(4, "the"), (2, "fox"), (4, "the")], True, "", ""),
        ([(4, "the"), (2, "fix"), (4, "the")], True, "", ""),
        ([(4, "The"), (2, "fox"), (4, "the")], False, "accuracy=100.000000%", "accuracy=83.333333%"),
        ([(1, "Brown"), (4, "the")], True, "accuracy=87.500000%", "accuracy=87.500000%"),
    ],
    ids=["the same", "the same first letters", "one letter worse", "equally good"],
)
def test_any_task_is_compared_by_its_own_score(
    tmp_path: Path, tested: list[tuple[int, str]], passed: bool, baseline: str, compliance: str
) -> None:
    """Of variable-length responses the first element is compared; where one differs, the scores of the samples."""
    at_work = step(tmp_path, "TEST01", 1000, {}, [])
    (tmp_path / "val_map.txt").write_text("\n".join(TEXTS))
    write_texts(tmp_path / "accuracy" / ACCURACY_LOG, list(enumerate(["a quick", "brawn", *TEXTS[2:]])))
    write_texts(tmp_path / "test" / "performance" / ACCURACY_LOG, tested)
    own = {"benchmark": "rnnt", "task": "tests.engine.steps.word_task", "dtype": "int64"}
    at_work = dataclasses.replace(at_work, options={**at_work.options, **own})
    assert verify(at_work)["passed"] == passed
    left = files(tmp_path / "output" / "accuracy")
    assert left["accuracy.txt"].startswith("Word Error Rate: ")
    assert baseline in left.get("baseline_accuracy.txt", "")
    assert compliance in left.get("compliance_accuracy.txt", "")
    assert ("baseline_accuracy.txt" in left) == bool(baseline)


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    at_work = step(tmp_path, "TEST01", 1000, {0: 3}, [])
    (tmp_path / "test" / "performance" / "mlperf_log_detail.txt").unlink()
    with pytest.raises(DataError, match=r"mlperf_log_detail\.txt"):
        verify(at_work)
