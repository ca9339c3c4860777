"""An int8 model by the command: built, measured, scored, and named wherever the result is described."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.whole.command import SHORT, inferdeck, measured

TAGS = "--tags=app,mlperf,inference,reference,python,_resnet50,_onnxruntime,_cpu,_patterns-net"


@pytest.mark.slow
def test_int8_is_as_right_as_fp32_and_says_what_it_is(tmp_path: Path) -> None:
    home, given = tmp_path / "home", ("--adr.images.count=200", *SHORT)
    fp32 = measured(home, "run", TAGS + ",_accuracy-only", *given)
    out = tmp_path / "out"
    int8 = measured(home, "run", TAGS + ",_int8,_all-modes", f"--output_dir={out}", *given)
    assert int8["Offline", "accuracy"]["value"] >= 0.99 * fp32["Offline", "accuracy"]["value"]
    assert int8["Offline", "performance"]["value"] > 0
    for mode in ("performance", "accuracy"):
        origin = json.loads((out / "default" / "resnet50" / "Offline" / mode / "provenance.json").read_text())
        assert origin["model"]["weight_data_types"] == "int8"
        assert "100 images generated" in origin["model"]["weight_transformations"]
        assert origin["calibration"]["by_rules"] is False
    status, _, err = inferdeck(home, "plan", TAGS.replace("_onnxruntime,", "") + ",_int8,_tf")
    assert status == 2
    assert "TensorFlow does not run int8 graphs" in err


@pytest.mark.slow
def test_int8_of_a_transformer_is_as_right_as_fp32(tmp_path: Path) -> None:
    home, given = tmp_path / "home", ("--adr.preprocessed.count=100", *SHORT)
    tags = "--tags=app,mlperf,inference,reference,python,_bert-99,_onnxruntime,_cpu,_span-net,_accuracy-only"
    fp32 = measured(home, "run", tags, *given)
    out = tmp_path / "out"
    int8 = measured(home, "run", f"{tags},_int8", f"--output_dir={out}", *given)
    assert fp32["Offline", "accuracy"]["value"] > 90
    assert int8["Offline", "accuracy"]["value"] >= 0.98 * fp32["Offline", "accuracy"]["value"]
    origin = json.loads((out / "default" / "bert-99" / "Offline" / "accuracy" / "provenance.json").read_text())
    assert origin["model"]["weight_data_types"] == "int8"
    assert "100 generated questions that no test set has" in origin["model"]["weight_transformations"]
    assert origin["calibration"]["by_rules"] is False


@pytest.mark.slow
def test_int8_of_a_transducer_is_nearly_as_right_as_fp32(tmp_path: Path) -> None:
    home, given = tmp_path / "home", ("--adr.preprocessed.count=64", *SHORT)
    tags = "--tags=app,mlperf,inference,reference,python,_rnnt,_onnxruntime,_cpu,_letters-net,_accuracy-only"
    fp32 = measured(home, "run", tags, *given)
    out = tmp_path / "out"
    int8 = measured(home, "run", f"{tags},_int8", f"--output_dir={out}", *given)
    assert fp32["Offline", "accuracy"]["value"] > 95
    assert int8["Offline", "accuracy"]["value"] >= fp32["Offline", "accuracy"]["value"] - 2
    origin = json.loads((out / "default" / "rnnt" / "Offline" / "accuracy" / "provenance.json").read_text())
    assert origin["model"]["weight_data_types"] == "int8"
    assert "of the LSTMs (ONNX Runtime DynamicQuantizeLSTM)" in origin["model"]["weight_transformations"]
    assert origin["calibration"] is None
