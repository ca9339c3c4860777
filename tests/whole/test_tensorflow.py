"""Whole measurements on TensorFlow: a shipped model, and the tutorial's options with a frozen graph of the user's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.datasets import patterns
from engine.standins import resnet50 as standin_resnet50
from engine.step import Artifact
from tests.engine.networks.running import step
from tests.whole.command import SHORT, inferdeck, measured

graphs = pytest.importorskip("engine.networks.tensorflow_graph", reason="needs pip install 'inferdeck[tensorflow]'")

TAGS = "--tags=app,mlperf,inference,reference,python,_resnet50,_tf,_cpu"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference graph with weights from few images: a folder with its ONNX file and its frozen graph."""
    folder = tmp_path_factory.mktemp("stand-in")
    facts = standin_resnet50.build(step(folder, {"seed": 1, "training_pictures": 60, "held_out_pictures": 10}))
    graphs.convert(step(folder, {"form": "frozen-graph"}, {"onnx": Artifact(str(folder), facts)}))
    return folder


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated folder in the exact layout of the validation set."""
    folder = tmp_path_factory.mktemp("imagenet-2012-val")
    list(patterns.write(patterns.ImageSet(seed=7, count=50), folder))
    return folder


@pytest.mark.slow
def test_a_shipped_model_as_a_saved_model(tmp_path: Path) -> None:
    words = ("--scenarios=SingleStream,Offline", "--adr.images.count=300", "--adr.model.tags=_saved-model")
    results = measured(tmp_path / "home", "run", f"{TAGS},_patterns-net,_all-modes", *words, *SHORT)
    for scenario in ("SingleStream", "Offline"):
        assert results[scenario, "performance"]["value"] > 0
        assert results[scenario, "accuracy"]["value"] >= 97
    logs = sorted((tmp_path / "home" / "state" / "jobs" / "r-0001" / "logs").iterdir())
    assert len(logs) > 6
    assert [path.name for path in logs if path.read_text()] == [], "TensorFlow says nothing"


@pytest.mark.slow
def test_question_answering_is_as_right_as_with_onnx_runtime(tmp_path: Path) -> None:
    tags = "--tags=app,mlperf,inference,reference,python,_bert-99,_cpu,_span-net,_accuracy-only"
    words = ("--adr.preprocessed.count=100", *SHORT)
    found = [measured(tmp_path / "home", "run", f"{tags},{one}", *words) for one in ("_tf", "_onnxruntime")]
    mine, theirs = (one["Offline", "accuracy"]["value"] for one in found)
    assert mine == theirs > 90


@pytest.mark.slow
def test_the_tutorials_command(tmp_path: Path, stand_in: Path, imagenet: Path) -> None:
    """The tutorial's command, but for `_test`, few queries, and a model that can be built anywhere."""
    home, out = tmp_path / "home", tmp_path / "results"
    words = (
        "run",
        "script",
        "--tags=app,mlperf,inference,reference,python,_resnet50,_tf,_cpu,_submission,_test",
        f"--output_dir={out}",
        "--add_deps_tags.imagenet=_full",
        f"--env.IMAGENET_PATH={imagenet}",
        "--env.CM_SUT_NAME=gcp-n2-standard-80-tf",
        f"--model_path={stand_in / 'model.pb'}",
    )
    results = measured(home, *words, "--adr.workers.max_batch=2", *SHORT)
    scenarios = ("SingleStream", "MultiStream", "Offline")
    assert set(results) == {(one, mode) for one in scenarios for mode in ("performance", "accuracy")}
    for scenario, target in zip(
        scenarios, ("target_latency = 30", "target_latency = 700", "target_qps = 175"), strict=True
    ):
        folder = out / "gcp-n2-standard-80-tf" / "resnet50" / scenario
        assert results[scenario, "accuracy"]["value"] > 8, "chance is 2 %"
        assert f"resnet50.{scenario}.{target}" in (folder / "performance" / "user.conf").read_text()
        assert (folder / "accuracy" / "accuracy.txt").read_text().endswith(", total=50\n")
        assert '"backend": "tensorflow"' in (folder / "performance" / "provenance.json").read_text()
    tree = out / "submission"
    (system,) = tree.glob("open/OctoML/systems/*.json")
    assert system.stem == "gcp-n2-standard-80-tf"
    errors = [
        one for one in json.loads((out / "submission-check.json").read_text())["findings"] if one["severity"] == "error"
    ]
    few = {"performance.sample_count", "performance.validity", "performance.metric"}
    assert {one["rule"] for one in errors} == few, "50 pictures and 24 queries are too few, and nothing else is wrong"
    assert sum(one["rule"] == "performance.sample_count" for one in errors) == 3
    assert not (out / "submission.zip").exists()
    status, _, err = inferdeck(home, "submission", "zip", str(tree), "--submitter=OctoML")
    assert status == 1
    assert "is not of this machine" in err


@pytest.mark.slow
def test_a_model_of_the_other_backend_is_refused_at_once(tmp_path: Path, stand_in: Path) -> None:
    for model, backend, remedy in (("model.onnx", "_tf", "use _onnxruntime"), ("model.pb", "_onnxruntime", "add _tf")):
        tags = TAGS.replace("_tf", backend)
        status, out, err = inferdeck(tmp_path / "home", "run", tags, f"--model_path={stand_in / model}", "--plain")
        assert status == 2
        assert remedy in out + err
