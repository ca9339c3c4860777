"""TensorFlow through the contract of a backend, on graphs of one or two operators."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.backends.base import BackendOptions, TensorSpec
from engine.backends.buffers import ALIGNMENT
from engine.errors import DataError, RunError, UsageError

backend: Any = pytest.importorskip("engine.backends.tensorflow", reason="needs pip install 'inferdeck[tensorflow]'")
tf: Any = backend.tf

LINUX = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="threads are counted as Linux shows them")


def frozen(path: Path, shape: Sequence[int | None], make: Callable[[Any], Any], dtype: str = "float32") -> Path:
    """Write a frozen graph of the placeholder `x` and what `make` puts behind it."""
    graph = tf.Graph()
    with graph.as_default():
        make(tf.compat.v1.placeholder(dtype, shape, name="x"))
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def doubled(path: Path, shape: Sequence[int | None] = (None, 3)) -> Path:
    return frozen(path, shape, lambda x: tf.add(x, x, name="y"))


def product(path: Path, size: int = 512) -> Path:
    """A graph that is busy for a while: a chain of matrix products."""

    def chain(x: Any) -> Any:
        for _ in range(8):
            x = tf.matmul(x, tf.constant(np.full((size, size), 1e-3, np.float32)))
        return tf.identity(x, name="y")

    return frozen(path, (None, size), chain)


def threads() -> set[int]:
    return {int(task.name) for task in Path("/proc/self/task").iterdir()}


def test_a_frozen_graph(tmp_path: Path) -> None:
    runner = backend.load(doubled(tmp_path / "double.pb"), BackendOptions())
    assert runner.inputs == (TensorSpec("x:0", (None, 3), "float32"),)
    assert runner.outputs == (TensorSpec("y:0", (None, 3), "float32"),)
    binding = runner.bind(2)
    for number in (1, 5):
        binding.inputs[0][:] = number
        assert binding.run()[0].tolist() == [[2 * number] * 3] * 2


def test_smaller_batches_share_the_memory_of_the_largest(tmp_path: Path) -> None:
    runner = backend.load(doubled(tmp_path / "double.pb"), BackendOptions())
    large, small = runner.bind(8), runner.bind(2)
    assert np.shares_memory(large.inputs[0], small.inputs[0])
    large.inputs[0][:] = np.arange(24).reshape(8, 3)
    assert small.run()[0].tolist() == [[0, 2, 4], [6, 8, 10]]
    assert large.run()[0].shape == (8, 3)


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_inputs_lie_where_tensorflow_takes_them_without_a_copy(tmp_path: Path, batch: int) -> None:
    runner = backend.load(doubled(tmp_path / "double.pb"), BackendOptions())
    for size in (batch, 1):
        array = runner.bind(size).inputs[0]
        assert array.ctypes.data % ALIGNMENT == 0
        assert array.flags.c_contiguous


def test_wanted_outputs_come_in_the_wanted_order(tmp_path: Path) -> None:
    path = frozen(tmp_path / "three.pb", (None,), lambda x: [tf.negative(tf.abs(x, name="a"), name="b"), tf.exp(x)])
    runner = backend.load(path, BackendOptions(outputs=("b:0", "a")))
    assert [spec.name for spec in runner.outputs] == ["b:0", "a:0"]
    binding = runner.bind(1)
    binding.inputs[0][:] = -3
    assert [array.tolist() for array in binding.run()] == [[-3], [3]]
    assert [spec.name for spec in backend.load(path, BackendOptions()).outputs] == ["b:0", "Exp:0"]


def test_only_the_inputs_of_the_wanted_outputs_are_asked_for(tmp_path: Path) -> None:
    def two(x: Any) -> None:
        tf.identity(x, name="one")
        tf.add(x, tf.compat.v1.placeholder("float32", (None,), name="z"), name="both")

    path = frozen(tmp_path / "two.pb", (None,), two)
    assert [spec.name for spec in backend.load(path, BackendOptions(outputs=("one:0",))).inputs] == ["x:0"]
    assert [spec.name for spec in backend.load(path, BackendOptions(outputs=("both:0",))).inputs] == ["x:0", "z:0"]


@pytest.mark.parametrize("dtype", ["uint8", "float16", "bool", "int32"])
def test_tensor_types(tmp_path: Path, dtype: str) -> None:
    path = frozen(tmp_path / "same.pb", (None, 2), lambda x: tf.identity(x, name="y"), dtype)
    binding = backend.load(path, BackendOptions()).bind(1)
    binding.inputs[0][:] = [[1, 0]]
    (result,) = binding.run()
    assert result.dtype == binding.inputs[0].dtype == np.dtype(dtype)
    assert result.tolist() == [[1, 0]]


def test_texts_are_refused(tmp_path: Path) -> None:
    path = frozen(tmp_path / "text.pb", (None,), lambda x: tf.strings.as_string(x, name="y"))
    with pytest.raises(DataError, match="'y:0' is a string"):
        backend.load(path, BackendOptions())


def test_a_fixed_batch_takes_no_other(tmp_path: Path) -> None:
    runner = backend.load(doubled(tmp_path / "double.pb", (4, 3)), BackendOptions())
    assert runner.bind(4).run()[0].shape == (4, 3)
    with pytest.raises(DataError, match="batch size 4, not 5"):
        runner.bind(5)


def test_open_dimensions_are_refused(tmp_path: Path) -> None:
    runner = backend.load(doubled(tmp_path / "double.pb", (None, None)), BackendOptions())
    with pytest.raises(DataError, match="has symbolic dimensions other than the batch"):
        runner.bind(1)


def test_a_file_that_is_missing_or_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such model"):
        backend.load(tmp_path / "missing.pb", BackendOptions())
    whole = doubled(tmp_path / "whole.pb").read_bytes()
    for content in (b"", b"this is not a graph", b"\x00" * 100, whole[: len(whole) // 2]):
        (tmp_path / "bad.pb").write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.pb"):
            backend.load(tmp_path / "bad.pb", BackendOptions())


def test_an_operator_that_is_not_there_is_named(tmp_path: Path) -> None:
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(doubled(tmp_path / "fancy.pb").read_bytes())
    definition.node[-1].op = "Fancy"
    (tmp_path / "fancy.pb").write_bytes(definition.SerializeToString())
    with pytest.raises(DataError, match="Fancy"):
        backend.load(tmp_path / "fancy.pb", BackendOptions())


def test_a_wrong_output_name_gets_the_nearest(tmp_path: Path) -> None:
    path = frozen(tmp_path / "sum.pb", (None, 4), lambda x: tf.reduce_sum(x, 1, name="total"))
    with pytest.raises(DataError, match="no output 'totl'") as raised:
        backend.load(path, BackendOptions(outputs=("totl",)))
    assert "total:0" in raised.value.remedy


def test_a_graph_without_inputs_is_refused(tmp_path: Path) -> None:
    path = frozen(tmp_path / "alone.pb", (None,), lambda _: tf.add(tf.constant(1.0), 1.0, name="y"))
    with pytest.raises(DataError, match="no inputs"):
        backend.load(path, BackendOptions(outputs=("y",)))


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    path = frozen(tmp_path / "lookup.pb", (None,), lambda x: tf.gather(tf.range(10), x, name="found"), "int64")
    binding = backend.load(path, BackendOptions()).bind(1)
    binding.inputs[0][:] = 99
    with pytest.raises(RunError, match="99"):
        binding.run()


def test_settings_are_fields_of_tensorflows_own_record(tmp_path: Path) -> None:
    path = doubled(tmp_path / "double.pb")
    extra = {"graph_options.optimizer_options.global_jit_level": "OFF", "log_device_placement": "false"}
    binding = backend.load(path, BackendOptions(extra=extra)).bind(1)
    binding.inputs[0][:] = 4
    assert binding.run()[0].tolist() == [[8, 8, 8]]
    for wrong in ({"log_device_placements": "true"}, {"log_device_placement": "perhaps"}, {"a.b": "1"}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            backend.load(path, BackendOptions(extra=wrong))


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no device 'tpu'"):
        backend.load(doubled(tmp_path / "double.pb"), BackendOptions(device="tpu"))


def test_the_version_is_the_frameworks() -> None:
    assert backend.version() == tf.__version__


def test_a_closed_runner_binds_nothing(tmp_path: Path) -> None:
    runner = backend.load(doubled(tmp_path / "double.pb"), BackendOptions())
    runner.close()
    with pytest.raises(ValueError, match="closed"):
        runner.bind(1)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = doubled(tmp_path / "double.pb")
    first = backend.load(path, BackendOptions())
    frozen(path, (None, 3), lambda x: tf.negative(x, name="negative"))
    second = backend.load(path, BackendOptions())
    assert [spec.name for spec in (*first.outputs, *second.outputs)] == ["y:0", "negative:0"]


@LINUX
def test_each_session_has_the_threads_that_were_asked_for_and_gives_them_back(tmp_path: Path) -> None:
    """Independent of the first session: by default TensorFlow would let all share the first one's pool."""
    path = product(tmp_path / "product.pb")
    single = backend.load(path, BackendOptions(intra_op_threads=1))
    single.bind(1).run()
    before, counts, runners = threads(), [], []
    for count in (2, 3, 3):
        runners.append(backend.load(path, BackendOptions(intra_op_threads=count)))
        runners[-1].bind(64).run()
        counts.append(len(threads() - before))
    steps = np.diff([0, *counts])
    assert steps[1] - steps[0] == 1
    assert steps[1] == steps[2] >= 3
    for runner in runners:
        runner.close()
    assert len(threads() - before) < counts[0]


