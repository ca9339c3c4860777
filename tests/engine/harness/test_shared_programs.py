"""Samples that all sessions work on together, through real LoadGen runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from engine import events
from engine.facts import Ragged
from engine.harness.spec import RunSpec, Workers
from engine.mlperf import Mode, Scenario
from tests.engine.harness import runs

SHAPES = [(4 + 2 * (index % 3), 4, 4 + 2 * (index % 2)) for index in range(runs.SAMPLES)]
FLOAT = int(TensorProto.FLOAT)


def model(folder: Path) -> str:
    """The value of a voxel against zero, and against one half of it more: class 1 where it is positive."""
    nodes = [helper.make_node("Neg", ["x"], ["less"]), helper.make_node("Concat", ["less", "x"], ["y"], axis=1)]
    path = folder / "sign.onnx"
    return str(runs.save(path, nodes, [("x", FLOAT, ["N", 1, 4, 4, 4])], [("y", FLOAT, ["N", 2, 4, 4, 4])]))


def spec(folder: Path, scenario: Scenario, mode: Mode = "accuracy", **changes: Any) -> tuple[RunSpec, list[Any]]:
    rng = np.random.default_rng(5)
    volumes = [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]
    np.save(folder / "values.npy", np.concatenate([one.ravel() for one in volumes]))
    np.save(folder / "offsets.npy", np.cumsum([0, *(one.size for one in volumes)]))
    np.save(folder / "shapes.npy", np.array(SHAPES))
    files = Ragged(*(str(folder / f"{name}.npy") for name in ("values", "offsets", "shapes")))
    made = runs.spec(
        folder,
        runs.settings(scenario, mode, **changes),
        samples=(files,),
        model=model(folder),
        task="engine.tasks.medical_segmentation",
        task_options={"window": [4, 4, 4], "stride": [2, 2, 2]},
        workers=Workers(sessions=2, intra_op_threads=1, max_batch=3),
    )
    return made, volumes


@pytest.mark.parametrize("scenario", ["SingleStream", "Offline"])
def test_every_volume_is_answered_by_its_voxels(tmp_path: Path, scenario: Scenario) -> None:
    run, volumes = spec(tmp_path, scenario)
    done = runs.finish(run)
    assert (done.status, done.stderr) == (0, "")
    expected = {index: (one > 0).astype(np.uint8).tobytes() for index, one in enumerate(volumes)}
    assert dict(done.answers) == expected
    last = [event for event in done.events if isinstance(event, events.Tick)][-1]
    windows = sum(((depth - 4) // 2 + 1) * ((width - 4) // 2 + 1) for depth, _, width in SHAPES)
    assert (last.parts, last.unit, last.completed) == (windows, "windows", runs.SAMPLES)
    assert last.done == pytest.approx(runs.SAMPLES)
    assert done.report.batches == runs.SAMPLES, "each volume is a response of its own"


def test_a_query_of_many_samples_is_answered_one_by_one(tmp_path: Path) -> None:
    run, _ = spec(tmp_path, "Offline", "performance", target_qps=200.0)
    done = runs.finish(run)
    assert (done.status, done.stderr) == (0, "")
    assert done.report.samples == done.report.batches == 66


def test_server_is_refused(tmp_path: Path) -> None:
    run, _ = spec(tmp_path, "Server")
    done = runs.finish(run)
    assert done.status == 3
    assert "no Server" in done.failure["what"]
