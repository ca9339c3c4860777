"""Segmentation from one command to a checked tree, with a model of the test on generated scans."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.mlperf_logs import accuracy_log as accuracy
from tests.whole.command import SHORT, inferdeck, measured

VOLUMES = 3
TAGS = "--tags=app,mlperf,inference,reference,python,_onnxruntime,_cpu,_test"
LINE = r"Accuracy: mean = 0\.\d{5}, kidney = 0\.\d{4}, tumor = 0\.\d{4}\n(hash=\w+\n)?"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The words that give a model, which knows an organ by how bright a voxel is, and a data set."""
    file = tmp_path_factory.mktemp("model") / "model.onnx"
    weights = np.array([0, 1, 2], np.float32).reshape(3, 1, 1, 1, 1)
    node = helper.make_node("Conv", ["input", "weights", "bias"], ["output"], kernel_shape=[1, 1, 1])
    graph = helper.make_graph(
        [node],
        "brightness",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, 128, 128, 128])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", 3, 128, 128, 128])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([0.6, 0, -0.8], np.float32), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, file)
    return (
        f"--model_path={file}",
        "--adr.dataset.tags=_generated",
        f"--adr.scans.count={VOLUMES}",
        "--env.CM_SUT_NAME=demo-offline",
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.mark.slow
def test_each_scenario_answers_every_volume_alike(home: Path, tmp_path: Path, own: tuple[str, ...]) -> None:
    out, scenarios = tmp_path / "out", ("SingleStream", "Offline")
    words = (f"{TAGS},_3d-unet-99.9,_all-modes", f"--scenarios={','.join(scenarios)}", *own, *SHORT)
    results = measured(home, "run", *words, f"--output_dir={out}")
    assert set(results) == {(one, mode) for one in scenarios for mode in ("performance", "accuracy")}
    answers = []
    for scenario in scenarios:
        folder = out / "demo-offline" / "3d-unet-99.9" / scenario / "accuracy"
        *cases, line = (folder / "accuracy.txt").read_text().splitlines(keepends=True)[: VOLUMES + 1]
        assert re.fullmatch(LINE, line)
        assert len(cases) == VOLUMES
        records = list(accuracy.records(folder / "mlperf_log_accuracy.json"))
        assert sorted(one.qsl_idx for one in records) == list(range(VOLUMES))
        answers.append({one.qsl_idx: one.data for one in records})
    assert {len(set(one)) for one in answers[0].values()} == {3}, "all classes are found"
    assert answers[1] == answers[0]


@pytest.mark.slow
@pytest.mark.parametrize("benchmark", ["3d-unet-99", "3d-unet-99.9"])
def test_a_submission_with_its_compliance_tests_is_checked(
    home: Path, tmp_path: Path, own: tuple[str, ...], benchmark: str
) -> None:
    out = tmp_path / "out"
    words = (f"{TAGS},_{benchmark},_submission,_compliance,_edge", "--scenarios=SingleStream", *own, *SHORT)
    status, text, err = inferdeck(home, "run", *words, f"--output_dir={out}", "--json")
    assert json.loads(text)["state"] == "finished", f"{text}\n{err}"
    assert status == 0
    folder = out / "demo-offline" / benchmark / "SingleStream"
    answers = (folder / "TEST01" / "verify_accuracy.txt").read_text()
    assert answers.endswith("num_perf_log_data_mismatch = 0\nnum_missing_qsl_idxs = 0\nTEST PASS\n")
    (place,) = out.glob(f"submission/*/*/compliance/demo-offline/{benchmark}/SingleStream")
    assert {path.name for path in place.iterdir()} == {"TEST01", "TEST05"}
    status, text, err = inferdeck(home, "submission", "check", str(out / "submission"), "--json")
    found = json.loads(text)
    broken = {one["rule"] for one in found["findings"] if one["severity"] == "error"}
    # The last: of fewer than 64 queries LoadGen estimates no latency.
    allowed = {"performance.validity", "performance.sample_count", "performance.metric"}
    assert broken <= allowed, f"{found}\n{err}"