@LINUX
def test_runners_of_one_thread_share_a_session(tmp_path: Path) -> None:
    path = product(tmp_path / "product.pb")
    runners = [backend.load(path, BackendOptions(intra_op_threads=1))]
    runners[0].bind(1).run()
    before = threads()
    runners += [backend.load(path, BackendOptions(intra_op_threads=1)) for _ in range(3)]
    results = []
    for number, runner in enumerate(runners):
        binding = runner.bind(2)
        binding.inputs[0][:] = number
        results.append((number, binding.run()[0]))
    assert threads() == before
    runners[0].close()
    again = runners[1].bind(2)
    again.inputs[0][:] = 1
    assert np.array_equal(again.run()[0], results[1][1])
    assert np.allclose(results[3][1], 3 * results[1][1])


@LINUX
def test_a_sessions_own_threads_stay_on_its_cores(tmp_path: Path) -> None:
    usable = os.sched_getaffinity(0)
    core = max(usable)
    before = threads()
    runner = backend.load(product(tmp_path / "product.pb"), BackendOptions(intra_op_threads=4, cores=(core,)))
    runner.bind(64).run()
    pinned = [thread for thread in threads() - before if os.sched_getaffinity(thread) == {core}]
    assert len(pinned) >= 4
    assert os.sched_getaffinity(0) == usable


