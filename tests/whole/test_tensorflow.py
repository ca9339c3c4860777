"""Whole measurements on TensorFlow: a shipped model, and the tutorial's words with a frozen graph of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.models import patterns, standin_resnet50
from engine.steps.base import Artifact
from tests.engine.models.running import step
from tests.whole.command import SHORT, inferdeck, measured

graphs = pytest.importorskip("engine.models.tensorflow_graph", reason="needs pip install 'inferdeck[tensorflow]'")

TAGS = "--tags=app,mlperf,inference,reference,python,_resnet50,_tf,_cpu"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules' graph with weights from few pictures: a folder with its ONNX file and its frozen graph."""
    folder = tmp_path_factory.mktemp("stand-in")
    facts = standin_resnet50.build(step(folder, {"seed": 1, "training_pictures": 60, "held_out_pictures": 10}))
    graphs.convert(step(folder, {"form": "frozen-graph"}, {"onnx": Artifact(str(folder), facts)}))
    return folder


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated folder in the exact layout of the validation set."""
    folder = tmp_path_factory.mktemp("imagenet-2012-val")
    list(patterns.write(patterns.PictureSet(seed=7, count=50), folder))
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
def test_the_tutorials_words_with_a_frozen_graph_of_ones_own(tmp_path: Path, stand_in: Path, imagenet: Path) -> None:
    words = (
        "run",
        "script",
        f"{TAGS},_all-scenarios,_all-modes,_test",
        f"--output_dir={tmp_path / 'results'}",
        "--add_deps_tags.imagenet=_full",
        f"--env.IMAGENET_PATH={imagenet}",
        "--env.CM_SUT_NAME=gcp-n2-standard-80-tf",
        f"--model_path={stand_in / 'model.pb'}",
        "--adr.workers.max_batch=2",
        "--scenarios=Offline",
        *SHORT,
    )
    results = measured(tmp_path / "home", *words)
    assert results["Offline", "performance"]["value"] > 0
    assert results["Offline", "accuracy"]["value"] > 8, "chance is 2 %"
    folder = tmp_path / "results" / "gcp-n2-standard-80-tf" / "resnet50" / "Offline"
    assert "resnet50.Offline.target_qps = 175" in (folder / "performance" / "user.conf").read_text()
    assert (folder / "accuracy" / "accuracy.txt").read_text().endswith(", total=50\n")
    assert '"backend": "tensorflow"' in (folder / "performance" / "provenance.json").read_text()


@pytest.mark.slow
def test_a_model_of_the_other_backend_is_refused_at_once(tmp_path: Path, stand_in: Path) -> None:
    for model, backend, remedy in (("model.onnx", "_tf", "use _onnxruntime"), ("model.pb", "_onnxruntime", "add _tf")):
        tags = TAGS.replace("_tf", backend)
        status, out, err = inferdeck(tmp_path / "home", "run", tags, f"--model_path={stand_in / model}", "--plain")
        assert status == 2
        assert remedy in out + err
