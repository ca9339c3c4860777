"""The program of a DLRM, in every form of its inputs, alone and through real LoadGen runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from engine.backends import onnxruntime
from engine.backends.base import BackendOptions
from engine.backends.graph import Graph
from engine.errors import DataError, RunError
from engine.facts import Ragged
from engine.harness.samples import SampleLibrary
from engine.harness.spec import Workers
from engine.mlperf import Scenario
from engine.networks.dlrm_graph import build
from engine.tasks import recommendation as task
from engine.tasks.base import TaskOptions
from engine.tasks.criteo_files import CATEGORICAL, DENSE
from engine.tasks.dlrm_form import Form
from engine.tasks.programs import MODEL
from tests.engine.harness import runs
from tests.engine.networks.test_dlrm_graph import plain, weights
from tests.engine.tasks import criteo_cases as cases
from tests.engine.tasks.test_recommendation import prepare

FORM = Form(tuple(cases.TABLES.tolist()), 8, (16, 8), (32, 16, 1))
LENGTHS = tuple(1 + 7 * index % 11 for index in range(runs.SAMPLES))
ROWS = cases.rows(sum(LENGTHS), seed=5)


def model(folder: Path, *, split: bool = False, offsets: bool = False) -> Path:
    """Write the graph, its indices as 26 inputs, or with offsets that move nothing, as in an export from PyTorch."""
    made = weights(FORM)
    graph = build(FORM, lambda name, _: made[name], name="small")
    names = [f"indices_{number}" for number in range(CATEGORICAL)] if split else ["indices"]
    if split:
        wide = [helper.make_node("Unsqueeze", [name, "axis"], [f"{name}.wide"]) for name in names]
        joined = helper.make_node("Concat", [f"{name}.wide" for name in names], ["indices"], axis=0)
        del graph.graph.input[1]
        graph.graph.input.extend(helper.make_tensor_value_info(name, TensorProto.INT64, ["pairs"]) for name in names)
        graph.graph.initializer.append(helper.make_tensor("axis", TensorProto.INT64, [1], [0]))
        _put_first(graph, [*wide, joined])
    if offsets:
        graph.graph.input.append(helper.make_tensor_value_info("offsets", TensorProto.INT64, [CATEGORICAL, "pairs"]))
        taken = helper.make_node("GatherElements", ["indices", "offsets"], ["indices.taken"], axis=1)
        for node in graph.graph.node:
            node.input[:] = [
                "indices.taken" if one == "indices" and node.op_type == "Gather" else one for one in node.input
            ]
        _put_first(graph, [taken])
    onnx.save(graph, folder / "model.onnx")
    return folder / "model.onnx"


def _put_first(graph: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]) -> None:
    others = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*nodes, *others])


def expected() -> list[bytes]:
    """Return the response to each sample."""
    given = {"dense_x": np.log(ROWS[:, 1 : 1 + DENSE].astype(np.float32) + 1), "indices": ROWS[:, 1 + DENSE :].T}
    whole = np.stack([plain(FORM, weights(FORM), given)[:, 0], ROWS[:, 0]], 1).astype(np.float32)
    return [part.tobytes() for part in np.split(whole, np.cumsum(LENGTHS)[:-1])]


def close(found: bytes, wanted: bytes) -> None:
    np.testing.assert_allclose(np.frombuffer(found, "<f4"), np.frombuffer(wanted, "<f4"), rtol=1e-4, atol=1e-6)


@pytest.fixture
def library(tmp_path: Path) -> SampleLibrary:
    return prepare(tmp_path / "samples", cases.write(tmp_path / "source", ROWS, LENGTHS))[1]


@pytest.mark.parametrize("form", [{}, {"split": True}, {"offsets": True}])
def test_each_form_of_the_inputs_gives_the_same_pairs(
    tmp_path: Path, library: SampleLibrary, form: dict[str, bool]
) -> None:
    graph = Graph(onnxruntime.load(model(tmp_path, **form), BackendOptions()))
    program = task.program({MODEL: graph}, library, TaskOptions())
    program.prepare(4)
    wanted = expected()
    for indices in ([0], [3, 1, 2, 3], [7, 8], [0]):
        responses = program.infer(indices)
        assert responses.sizes == [8 * LENGTHS[index] for index in indices]
        close(responses.data.tobytes(), b"".join(wanted[index] for index in indices))
    program.close()


@pytest.mark.parametrize("scenario", ["Server", "Offline", "SingleStream", "MultiStream"])
def test_every_sample_is_answered_through_loadgen(tmp_path: Path, scenario: Scenario) -> None:
    facts, _ = prepare(tmp_path / "samples", cases.write(tmp_path / "source", ROWS, LENGTHS))
    files = tuple(one for one in facts.paths(tmp_path / "samples") if isinstance(one, Ragged))
    workers = Workers(sessions=2, intra_op_threads=1, max_batch=8, max_cost=20, cost_us=((1, 10), (40, 400)))
    settings = runs.settings(scenario, "accuracy")
    run = runs.spec(tmp_path, settings, model=str(model(tmp_path)), samples=files, workers=workers, task=task.__name__)
    done = runs.finish(run)
    assert (done.status, done.stderr) == (0, "")
    wanted = expected()
    assert {index for index, _ in done.answers} == set(range(runs.SAMPLES))
    for index, data in done.answers:
        close(data, wanted[index])
    assert done.report.batches < runs.SAMPLES or scenario in ("SingleStream", "Server"), (
        "a fast machine is done before the next"
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dense_x": "dense"}, r"the model's inputs are dense, indices: no dense_x"),
        ({"indices": "ids"}, r"no indices_0"),
    ],
)
def test_a_model_with_other_inputs_is_named(
    tmp_path: Path, library: SampleLibrary, change: dict[str, str], says: str
) -> None:
    made = onnx.load(model(tmp_path))
    for one in made.graph.input:
        one.name = change.get(one.name, one.name)
    for node in made.graph.node:
        node.input[:] = [change.get(one, one) for one in node.input]
    onnx.save(made, tmp_path / "other.onnx")
    graph = Graph(onnxruntime.load(tmp_path / "other.onnx", BackendOptions()))
    with pytest.raises(DataError, match=says):
        task.program({MODEL: graph}, library, TaskOptions())


def test_samples_of_one_shape_are_named(tmp_path: Path) -> None:
    np.save(tmp_path / "fixed.npy", np.zeros((3, 13), np.float32))
    graph = Graph(onnxruntime.load(model(tmp_path), BackendOptions()))
    with pytest.raises(DataError, match="all one shape"):
        task.program({MODEL: graph}, SampleLibrary([tmp_path / "fixed.npy"], 3), TaskOptions())


def test_an_index_beyond_the_models_table_is_an_error_of_the_run(tmp_path: Path) -> None:
    rows: Any = ROWS.copy()
    rows[:, 14] = 1000
    source = cases.write(tmp_path / "source", rows, LENGTHS, tables=None)
    _, library = prepare(tmp_path / "samples", source)
    graph = Graph(onnxruntime.load(model(tmp_path), BackendOptions()))
    program = task.program({MODEL: graph}, library, TaskOptions())
    with pytest.raises(RunError, match="out of data bounds"):
        program.infer([0])