class Classifier(tf.Module):  # type: ignore[misc]
    """A model as TensorFlow 2 writes them: functions and variables."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3), name="weight")

    def classify(self, features: Any) -> dict[str, Any]:
        scores = tf.matmul(features, self.weight)
        return {"scores": tf.nn.softmax(scores), "classes": tf.argmax(scores, 1)}


class Loop(tf.Module):  # type: ignore[misc]
    """A model with control flow."""

    def count(self, features: Any) -> dict[str, Any]:
        _, found = tf.while_loop(lambda done, x: tf.reduce_max(x) < 10, lambda done, x: (done, x + 4), [0, features])
        return {"found": found}


def saved(folder: Path, module: Any, method: Callable[[Any], Any], **more: Any) -> Path:
    """Write a SavedModel of one function of float32 [N,4]."""
    function = tf.function(method, input_signature=[tf.TensorSpec((None, 4), "float32", name="features")])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": function, **more})
    return folder


def test_a_saved_model_with_variables(tmp_path: Path) -> None:
    module = Classifier()
    path = saved(tmp_path / "model", module, module.classify)
    runner = backend.load(path, BackendOptions(outputs=("classes", "scores")))
    assert runner.inputs == (TensorSpec("features", (None, 4), "float32"),)
    assert [spec.name for spec in runner.outputs] == ["classes", "scores"]
    binding = runner.bind(2)
    binding.inputs[0][:] = [[1, 0, 0, 0], [-1, 0, 0, 0]]
    classes, scores = binding.run()
    assert classes.tolist() == [2, 0]
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_a_saved_model_with_a_loop(tmp_path: Path, count: int) -> None:
    module = Loop()
    path = saved(tmp_path / "model", module, module.count)
    binding = backend.load(path, BackendOptions(intra_op_threads=count)).bind(1)
    binding.inputs[0][:] = 3
    assert binding.run()[0].tolist() == [[11] * 4]


def test_a_saved_model_of_tensorflow_1(tmp_path: Path) -> None:
    v1, graph = tf.compat.v1, tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        x = v1.placeholder("float32", (None, 4), name="x")
        weight = v1.get_variable("weight", initializer=np.full((4, 1), 2, np.float32), use_resource=False)
        total = tf.matmul(x, weight, name="sum")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(tmp_path / "old"), {"numbers": x}, {"total": total})
    runner = backend.load(tmp_path / "old", BackendOptions(outputs=("total",)))
    assert runner.inputs[0].name == "numbers"
    binding = runner.bind(1)
    binding.inputs[0][:] = 3
    assert binding.run()[0].tolist() == [[24]]


def test_a_folder_that_is_no_saved_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a SavedModel"):
        backend.load(tmp_path, BackendOptions())
    for content in (b"nonsense", b""):
        (tmp_path / "saved_model.pb").write_bytes(content)
        with pytest.raises(DataError, match="SavedModel"):
            backend.load(tmp_path, BackendOptions())


def test_a_saved_model_whose_variables_are_lost_is_refused(tmp_path: Path) -> None:
    module = Classifier()
    path = saved(tmp_path / "model", module, module.classify)
    for file in (path / "variables").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="model"):
        backend.load(path, BackendOptions())


def test_models_that_reach_for_files_are_refused_before_they_run(tmp_path: Path) -> None:
    secret = tmp_path / "written"
    path = frozen(tmp_path / "reads.pb", (None,), lambda x: [tf.identity(x, name="y"), tf.io.read_file("secret")])
    with pytest.raises(DataError, match="ReadFile"):
        backend.load(path, BackendOptions(outputs=("y",)))

    def write(features: Any) -> dict[str, Any]:
        with tf.control_dependencies([tf.io.write_file(str(secret), "x")]):
            return {"y": tf.identity(features)}

    with pytest.raises(DataError, match="WriteFile"):
        backend.load(saved(tmp_path / "model", tf.Module(), write), BackendOptions())
    assert not secret.exists()


def test_tensorflow_says_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from engine.backends import tensorflow as t; "
        "from engine.backends.base import BackendOptions; t.load(Path(sys.argv[1]), BackendOptions()).bind(1).run()"
    )
    module = Classifier()
    for path in (doubled(tmp_path / "double.pb"), saved(tmp_path / "model", module, module.classify)):
        words = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
        assert (done.stdout, done.stderr) == ("", "")
