"""OpenVINO through the contract of a backend, on models of one or two operators and on the shipped one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from engine.backends import onnxruntime
from engine.backends.base import Array, BackendOptions, TensorSpec
from engine.backends.graph import Graph
from engine.errors import DataError, RunError, UsageError
from engine.harness.spec import Workers
from engine.networks import patterns_net, span_net
from engine.networks.bert_graph import INPUTS
from tests.engine.harness.runs import finish, lookup_model, save, settings, spec, sum_model
from tests.engine.networks.running import step

backend: Any = pytest.importorskip("engine.backends.openvino", reason="needs pip install 'inferdeck[openvino]'")

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
Make = Callable[..., Path]
BF16 = {"INFERENCE_PRECISION_HINT": "bf16"}


@pytest.fixture
def double(tmp_path: Path) -> Make:
    """Make a model that doubles its input, of the given shapes."""

    def make(shape: list[Any], kind: int = FLOAT) -> Path:
        node = helper.make_node("Add", ["x", "x"], ["y"])
        return save(tmp_path / "double.onnx", [node], [("x", kind, shape)], [("y", kind, shape)])

    return make


@pytest.fixture
def shipped() -> Path:
    return Path(str(files("profiles") / "models" / patterns_net.FILE))


def scores(module: Any, model: Path, samples: np.ndarray[Any, Any], **extra: str) -> np.ndarray[Any, Any]:
    binding = module.load(model, BackendOptions(extra=extra, outputs=("scores",))).bind(len(samples))
    binding.inputs[0][:] = samples
    result: np.ndarray[Any, Any] = binding.run()[0].copy()
    return result


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


def test_every_batch_size_after_the_first_computes_the_same(double: Make) -> None:
    runner = backend.load(double(["N", 3]), BackendOptions())
    large, small, one = runner.bind(8), runner.bind(2), runner.bind(1)
    assert np.shares_memory(large.inputs[0], small.inputs[0])
    large.inputs[0][:] = np.arange(24).reshape(8, 3)
    for _ in range(2):
        assert small.run()[0].tolist() == [[0, 2, 4], [6, 8, 10]]
        assert one.run()[0].tolist() == [[0, 2, 4]]
        assert large.run()[0].shape == (8, 3)


class CountingCore:
    """OpenVINO's core, which counts what it compiles."""

    def __init__(self, core: Any) -> None:
        self._core = core
        self.compiled = 0

    def compile_model(self, *given: Any) -> Any:
        self.compiled += 1
        return self._core.compile_model(*given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)


@pytest.mark.parametrize(("shape", "models"), [(["N", "L"], 1), (["N", 4], 2)])
def test_batches_of_open_lengths_share_one_compiled_model(
    double: Make, monkeypatch: pytest.MonkeyPatch, shape: list[Any], models: int
) -> None:
    core = CountingCore(backend._CORE)
    monkeypatch.setattr(backend, "_CORE", core)
    runner = backend.load(double(shape), BackendOptions())
    for batch, length in [(8, 4), (2, 4), (1, 4)]:
        binding = runner.bind(((batch, length),))
        binding.inputs[0][:] = batch
        assert binding.run()[0].tolist() == [[2 * batch] * length] * batch
    assert core.compiled == models


