"""The second benchmark from one command to a checked tree, on generated scenes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.mlperf_logs import accuracy_log as accuracy
from engine.mlperf_logs import detail
from tests.whole.command import SHORT, inferdeck, measured

TAGS = "--tags=app,mlperf,inference,reference,python,_retinanet,_scenes-net"
SCENARIOS = ("SingleStream", "MultiStream", "Server", "Offline")
DETECTION_BYTES = 28


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all tests: the scenes are generated once."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.slow
def test_all_scenarios_in_both_modes_find_the_same(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("demo", "--model=retinanet", "--offline", f"--output_dir={out}", *SHORT, "--adr.dataset.tags=_scenes")
    results = measured(home, *words)
    scores = {results[scenario, "accuracy"]["value"] for scenario in SCENARIOS}
    assert len(scores) == 1, "the same model and pictures, whatever the scenario"
    assert scores.pop() >= 75
    for scenario in SCENARIOS:
        folder = out / "demo-offline" / "retinanet" / scenario
        line = (folder / "accuracy" / "accuracy.txt").read_text().splitlines()[-1]
        assert re.fullmatch(r"mAP=\d+\.\d{3}%", line)
        log = detail.read(folder / "performance" / "mlperf_log_detail.txt")
        assert log.value("effective_performance_sample_count") == 64
        assert log.value("effective_scenario") == scenario
        records = list(accuracy.records(folder / "accuracy" / "mlperf_log_accuracy.json"))
        assert sorted({one.qsl_idx for one in records}) == list(range(256))
        assert all(len(one.data) % DETECTION_BYTES == 0 for one in records)


@pytest.mark.slow
def test_a_submission_with_its_compliance_tests_is_checked(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = (f"{TAGS},_submission,_compliance", "--env.CM_SUT_NAME=demo-offline", "--scenarios=Offline")
    status, text, err = inferdeck(home, "run", *words, f"--output_dir={out}", *SHORT, "--min_query_count=70", "--json")
    assert json.loads(text)["state"] == "finished", f"{text}\n{err}"
    assert status == 0
    (place,) = out.glob("submission/*/*/compliance/demo-offline/retinanet/Offline")
    assert {path.name for path in place.iterdir()} == {"TEST01", "TEST05"}, "the round asks for no TEST04 here"
    assert "TEST PASS" in (place / "TEST01" / "verify_accuracy.txt").read_text()
    status, text, err = inferdeck(home, "submission", "check", str(out / "submission"), "--json")
    found = json.loads(text)
    broken = {one["rule"] for one in found["findings"] if one["severity"] == "error"}
    assert broken <= {"performance.validity"}, f"{found}\n{err}"


@pytest.mark.slow
def test_the_quantized_detector_finds_nearly_as_much(home: Path, tmp_path: Path) -> None:
    words = (f"{TAGS},_int8,_accuracy-only", "--adr.model.weight_bits=7", *SHORT)
    results = measured(home, "run", *words, f"--output_dir={tmp_path / 'out'}")
    assert results["Offline", "accuracy"]["value"] >= 65


def test_an_accuracy_run_of_the_stand_in_is_refused_with_its_reason(tmp_path: Path) -> None:
    words = ("--tags=app,mlperf,inference,_retinanet,_stand-in,_all-modes",)
    status, _, err = inferdeck(tmp_path, "plan", *words)
    assert status == 2
    assert "its detections mean nothing" in err
    status, out, err = inferdeck(tmp_path, "plan", "--tags=app,mlperf,inference,_retinanet,_stand-in")
    assert status == 0, err
    assert "SYNTHETIC WEIGHTS" in out
