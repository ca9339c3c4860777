"""Speech recognition from one command to a checked tree, with a model of the test on generated utterances."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.mlperf_logs import accuracy_log as accuracy
from tests.engine.tasks import speech_cases, transducer_model
from tests.whole.command import SHORT, inferdeck, measured

SEED = 3
UTTERANCES = 24
TAGS = "--tags=app,mlperf,inference,reference,python,_rnnt,_onnxruntime,_cpu,_test"

COMPONENT = """
name: rnnt-model
summary: A transducer of the test
tags: [get, ml-model, reference, rnnt]
step: transducer.py:make
options:
  folder: {{default: "{folder}"}}
"""
STEP = """
import shutil
from pathlib import Path

def make(step):
    for name in ("encoder", "prediction", "joint"):
        shutil.copyfile(Path(step.options["folder"]) / f"{name}.onnx", step.output / f"{name}.onnx")
    return {
        "model": {name: f"{name}.onnx" for name in ("encoder", "prediction", "joint")},
        "outputs": {"encoder": ["encoded", "encoded_lengths"], "joint": ["logits"]},
        "sha256": "0" * 64,
    }
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The words that give a model and a data set."""
    folder = tmp_path_factory.mktemp("own")
    transducer_model.write(folder / "model")
    speech_cases.write(folder / "data", SEED, UTTERANCES)
    components = folder / "profiles" / "components"
    components.mkdir(parents=True)
    (components / "rnnt-model.yaml").write_text(COMPONENT.format(folder=folder / "model"))
    (components / "transducer.py").write_text(STEP)
    return (
        f"--profiles={folder / 'profiles'}",
        f"--env.LIBRISPEECH_PATH={folder / 'data'}",
        "--env.CM_SUT_NAME=demo-offline",
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.mark.slow
def test_each_scenario_answers_every_utterance_alike(home: Path, tmp_path: Path, own: tuple[str, ...]) -> None:
    out, scenarios = tmp_path / "out", ("SingleStream", "MultiStream", "Server", "Offline")
    words = (f"{TAGS},_all-modes", f"--scenarios={','.join(scenarios)}", *own, *SHORT)
    results = measured(home, "run", *words, f"--output_dir={out}")
    assert set(results) == {(one, mode) for one in scenarios for mode in ("performance", "accuracy")}
    answers = []
    for scenario in scenarios:
        folder = out / "demo-offline" / "rnnt" / scenario / "accuracy"
        text = (folder / "accuracy.txt").read_text()
        assert re.fullmatch(r"Word Error Rate: [\d.]+%, accuracy=-?[\d.]+%\n(hash=\w+\n)?", text)
        records = list(accuracy.records(folder / "mlperf_log_accuracy.json"))
        assert sorted(one.qsl_idx for one in records) == list(range(UTTERANCES))
        answers.append({one.qsl_idx: one.data for one in records})
    assert any(answers[0].values())
    assert all(one == answers[0] for one in answers)


@pytest.mark.slow
def test_a_submission_with_its_compliance_tests_is_checked(home: Path, tmp_path: Path, own: tuple[str, ...]) -> None:
    out = tmp_path / "out"
    words = (f"{TAGS},_submission,_compliance,_edge", "--scenarios=SingleStream", *own, *SHORT, "--min_query_count=70")
    status, text, err = inferdeck(home, "run", *words, f"--output_dir={out}", "--json")
    assert json.loads(text)["state"] == "finished", f"{text}\n{err}"
    assert status == 0
    folder = out / "demo-offline" / "rnnt" / "SingleStream"
    answers = (folder / "TEST01" / "verify_accuracy.txt").read_text()
    assert answers.endswith("num_perf_log_data_mismatch = 0\nnum_missing_qsl_idxs = 0\nTEST PASS\n")
    (place,) = out.glob("submission/*/*/compliance/demo-offline/rnnt/SingleStream")
    assert {path.name for path in place.iterdir()} == {"TEST01", "TEST05"}
    status, text, err = inferdeck(home, "submission", "check", str(out / "submission"), "--json")
    found = json.loads(text)
    broken = {one["rule"] for one in found["findings"] if one["severity"] == "error"}
    allowed = {"performance.validity", "performance.sample_count", "accuracy.metric"}
    assert broken <= allowed, f"{found}\n{err}"
