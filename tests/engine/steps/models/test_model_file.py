"""The user's own model file: what is read from it, and the error for one that does not fit."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from engine.errors import DataError
from engine.networks import patterns_net
from engine.step import Artifact, SurveyContext
from engine.steps.models.model_file import fetch_model, read_file, survey_file
from tests.engine.networks.running import step

OPTIONS = {"format": "onnx", "label_offset": None, "outputs": None}


def read(path: Path, **options: Any) -> dict[str, Any]:
    return read_file(step(path.parent, {**OPTIONS, "path": str(path), **options}))


def context(path: Path, **options: Any) -> Any:
    return survey_file(SurveyContext({**OPTIONS, "path": str(path), **options}, {}))


def classifier(path: Path, outputs: dict[str, tuple[int, list[int | str]]]) -> Path:
    """Write an ONNX file with these outputs: element type and shape by name."""
    values = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()]
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 8, 8])
    nodes = [helper.make_node("Identity", ["x"], [name]) for name in outputs]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [image], values)), path)
    return path


@pytest.mark.parametrize(
    ("outputs", "chosen", "offset"),
    [
        ({"scores": (TensorProto.FLOAT, ["N", 1000])}, "scores", 0),
        ({"scores": (TensorProto.FLOAT, ["N", 1001])}, "scores", 1),
        ({"scores": (TensorProto.FLOAT, ["N", 1001]), "class": (TensorProto.INT64, ["N"])}, "class", 1),
        ({"scores": (TensorProto.FLOAT, ["N", 1000]), "class": (TensorProto.INT64, ["N"])}, "class", 0),
        ({"class": (TensorProto.INT64, ["N"])}, "class", 1),
    ],
)
def test_the_class_output_and_its_offset_are_read_from_the_graph(
    tmp_path: Path, outputs: dict[str, tuple[int, list[int | str]]], chosen: str, offset: int
) -> None:
    facts = read(classifier(tmp_path / "model.onnx", outputs))
    assert (facts["outputs"], facts["task_options"], facts["format"]) == ([chosen], {"label_offset": offset}, "onnx")
    given = read(tmp_path / "model.onnx", label_offset=7, outputs=("other",))
    assert (given["outputs"], given["task_options"]) == (["other"], {"label_offset": 7})


def test_a_file_is_known_by_its_time_and_size(tmp_path: Path) -> None:
    path = classifier(tmp_path / "model.onnx", {"scores": (TensorProto.FLOAT, ["N", 1000])})
    first = context(path)
    assert (first.state, first.identity) == ("run", context(path).identity)
    path.write_bytes(path.read_bytes() + b"x")
    assert context(path).identity != first.identity
    assert context(tmp_path / "missing.onnx").state == "missing"
    assert survey_file(SurveyContext({**OPTIONS, "path": None}, {})).remedy == "--model_path=FILE"


def test_a_model_of_the_other_backend_is_seen_before_anything_runs(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    for name in ("model.onnx", "model.pb", "model.txt", "saved/saved_model.pb"):
        (tmp_path / name).write_bytes(b"x")
    cases = [
        (tmp_path / "model.onnx", "tf", "use _onnxruntime"),
        (tmp_path / "model.pb", "onnx", "add _tf"),
        (folder, "onnx", "add _tf"),
        (tmp_path / "model.txt", "onnx", "ends in .onnx"),
        (tmp_path, "tf", "ends in .pb or the folder of a SavedModel"),
    ]
    for path, format_, remedy in cases:
        sight = context(path, format=format_)
        assert sight.state == "conflict"
        assert remedy in sight.remedy
        with pytest.raises(DataError, match="is not a"):
            read(path, format=format_)


def test_tensorflow_models(tmp_path: Path) -> None:
    graphs: Any = pytest.importorskip("engine.networks.tensorflow_graph", reason="needs 'inferdeck[tensorflow]'")
    facts = patterns_net.shipped(step(tmp_path, {}))
    source = {"onnx": Artifact(str(tmp_path), facts)}
    graphs.convert(step(tmp_path, {"form": "frozen-graph"}, source))
    graphs.convert(step(tmp_path, {"form": "saved-model"}, source))
    for name, output in (("model.pb", "scores:0"), ("saved_model", "scores")):
        found = read(tmp_path / name, format="tf")
        assert (found["outputs"], found["task_options"], found["format"]) == ([output], {"label_offset": 0}, "tf")
        first = context(tmp_path / name, format="tf")
        assert first.state == "run"
    (tmp_path / "saved_model" / "extra").write_bytes(b"x")
    assert context(tmp_path / "saved_model", format="tf").identity != first.identity
    assert read(tmp_path / "saved_model", format="tf")["sha256"] != found["sha256"]
    (tmp_path / "model.pb").write_bytes(np.zeros(50, np.uint8).tobytes())
    with pytest.raises(DataError, match=r"model\.pb"):
        read(tmp_path / "model.pb", format="tf")


def test_weights_beside_the_model_belong_to_it(tmp_path: Path) -> None:
    path = classifier(tmp_path / "m.onnx", {"scores": (TensorProto.FLOAT, ["N", 1000])})
    model = onnx.load(path)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(1000, np.float32), "w"))
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    first, facts = context(path), read(path)
    assert (first.state, facts["files"]) == ("run", ["m.onnx", "m.data"])
    (tmp_path / "m.data").write_bytes(np.ones(1000, np.float32).tobytes())
    assert context(path).identity != first.identity
    assert read(path)["sha256"] != facts["sha256"]
    (tmp_path / "m.data").unlink()
    for ask in (context, read):
        with pytest.raises(DataError, match=r"m\.onnx keeps weights in m\.data, which is not in"):
            ask(path)


def test_a_file_that_is_replaced_with_its_time_kept_is_another(tmp_path: Path) -> None:
    path = classifier(tmp_path / "model.onnx", {"scores": (TensorProto.FLOAT, ["N", 1000])})
    first, seen = context(path), path.stat()
    path.write_bytes(path.read_bytes().replace(b"scores", b"sc0res"))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert path.stat().st_size == seen.st_size
    assert context(path).identity != first.identity


def fetch(tmp_path: Path, member: str) -> dict[str, Any]:
    """Fetch a zip that holds the folder `model.tf`, and take a member of it."""
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("model.tf/saved_model.pb", b"graph")
    options = {"url": (f"file://{tmp_path}/model.zip",), "unpack": True, "format": "tf", "outputs": ()}
    (tmp_path / "out").mkdir()
    return fetch_model(step(tmp_path / "out", {**options, "member": member}))


def test_a_model_may_be_a_member_of_an_archive(tmp_path: Path) -> None:
    facts = fetch(tmp_path, "model.tf")
    assert facts["model"] == "model.tf"
    assert (tmp_path / "out" / "model.tf" / "saved_model.pb").read_bytes() == b"graph"


def test_an_archive_without_the_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no other\.tf"):
        fetch(tmp_path, "other.tf")