def test_a_transformer_of_open_lengths_answers_as_with_onnx_runtime(tmp_path: Path) -> None:
    """More shapes than are kept, through a graph that forgets the oldest."""
    facts = span_net.shipped(step(tmp_path, {}))
    path, options = tmp_path / "model.onnx", BackendOptions(outputs=tuple(facts["outputs"]))
    mine, theirs = (Graph(module.load(path, options), 3) for module in (backend, onnxruntime))
    random = np.random.default_rng(1)
    for batch, length in [(4, 384), (1, 384), (4, 16), (2, 64), (3, 200), (4, 384), (1, 8)]:
        mask = np.ones((batch, length), np.int64)
        ids = random.integers(0, span_net.PIECES, mask.shape)
        fed = dict(zip(INPUTS, (ids, mask, mask * (np.arange(length) > length // 3)), strict=True))
        logits: list[list[Array]] = []
        for graph in (mine, theirs):
            binding = graph.bound(tuple(mask.shape for _ in INPUTS))
            for wanted, held in zip(graph.inputs, binding.inputs, strict=True):
                held[:] = fed[wanted.name]
            logits.append([one.copy() for one in binding.run()])
        for one, other in zip(*logits, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_answers_are_those_of_onnx_runtime(shipped: Path) -> None:
    samples = np.random.default_rng(3).random((16, 3, 64, 64), np.float32)
    mine, theirs = scores(backend, shipped, samples), scores(onnxruntime, shipped, samples)
    assert mine.argmax(axis=1).tolist() == theirs.argmax(axis=1).tolist()
    assert np.abs(softmax(mine) - softmax(theirs)).max() < 1e-4


def test_bf16_is_used_where_it_is_asked_for_and_only_there(shipped: Path) -> None:
    if "BF16" not in backend._CORE.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(DataError, match="bf16 on this processor"):
            backend.load(shipped, BackendOptions(extra=BF16))
        return
    samples = np.random.default_rng(3).random((16, 3, 64, 64), np.float32)
    exact, rough = softmax(scores(backend, shipped, samples)), softmax(scores(backend, shipped, samples, **BF16))
    assert 1e-6 < np.abs(exact - rough).max() < 0.1


def test_a_processor_without_bf16_refuses_it(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        def get_property(self, device: str, name: str) -> list[str]:
            return {"SUPPORTED_PROPERTIES": list(BF16), "OPTIMIZATION_CAPABILITIES": ["FP32", "INT8"]}[name]

    monkeypatch.setattr(backend, "_CORE", Old())
    with pytest.raises(DataError, match="bf16 on this processor"):
        backend.load(shipped, BackendOptions(extra=BF16))


def test_wanted_outputs_come_in_the_wanted_order(tmp_path: Path) -> None:
    nodes = [helper.make_node(kind, ["x"], [kind]) for kind in ("Abs", "Neg", "Exp")]
    path = save(tmp_path / "three.onnx", nodes, [("x", FLOAT, ["N"])], [(n.op_type, FLOAT, ["N"]) for n in nodes])
    runner = backend.load(path, BackendOptions(outputs=("Neg", "Abs")))
    assert [spec.name for spec in runner.outputs] == ["Neg", "Abs"]
    binding = runner.bind(1)
    binding.inputs[0][:] = 3
    assert [array.tolist() for array in binding.run()] == [[-3], [3]]
    assert [spec.name for spec in backend.load(path, BackendOptions()).outputs] == ["Abs", "Neg", "Exp"]


def test_outputs_of_unknown_size_are_read_after_each_run(tmp_path: Path) -> None:
    node = helper.make_node("NonZero", ["x"], ["where"])
    path = save(tmp_path / "nonzero.onnx", [node], [("x", FLOAT, ["N"])], [("where", INT64, [1, "found"])])
    binding = backend.load(path, BackendOptions()).bind(4)
    for values in ([1, 0, 1, 1], [0, 1, 0, 0]):
        binding.inputs[0][:] = values
        assert binding.run()[0].tolist() == [np.flatnonzero(values).tolist()]


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


def test_open_dimensions_are_refused(double: Make) -> None:
    with pytest.raises(DataError, match="has symbolic dimensions other than the batch"):
        backend.load(double(["N", "length"]), BackendOptions()).bind(1)


def test_a_file_that_is_missing_or_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such model file"):
        backend.load(tmp_path / "missing.onnx", BackendOptions())
    for content in (b"", b"this is not a model", b"\x00" * 100):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.onnx"):
            backend.load(tmp_path / "bad.onnx", BackendOptions())


def test_an_operator_that_is_not_there_is_named(tmp_path: Path) -> None:
    node = helper.make_node("Fancy", ["x"], ["y"])
    path = save(tmp_path / "fancy.onnx", [node], [("x", FLOAT, ["N"])], [("y", FLOAT, ["N"])])
    with pytest.raises(DataError, match="Fancy"):
        backend.load(path, BackendOptions())


def test_a_wrong_output_name_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no output 'totl'") as raised:
        backend.load(sum_model(tmp_path / "sum.onnx"), BackendOptions(outputs=("totl",)))
    assert raised.value.remedy == "did you mean 'total'?"


def test_a_run_that_fails_says_why(double: Make) -> None:
    class Dying:
        def infer(self, share_outputs: bool) -> None:
            raise RuntimeError("Exception from src/graph.cpp:1:\nstd::bad_alloc\n\n")

    binding = backend.load(double(["N", 3]), BackendOptions()).bind(1)
    binding._request = Dying()
    with pytest.raises(RunError, match="bad_alloc"):
        binding.run()


@pytest.mark.parametrize(
    ("extra", "error"),
    [
        ({"ENABLE_CPU_PINING": "YES"}, "did you mean 'ENABLE_CPU_PINNING'"),
        ({"INFERENCE_PRECISION_HINT": "bf61"}, "did you mean 'bf16'"),
    ],
)
def test_unknown_properties_are_refused(tmp_path: Path, extra: dict[str, str], error: str) -> None:
    with pytest.raises(UsageError) as raised:
        backend.load(sum_model(tmp_path / "sum.onnx"), BackendOptions(extra=extra))
    assert error in raised.value.remedy


def test_properties_are_set_by_their_own_names(double: Make) -> None:
    runner = backend.load(double(["N", 3]), BackendOptions(intra_op_threads=2, extra={"PERF_COUNT": "YES"}))
    runner.bind(1)
    compiled = runner._own[1]
    assert compiled.get_property("PERF_COUNT") == "YES"
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 2
    assert compiled.get_property("NUM_STREAMS") == 1
    assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"


def test_a_device_that_is_not_there_is_refused(double: Make) -> None:
    with pytest.raises(DataError, match="no device 'tpu'"):
        backend.load(double(["N"]), BackendOptions(device="tpu"))


def test_sessions_that_are_opened_at_once_do_not_wait_for_each_other(shipped: Path) -> None:
    code = f"""
import sys
sys.setswitchinterval(1e-6)
from pathlib import Path
from threading import Thread
from engine.backends import openvino
from engine.backends.base import BackendOptions

def work():
    openvino.load(Path({str(shipped)!r}), BackendOptions()).bind(2).run()

threads = [Thread(target=work, daemon=True) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join(60)
assert not any(thread.is_alive() for thread in threads)
"""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code], check=True, timeout=90)


def test_nothing_is_sent_home(tmp_path: Path) -> None:
    code = "import sys, engine.backends.openvino; print(sys.modules['openvino_telemetry'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("None", "")


def test_a_closed_runner_binds_nothing(double: Make) -> None:
    runner = backend.load(double(["N"]), BackendOptions())
    runner.close()
    with pytest.raises(ValueError, match="closed"):
        runner.bind(1)


@pytest.mark.parametrize("scenario", ["SingleStream", "Server", "Offline"])
def test_loadgen_gets_right_answers(tmp_path: Path, scenario: Any) -> None:
    workers = Workers(sessions=2, intra_op_threads=1, max_batch=4)
    done = finish(spec(tmp_path, settings(scenario, "accuracy"), backend="engine.backends.openvino", workers=workers))
    assert (done.status, done.stderr) == (0, "")
    assert done.report.backend_version == backend.version()
    sums = {index: float(np.frombuffer(data, np.float32)[0]) for index, data in done.answers}
    assert sums == {index: 16.0 * index + 6 for index in range(50)}


def test_a_run_dies_of_a_sample_that_the_model_cannot_take(tmp_path: Path) -> None:
    samples = tmp_path / "bad.npy"
    np.save(samples, np.arange(8, dtype=np.float32).reshape(2, 4))
    run = spec(
        tmp_path,
        settings("Offline", "accuracy", performance_sample_count=2),
        backend="engine.backends.openvino",
        model=str(lookup_model(tmp_path / "lookup.onnx")),
        samples=(str(samples),),
    )
    done = finish(run)
    assert done.status == 3
    assert "samples are float32[4], the model's input 'x' is int64[]" in done.failure["what"]


def softmax(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    result: np.ndarray[Any, Any] = powers / powers.sum(axis=1, keepdims=True)
    return result
