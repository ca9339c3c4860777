"""ONNX Runtime through the contract of a backend, on models of one or two operators."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from engine.backends import onnxruntime as backend
from engine.backends.base import BackendOptions, TensorSpec
from engine.errors import DataError, InferdeckError, RunError, UsageError
from tests.engine.harness.runs import lookup_model, save, sum_model
from tests.fuzz import guard

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
Make = Callable[..., Path]


@pytest.fixture
def double(tmp_path: Path) -> Make:
    """Make a model that doubles its input, of the given shapes."""

    def make(shape: list[Any], out: list[Any] | None = None, kind: int = FLOAT) -> Path:
        node = helper.make_node("Add", ["x", "x"], ["y"])
        return save(tmp_path / "double.onnx", [node], [("x", kind, shape)], [("y", kind, out or shape)])

    return make


def test_a_bound_run_copies_nothing(double: Make) -> None:
    runner = backend.load(double(["N", 3]), BackendOptions())
    assert runner.inputs == (TensorSpec("x", (None, 3), "float32"),)
    binding = runner.bind(2)
    results = []
    for number in (1, 5):
        binding.inputs[0][:] = number
        results.append(binding.run()[0])
        assert results[-1].tolist() == [[2 * number] * 3] * 2
    assert results[0] is results[1]
    runner.close()


def test_smaller_batches_share_the_memory_of_the_largest(double: Make) -> None:
    runner = backend.load(double(["N", 3]), BackendOptions())
    large, small = runner.bind(8), runner.bind(2)
    assert np.shares_memory(large.inputs[0], small.inputs[0])
    large.inputs[0][:] = np.arange(24).reshape(8, 3)
    assert small.run()[0].tolist() == [[0, 2, 4], [6, 8, 10]]
    assert large.run()[0].shape == (8, 3)


def test_outputs_of_unknown_size_are_allocated_by_each_run(tmp_path: Path) -> None:
    node = helper.make_node("NonZero", ["x"], ["where"])
    path = save(tmp_path / "nonzero.onnx", [node], [("x", FLOAT, ["N"])], [("where", INT64, [1, "found"])])
    binding = backend.load(path, BackendOptions()).bind(4)
    for values in ([1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]):
        binding.inputs[0][:] = values
        assert binding.run()[0].tolist() == [np.flatnonzero(values).tolist()]


def test_a_first_dimension_of_another_name_is_not_taken_for_the_batch(double: Make) -> None:
    binding = backend.load(double(["N", 3], ["M", 3]), BackendOptions()).bind(2)
    binding.inputs[0][:] = 1
    assert binding.run()[0].tolist() == [[2, 2, 2]] * 2


def test_wanted_outputs_come_in_the_wanted_order(tmp_path: Path) -> None:
    nodes = [helper.make_node(kind, ["x"], [kind]) for kind in ("Abs", "Neg", "Exp")]
    path = save(tmp_path / "three.onnx", nodes, [("x", FLOAT, ["N"])], [(n.op_type, FLOAT, ["N"]) for n in nodes])
    runner = backend.load(path, BackendOptions(outputs=("Neg", "Abs")))
    assert [spec.name for spec in runner.outputs] == ["Neg", "Abs"]
    binding = runner.bind(1)
    binding.inputs[0][:] = 3
    assert [array.tolist() for array in binding.run()] == [[-3], [3]]
    assert len(backend.load(path, BackendOptions()).outputs) == 3


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.FLOAT16, TensorProto.BOOL, TensorProto.INT32])
def test_tensor_types(tmp_path: Path, kind: int) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    path = save(tmp_path / "same.onnx", [node], [("x", kind, ["N", 2])], [("y", kind, ["N", 2])])
    binding = backend.load(path, BackendOptions()).bind(1)
    binding.inputs[0][:] = [[1, 0]]
    (result,) = binding.run()
    assert result.dtype == binding.inputs[0].dtype == helper.tensor_dtype_to_np_dtype(kind)
    assert result.tolist() == [[1, 0]]


def test_a_fixed_batch_takes_no_other(double: Make) -> None:
    runner = backend.load(double([4, 3]), BackendOptions())
    assert runner.bind(4).run()[0].shape == (4, 3)
    with pytest.raises(DataError, match="batch size 4, not 5"):
        runner.bind(5)


def test_open_dimensions_must_be_fixed_by_name(double: Make) -> None:
    path = double(["N", "length"])
    with pytest.raises(DataError, match="has symbolic dimensions other than the batch"):
        backend.load(path, BackendOptions()).bind(1)
    runner = backend.load(path, BackendOptions(extra={"dimension.length": "6"}))
    assert runner.bind(2).inputs[0].shape == (2, 6)


def test_a_file_that_is_missing_or_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such model file"):
        backend.load(tmp_path / "missing.onnx", BackendOptions())
    for content in (b"", b"this is not a model", b"\x00" * 100):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.onnx"):
            backend.load(tmp_path / "bad.onnx", BackendOptions())


@pytest.mark.parametrize("locked", ["", "weights.data"], ids=["folder", "weights"])
def test_what_may_not_be_read_is_an_error_for_a_person(tmp_path: Path, locked: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    weights = numpy_helper.from_array(np.ones((2, 2), np.float32), "w")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("y", FLOAT, ["N", 2])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "m.onnx", save_as_external_data=True, location="weights.data", size_threshold=0)
    (folder / locked).chmod(0)
    with guard.permissions(), pytest.raises(InferdeckError, match=re.escape(str(folder))):
        backend.load(folder / "m.onnx", BackendOptions(extra={"log_severity_level": "4"}))
    (folder / locked).chmod(0o700)


def test_an_operator_that_is_not_there_is_named(tmp_path: Path) -> None:
    node: NodeProto = helper.make_node("Fancy", ["x"], ["y"])
    path = save(tmp_path / "fancy.onnx", [node], [("x", FLOAT, ["N"])], [("y", FLOAT, ["N"])])
    with pytest.raises(DataError, match="Fancy"):
        backend.load(path, BackendOptions())


def test_a_wrong_output_name_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no output 'totl'") as raised:
        backend.load(sum_model(tmp_path / "sum.onnx"), BackendOptions(outputs=("totl",)))
    assert raised.value.remedy == "did you mean 'total'?"


def test_a_run_that_fails_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    binding = backend.load(lookup_model(tmp_path / "lookup.onnx"), BackendOptions()).bind(1)
    binding.inputs[0][:] = 99
    with pytest.raises(RunError, match="Gather"):
        binding.run()
    assert "Gather" in capfd.readouterr().err


def test_session_options_are_set_by_their_own_names(tmp_path: Path) -> None:
    optimised = tmp_path / "optimised.onnx"
    extra = {
        "optimized_model_filepath": str(optimised),
        "graph_optimization_level": "basic",
        "enable_cpu_mem_arena": "false",
        "inter_op_num_threads": "2",
        "session.intra_op.allow_spinning": "0",
    }
    backend.load(sum_model(tmp_path / "sum.onnx"), BackendOptions(intra_op_threads=2, extra=extra)).close()
    assert optimised.exists()


@pytest.mark.parametrize(
    "extra",
    [
        {"enable_cpu_mem_arenas": "true"},
        {"enable_cpu_mem_arena": "perhaps"},
        {"graph_optimization_level": "most"},
        {"inter_op_num_threads": "two"},
        {"dimension.N": "-1"},
    ],
)
def test_unknown_session_options_are_refused(tmp_path: Path, extra: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        backend.load(sum_model(tmp_path / "sum.onnx"), BackendOptions(extra=extra))


def test_threads_can_be_pinned(double: Make) -> None:
    runner = backend.load(double(["N", 3]), BackendOptions(intra_op_threads=2, cores=(0, 1)))
    assert runner.bind(1).run()[0].tolist() == [[0, 0, 0]]


def test_a_device_that_is_not_there_is_refused(double: Make) -> None:
    error: InferdeckError
    with pytest.raises(DataError, match="no device 'tpu'") as raised:
        backend.load(double(["N"]), BackendOptions(device="tpu"))
    error = raised.value
    assert "cpu" in error.remedy


def test_the_version_is_the_frameworks() -> None:
    assert backend.version() == ort.__version__


def test_a_closed_runner_binds_nothing(double: Make) -> None:
    runner = backend.load(double(["N"]), BackendOptions())
    runner.close()
    with pytest.raises(ValueError, match="closed"):
        runner.bind(1)
