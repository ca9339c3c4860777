"""External data files of an ONNX model, found without parsing it: against onnx's own writer, and in invalid files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from engine.errors import DataError
from engine.formats.onnx_files import External, checksum, external, files, weight_bytes


def save(path: Path, locations: dict[str, str]) -> onnx.ModelProto:
    """Write a model with weights of 4 kB each in places of all kinds; those in `locations` outside the model."""
    tensors = [
        numpy_helper.from_array(np.arange(1000, dtype=np.float32), name) for name in ("one", "two", "inner", "c")
    ]
    one, two, inner, constant = tensors
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1000])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1000])
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    branch = helper.make_graph(
        [helper.make_node("Add", ["x", "inner"], ["z"])],
        "branch",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1000])],
        [inner],
    )
    nodes = [
        helper.make_node("Constant", [], ["c"], value=constant),
        helper.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch),
    ]
    model = helper.make_model(helper.make_graph(nodes, "g", [value, flag], [result], [one, two]))
    if locations:
        for name, tensor in _all(model):
            if name in locations:
                onnx.external_data_helper.set_external_data(tensor, locations[name], 0, 4000)
                (path.parent / locations[name]).write_bytes(tensor.raw_data)
                tensor.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())
    return model


def _all(model: onnx.ModelProto) -> list[tuple[str, TensorProto]]:
    graph = model.graph
    found = [*graph.initializer, graph.node[0].attribute[0].t]
    found += [tensor for one in graph.node[1].attribute for tensor in one.g.initializer]
    return [(tensor.name, tensor) for tensor in found]


@pytest.mark.parametrize("name", ["one", "two", "inner", "c"])
def test_a_tensor_is_found_wherever_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / "m.onnx"
    save(path, {})
    assert external(path) == []
    save(path, {name: f"{name}.data"})
    assert external(path) == [External(f"{name}.data", 4000)]
    assert files(path) == [path, tmp_path / f"{name}.data"]


def test_what_is_missing_or_cut_short_is_said(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    save(path, {"one": "m.data", "two": "other.data"})
    os.truncate(tmp_path / "other.data", 3999)
    with pytest.raises(DataError, match=r"in other.data, which has 3,999 bytes where 4,000"):
        files(path)
    (tmp_path / "m.data").unlink()
    with pytest.raises(DataError, match=r"keeps weights in m.data, which is not in") as caught:
        files(path)
    assert caught.value.remedy == "put it next to m.onnx"
    os.mkfifo(tmp_path / "m.data")
    with pytest.raises(DataError, match=r"m\.data"):
        files(path)


@pytest.mark.parametrize("location", ["../m.data", "/etc/passwd", "a/../../m.data", "."])
def test_a_file_elsewhere_is_refused(tmp_path: Path, location: str) -> None:
    path = tmp_path / "m.onnx"
    model = save(path, {})
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], location)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(DataError, match="not in its folder"):
        external(path)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_damage_and_what_is_no_model_hold_nothing(data: bytes, cut: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "m.onnx"
        path.write_bytes(data)
        assert isinstance(_tried(path), list)
        save(path, {})
        whole = path.read_bytes()
        path.write_bytes(whole[:cut] + data + whole[cut + len(data) :])
        assert isinstance(_tried(path), list)


def _tried(path: Path) -> list[External]:
    try:
        return external(path)
    except DataError:  # bytes that happen to name a file elsewhere
        return []


def test_no_pipe_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.onnx")
    with pytest.raises(DataError, match=r"m\.onnx cannot be read: not a plain file"):
        external(tmp_path / "m.onnx")


def test_the_weights_of_all_files_count_and_are_part_of_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    save(path, {"one": "one.data", "two": "two.data"})
    assert weight_bytes(path) == sum(one.stat().st_size for one in tmp_path.iterdir()) > 4 * 4000
    before = checksum(path)
    data = (tmp_path / "two.data").read_bytes()
    (tmp_path / "two.data").write_bytes(data[:-1] + b"x")
    assert checksum(path) != before
    assert weight_bytes(tmp_path / "none.onnx") == 0


def test_a_large_file_of_zeros_is_no_model_at_once(tmp_path: Path) -> None:
    with (tmp_path / "model.onnx").open("wb") as file:
        file.truncate(1 << 30)
    assert external(tmp_path / "model.onnx") == []
