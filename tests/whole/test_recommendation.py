"""Recommendation from one command to a checked tree, with a model of the test on rows in the reference's form."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from engine.mlperf_logs import accuracy_log as accuracy
from engine.networks.dlrm_graph import build
from engine.tasks.dlrm_form import Form
from tests.engine.networks.test_dlrm_graph import weights
from tests.engine.tasks import criteo_cases as cases
from tests.whole.command import SHORT, inferdeck, measured

LENGTHS = (100, 200, 300, 200, 200, 700, 100, 400, 200, 200, 300, 19)
TAGS = "--tags=app,mlperf,inference,reference,python,_onnxruntime,_cpu,_test"

COMPONENT = """
name: dlrm-model
summary: A DLRM of the test
tags: [get, ml-model, reference, dlrm]
step: clicks.py:make
options:
  file: {{default: "{file}"}}
variations:
  for-99.9: {{}}
"""
STEP = """
import shutil

def make(step):
    shutil.copyfile(step.options["file"], step.output / "model.onnx")
    return {"model": "model.onnx", "outputs": ["probability"], "sha256": "0" * 64}
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The words that give a model and a data set."""
    folder = tmp_path_factory.mktemp("own")
    form = Form(tuple(cases.TABLES.tolist()), 8, (16, 8), (32, 16, 1))
    made = weights(form)
    onnx.save(build(form, lambda name, _: made[name], name="test"), folder / "clicks.onnx")
    cases.write(folder / "data", cases.rows(sum(LENGTHS), seed=2), LENGTHS)
    components = folder / "profiles" / "components"
    components.mkdir(parents=True)
    (components / "dlrm-model.yaml").write_text(COMPONENT.format(file=folder / "clicks.onnx"))
    (components / "clicks.py").write_text(STEP)
    return (
        f"--profiles={folder / 'profiles'}",
        f"--env.CRITEO_PATH={folder / 'data'}",
        "--env.CM_SUT_NAME=demo-offline",
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.mark.slow
@pytest.mark.parametrize("benchmark", ["dlrm-99", "dlrm-99.9"])
def test_a_submission_with_its_compliance_tests_is_checked(
    home: Path, tmp_path: Path, own: tuple[str, ...], benchmark: str
) -> None:
    out = tmp_path / "out"
    words = (f"{TAGS},_{benchmark},_submission,_compliance,_datacenter", *own, *SHORT)
    status, text, err = inferdeck(home, "run", *words, f"--output_dir={out}", "--json")
    assert json.loads(text)["state"] == "finished", f"{text}\n{err}"
    assert status == 0
    answers = []
    for scenario in ("Server", "Offline"):
        folder = out / "demo-offline" / benchmark / scenario
        line = (folder / "accuracy" / "accuracy.txt").read_text()
        assert re.match(
            rf"AUC=[\d.]+%, accuracy=[\d.]+%, good=\d+, total={sum(LENGTHS)}, queries={len(LENGTHS)}\n", line
        )
        verified = (folder / "TEST01" / "verify_accuracy.txt").read_text()
        assert verified.endswith("num_perf_log_data_mismatch = 0\nnum_missing_qsl_idxs = 0\nTEST PASS\n")
        (place,) = out.glob(f"submission/*/*/compliance/demo-offline/{benchmark}/{scenario}")
        assert {path.name for path in place.iterdir()} == {"TEST01", "TEST05"}
        answers.append(
            {one.qsl_idx: one.data for one in accuracy.records(folder / "accuracy" / "mlperf_log_accuracy.json")}
        )
    labels = cases.rows(sum(LENGTHS), seed=2)[:, 0]
    for one in answers:
        found = np.concatenate([np.frombuffer(one[index], "<f4") for index in range(len(LENGTHS))]).reshape(-1, 2)
        np.testing.assert_array_equal(found[:, 1], labels)
    _, text, err = inferdeck(home, "submission", "check", str(out / "submission"), "--json")
    found_rules = json.loads(text)
    broken = {one["rule"] for one in found_rules["findings"] if one["severity"] == "error"}
    assert broken <= {"performance.validity", "performance.sample_count"}, f"{found_rules}\n{err}"


@pytest.mark.slow
def test_a_stand_in_is_measured_from_the_base_install(home: Path, tmp_path: Path) -> None:
    cut = ("--adr.model.rows_per_table=100", "--adr.rows.count=12")
    words = (f"{TAGS},_dlrm-99,_stand-in,_performance-only", "--scenarios=Server,Offline", *cut, *SHORT)
    results = measured(home, "run", *words, "--env.CM_SUT_NAME=demo-offline", f"--output_dir={tmp_path / 'out'}")
    assert set(results) == {("Server", "performance"), ("Offline", "performance")}
