"""The stand-in for the rules' 3-D U-Net, narrow and with a small window: the same builder, in a second."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from engine.facts import ModelFacts
from engine.networks import unet_graph
from engine.networks.unet_graph import UnetConfig
from engine.standins import session_memory
from engine.standins.unet import build_form
from engine.standins.unet_memory import SESSION_BYTES, survey
from engine.step import Artifact, SurveyContext
from engine.steps.models.quantize import quantize
from tests.engine.networks.running import run, step

SMALL = UnetConfig(filters=(8, 8, 16))
SIDE = 16


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the facts."""
    folder = tmp_path_factory.mktemp("stand-in")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unet_graph, "WINDOW", SIDE)
        return folder, build_form(step(folder, {"seed": 7}), SMALL)


def test_it_says_what_it_is(built: tuple[Path, dict[str, Any]]) -> None:
    folder, facts = built
    model = Artifact(str(folder), facts).read(ModelFacts)
    assert model.stand_in
    assert model.outputs == ("output",)
    assert facts["parameters"] == SMALL.parameters
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)


def test_the_classes_of_its_voxels_differ(built: tuple[Path, dict[str, Any]]) -> None:
    x = np.random.default_rng(0).standard_normal((2, 1, SIDE, SIDE, SIDE), np.float32)
    logits = run(built[0] / "model.onnx", {"input": x})["output"]
    assert logits.shape == (2, 3, SIDE, SIDE, SIDE)
    assert np.isfinite(logits).all()
    assert 0.1 < logits.std() < 10, "layers neither fade nor explode"
    shares = np.bincount(logits.argmax(1).ravel(), minlength=3) / logits[:, 0].size
    assert np.count_nonzero(shares > 0.01) > 1


def test_the_same_seed_gives_the_same_file(
    built: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unet_graph, "WINDOW", SIDE)
    assert build_form(step(tmp_path, {"seed": 7}), SMALL)["sha256"] == built[1]["sha256"]
    assert build_form(step(tmp_path, {"seed": 8}), SMALL)["sha256"] != built[1]["sha256"]


@pytest.mark.parametrize(("free", "state"), [(8 * SESSION_BYTES, "run"), (SESSION_BYTES - 1, "conflict")])
def test_the_plan_says_what_memory_a_session_takes(monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(session_memory, "free_memory", lambda: free)
    result = survey(SurveyContext(options={"seed": 7}, inputs={}))
    assert result.state == state
    assert "GB of memory" in result.text


def test_a_plan_imports_nothing_heavy_for_it() -> None:
    code = "import sys, engine.standins.unet_memory; sys.exit(bool({'numpy', 'onnx', 'psutil'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_its_int8_form_answers_much_as_it_does(built: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    volumes = random.standard_normal((4, SIDE, SIDE, SIDE), np.float32)
    np.save(tmp_path / "values.npy", volumes.ravel())
    np.save(tmp_path / "offsets.npy", np.arange(5) * SIDE**3)
    np.save(tmp_path / "shapes.npy", np.full((4, 3), SIDE))
    arrays = [{"values": "values.npy", "offsets": "offsets.npy", "shapes": "shapes.npy"}]
    chosen = Artifact(str(tmp_path), {"arrays": arrays, "count": 4, "what": "volumes", "by_rules": False})
    options = {"task": "engine.tasks.medical_segmentation", "weight_bits": 8}
    (tmp_path / "int8").mkdir()
    facts = quantize(
        step(tmp_path / "int8", options, {"fp32": Artifact(str(built[0]), built[1]), "calibration": chosen})
    )
    model = Artifact(str(tmp_path / "int8"), facts).read(ModelFacts)
    assert model.stand_in
    assert model.weight_data_types == "int8"
    assert "4 volumes" in facts["weight_transformations"]
    graph = onnx.load(tmp_path / "int8" / model.file).graph
    weights = {one.name for one in graph.initializer if one.data_type == onnx.TensorProto.INT8 and len(one.dims) == 5}
    assert len(weights) == 2 * (2 * len(SMALL.filters) - 1), "all convolutions but the one that gives the scores"
    x = random.standard_normal((2, 1, SIDE, SIDE, SIDE), np.float32)
    wanted, found = (
        run(path, {"input": x})["output"] for path in (built[0] / "model.onnx", tmp_path / "int8" / model.file)
    )
    assert np.corrcoef(wanted.ravel(), found.ravel())[0, 1] > 0.98
