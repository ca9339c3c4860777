"""The stand-in for BERT-Large, built at tiny sizes by the same builder."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from engine.formats import onnx_files
from engine.networks.bert_graph import INPUTS, OUTPUTS, BertConfig
from engine.standins import session_memory
from engine.standins.bert import build_form
from engine.standins.bert_memory import SESSION_BYTES, survey
from engine.step import SurveyContext
from engine.steps.models.model_file import _read_onnx
from tests.engine.networks.running import run, step

SMALL = BertConfig(layers=2, hidden=64, heads=4, feed_forward=128, vocabulary=300, positions=64)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the facts."""
    folder = tmp_path_factory.mktemp("stand-in")
    return folder, build_form(step(folder, {"seed": 7}), SMALL)


def test_it_is_a_model_with_its_weights_beside_it(built: tuple[Path, dict[str, Any]]) -> None:
    folder, facts = built
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    assert [one.name for one in onnx_files.files(folder / "model.onnx")] == ["model.onnx", "model.onnx.data"]
    assert onnx_files.weight_bytes(folder / "model.onnx") == sum(one.stat().st_size for one in folder.iterdir())
    assert facts["parameters"] == SMALL.parameters
    assert facts["stand_in"] is True
    assert facts["outputs"] == list(OUTPUTS)


def test_it_answers_finite_logits_that_differ_by_token(built: tuple[Path, dict[str, Any]]) -> None:
    ids = np.random.default_rng(0).integers(0, 300, (2, 50))
    found = run(built[0] / "model.onnx", dict(zip(INPUTS, (ids, np.ones_like(ids), np.zeros_like(ids)), strict=True)))
    for name in OUTPUTS:
        assert found[name].shape == (2, 50)
        assert np.isfinite(found[name]).all()
        assert found[name].std() > 0.01


def test_the_same_seed_gives_the_same_files(built: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    assert build_form(step(tmp_path, {"seed": 7}), SMALL)["sha256"] == built[1]["sha256"]
    assert build_form(step(tmp_path, {"seed": 8}), SMALL)["sha256"] != built[1]["sha256"]


def test_the_checksum_is_that_of_a_model_of_several_files(built: tuple[Path, dict[str, Any]]) -> None:
    model = built[0] / "model.onnx"
    assert built[1]["sha256"] == _read_onnx(model)[1]


def test_no_more_than_the_largest_tensor_is_in_memory(tmp_path: Path) -> None:
    form = BertConfig(layers=2, hidden=256, heads=4, feed_forward=1024, vocabulary=4000, positions=64)
    largest = 4 * form.vocabulary * form.hidden
    assert 4 * form.parameters > 2 * largest
    tracemalloc.start()
    try:
        build_form(step(tmp_path, {"seed": 7}), form)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * largest


def context() -> SurveyContext:
    """What a survey gets."""
    return SurveyContext(options={"seed": 7}, inputs={})


def test_the_plan_says_what_memory_a_session_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_memory, "free_memory", lambda: 8 * SESSION_BYTES)
    result = survey(context())
    assert result.state == "run"
    assert "1.5 GB of memory" in result.text


def test_a_machine_that_it_does_not_fit_is_refused_in_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_memory, "free_memory", lambda: SESSION_BYTES - 1)
    result = survey(context())
    assert result.state == "conflict"
    assert "span-net" in result.remedy


def test_a_plan_imports_nothing_heavy_for_it() -> None:
    code = "import sys, engine.standins.bert_memory; sys.exit(bool({'numpy', 'onnx', 'psutil'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
