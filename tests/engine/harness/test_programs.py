"""Programs of tasks whose samples differ in length, with several graphs and loops, through real LoadGen runs."""

from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from engine.backends import onnxruntime
from engine.backends.base import BackendOptions
from engine.backends.graph import Graph
from engine.facts import Ragged
from engine.harness.samples import SampleLibrary
from engine.harness.spec import RunSpec, Workers
from engine.mlperf import SCENARIOS, Scenario
from engine.tasks.programs import MODEL, Padded
from tests.engine.harness import padded_task, runs

ROWS = [list(range(index, index + 1 + 7 * index % 11)) for index in range(runs.SAMPLES)]
"""Samples of 1 to 11 numbers."""

FLOAT = int(TensorProto.FLOAT)


def ragged(folder: Path) -> Ragged:
    """Write the samples."""
    np.save(folder / "values.npy", np.array([*chain.from_iterable(ROWS)], np.float32))
    np.save(folder / "offsets.npy", np.array([0, *accumulate(map(len, ROWS))], np.int64))
    return Ragged(str(folder / "values.npy"), str(folder / "offsets.npy"))


def spec(folder: Path, scenario: Scenario, **changes: Any) -> RunSpec:
    workers = Workers(sessions=2, intra_op_threads=1, max_batch=4, max_cost=30, cost_us=((1, 10), (40, 400)))
    return runs.spec(
        folder, runs.settings(scenario, "accuracy"), samples=(ragged(folder),), **{"workers": workers, **changes}
    )


def loop_graphs(folder: Path) -> dict[str, str]:
    add = [helper.make_node("Add", ["state", "x"], ["next"])]
    ends = [("state", FLOAT, ["N"]), ("x", FLOAT, ["N"])]
    double = [helper.make_node("Add", ["state", "state"], ["twice"])]
    return {
        "step": str(runs.save(folder / "step.onnx", add, ends, [("next", FLOAT, ["N"])])),
        "head": str(runs.save(folder / "head.onnx", double, ends[:1], [("twice", FLOAT, ["N"])])),
    }


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_loop_over_two_graphs_answers_each_sample_by_its_own_length(tmp_path: Path, scenario: Scenario) -> None:
    done = runs.finish(
        spec(
            tmp_path,
            scenario,
            model=loop_graphs(tmp_path),
            task="tests.engine.harness.loop_task",
            task_options={"known": "option"},
        )
    )
    assert (done.status, done.stderr) == (0, "")
    expected = {index: np.array([2 * one for one in accumulate(row)], np.int64) for index, row in enumerate(ROWS)}
    assert dict(done.answers) == {index: array.tobytes() for index, array in expected.items()}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("sizes", [["N", "L"], ["N", 12], [1, 12]])
def test_padded_samples_answer_by_their_own_length(tmp_path: Path, scenario: Scenario, sizes: list[int | str]) -> None:
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    model = runs.save(tmp_path / "double.onnx", nodes, [("x", FLOAT, sizes)], [("y", FLOAT, sizes)])
    more = {"workers": Workers(sessions=1, intra_op_threads=1, max_batch=1)} if sizes[0] == 1 else {}
    done = runs.finish(spec(tmp_path, scenario, model=str(model), task="tests.engine.harness.padded_task", **more))
    assert (done.status, done.stderr) == (0, "")
    expected = {index: 2 * np.array(row, np.float32) for index, row in enumerate(ROWS)}
    assert dict(done.answers) == {index: array.tobytes() for index, array in expected.items()}


def test_batches_are_padded_to_buckets_and_few_bindings_are_kept(tmp_path: Path) -> None:
    from engine.backends import null
    from engine.backends.base import BackendOptions
    from engine.backends.graph import Graph
    from engine.harness.samples import SampleLibrary
    from engine.tasks.programs import Padded
    from tests.engine.harness.padded_task import respond

    library = SampleLibrary([ragged(tmp_path)], runs.SAMPLES)
    library.load(range(runs.SAMPLES))
    options = BackendOptions(extra={"inputs": "x:float32:0", "outputs": "y:float32:12"})
    seen: list[tuple[int, ...]] = []

    class Noted(null.NullRunner):
        def bind(self, shapes: Any) -> null.NullBinding:
            seen.extend(shapes)
            return super().bind(shapes)

    made = null.load(Path(), options)
    graph = Graph(Noted(tuple(type(one)(one.name, (None, None), one.dtype) for one in made.inputs), made.outputs), 3)
    program = Padded(graph, library, respond, bucket=4)
    program.prepare(4)
    assert seen == [(4, 12)]
    for index in range(runs.SAMPLES):
        program.infer([index])
    assert set(seen[1:]) == {(1, 4), (1, 8), (1, 12)}
    assert seen.count((1, 4)) == 1, "the largest batch, which is not used again, makes room"


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> Padded:
    """A program over all samples, on a graph that doubles each number."""
    folder = tmp_path_factory.mktemp("padded")
    ends = [(name, FLOAT, ["N", "L"]) for name in "xy"]
    model = runs.save(folder / "double.onnx", [helper.make_node("Add", ["x", "x"], ["y"])], ends[:1], ends[1:])
    library = SampleLibrary([ragged(folder)], runs.SAMPLES)
    library.load(range(runs.SAMPLES))
    graph = Graph(onnxruntime.load(model, BackendOptions()))
    made = padded_task.program({MODEL: graph}, library, padded_task.BucketOptions())
    made.prepare(8)
    return made


@given(st.lists(st.integers(0, runs.SAMPLES - 1), min_size=1, max_size=8))
def test_a_response_has_its_samples_own_length_whatever_batch_it_was_in(padded: Padded, indices: list[int]) -> None:
    responses = padded.infer(indices)
    assert responses.sizes == [4 * len(ROWS[index]) for index in indices]
    assert responses.data.tobytes() == np.array([2 * one for index in indices for one in ROWS[index]], "f4").tobytes()
