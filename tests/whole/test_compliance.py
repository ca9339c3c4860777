"""The compliance tests of the offline demonstration: run, verified, and published where a submission finds them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.mlperf_logs import accuracy_log as accuracy
from engine.mlperf_logs import detail
from engine.profile.catalog import load, profile_file
from engine.profile.round_file import load_round
from engine.submission import verification as compliance
from tests.whole.command import SHORT, inferdeck, measured

SCENARIOS = ("Offline", "SingleStream")
WORDS = ("demo", "--offline", "--compliance=TEST01,TEST04,TEST05", f"--scenarios={','.join(SCENARIOS)}", *SHORT)
LEFT = {
    "performance": {"mlperf_log_detail.txt", "mlperf_log_summary.txt", "audit.config", "user.conf", "run.json"},
    "TEST01": {"verify_performance.txt", "verify_accuracy.txt"},
    "TEST04": {"verify_performance.txt"},
    "TEST05": {"verify_performance.txt"},
}


@pytest.mark.slow
def test_the_compliance_tests_of_the_offline_demonstration(tmp_path: Path) -> None:
    out = tmp_path / "out"
    results = measured(tmp_path / "home", *WORDS, "--min_query_count=70", f"--output_dir={out}")
    rules = load_round(profile_file(load().folders, "rounds", "v2.1"))
    resnet = rules.benchmark("resnet50")
    for scenario in SCENARIOS:
        folder = out / "demo-offline" / "resnet50" / scenario
        reference = detail.read(folder / "performance" / "mlperf_log_detail.txt")
        for test in resnet.compliance:
            names = {path.name for path in (folder / test).iterdir()}
            assert names >= LEFT[test] | {"performance", "provenance.json"}
            assert {path.name for path in (folder / test / "performance").iterdir()} >= LEFT["performance"]
            log = detail.read(folder / test / "performance" / "mlperf_log_detail.txt")
            assert log.value("effective_scenario") == scenario
            assert not log.errors
            found = compliance.speed(rules, resnet, test, reference, log)
            assert "no run of the test" not in found.why
            # Whether so short a run is as fast as another one is up to what else the machine does.
            text = (folder / test / "verify_performance.txt").read_text()
            assert text == compliance.performance_text(found)
            assert results[scenario, test]["metric"] == text.splitlines()[-1][: len("TEST PASS")]
            assert results[scenario, test]["value"] > 0
        answers = (folder / "TEST01" / "verify_accuracy.txt").read_text()
        assert answers.endswith("num_perf_log_data_mismatch = 0\nnum_missing_qsl_idxs = 0\nTEST PASS\n")
        assert {path.name for path in (folder / "TEST01" / "accuracy").iterdir()} == {
            "accuracy.txt",
            "mlperf_log_accuracy.json",
        }
        assert any(accuracy.records(folder / "TEST01" / "accuracy" / "mlperf_log_accuracy.json"))
    log = detail.read(
        out / "demo-offline" / "resnet50" / "Offline" / "TEST05" / "performance" / "mlperf_log_detail.txt"
    )
    assert log.value("effective_schedule_rng_seed") == 413914573387865862


@pytest.mark.slow
def test_a_submission_holds_the_compliance_tests(tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    words = ("--tags=app,mlperf,inference,_patterns-net,_submission,_compliance", "--env.CM_SUT_NAME=demo-offline")
    status, text, err = inferdeck(
        home, "run", *words, "--scenarios=Offline", f"--output_dir={out}", *SHORT, "--min_query_count=70", "--json"
    )
    assert json.loads(text)["state"] == "finished", f"{text}\n{err}"
    assert status == 0
    (place,) = out.glob("submission/*/*/compliance/demo-offline/resnet50/Offline")
    for test in ("TEST01", "TEST04", "TEST05"):
        run = {path.name for path in (place / test / "performance" / "run_1").iterdir()}
        assert {"mlperf_log_summary.txt", "mlperf_log_detail.txt"} <= run
        assert (place / test / "verify_performance.txt").exists()
    assert "hash=" in (place / "TEST01" / "accuracy" / "accuracy.txt").read_text()
    assert "TEST PASS" in (place / "TEST01" / "verify_accuracy.txt").read_text()
