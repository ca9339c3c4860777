"""int8 of a recommendation model: calibrated with samples as they are measured, it keeps 99.9 % of the area."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest

from engine.backends import onnxruntime
from engine.backends.base import Array, BackendOptions
from engine.backends.graph import Graph
from engine.datasets import click_files
from engine.facts import Ragged, SamplesFacts
from engine.harness.samples import SampleLibrary
from engine.networks import clicks_net
from engine.step import Artifact
from engine.steps.models.quantize import quantize
from engine.tasks import recommendation as task
from engine.tasks import roc
from engine.tasks.base import TaskOptions
from tests.engine.networks.running import step


def samples(folder: Path, name: str, count: int, purpose: str) -> tuple[Path, dict[str, Any]]:
    (folder / name).mkdir()
    (folder / f"{name}-rows").mkdir()
    options = {"count": count, "seed": 1, "max_ind_range": 2500, "purpose": purpose}
    facts = click_files.generate(step(folder / f"{name}-rows", options))
    needs = {"dataset": Artifact(str(folder / f"{name}-rows"), facts)}
    prepare = task.calibration_samples if purpose == "calibration" else task.prepare
    return folder / name, prepare(step(folder / name, {"count": None, "max_ind_range": None}, needs))


def area(model: Path, library: SampleLibrary) -> float:
    program = task.program({"model": Graph(onnxruntime.load(model, BackendOptions()))}, library, TaskOptions())
    program.prepare(1)
    pairs: Array = np.concatenate([program.infer([index]).data for index in range(library.count)])
    program.close()
    return roc.area(pairs[pairs[:, 1] == 1, 0].copy(), pairs[pairs[:, 1] == 0, 0].copy())


@pytest.mark.slow
def test_int8_keeps_the_area_and_the_tables(tmp_path: Path) -> None:
    for name in ("fp32", "int8"):
        (tmp_path / name).mkdir()
    fp32 = clicks_net.shipped(step(tmp_path / "fp32", {}))
    chosen, facts = samples(tmp_path, "chosen", 24, "calibration")
    options = {"task": task.__name__, "operators": ["Gemm"], "weight_bits": 8}
    needs = {"fp32": Artifact(str(tmp_path / "fp32"), fp32), "calibration": Artifact(str(chosen), facts)}
    int8 = quantize(step(tmp_path / "int8", options, needs))
    folder, prepared = samples(tmp_path, "measured", 120, "test")
    known = msgspec.convert(prepared, SamplesFacts)
    library = SampleLibrary([one for one in known.paths(folder) if isinstance(one, Ragged)], known.count)
    library.load(range(known.count))
    before = area(tmp_path / "fp32" / fp32["model"], library)
    after = area(tmp_path / "int8" / int8["model"], library)
    assert before > 0.7
    assert after >= 0.999 * before
    kinds = {one.data_type for one in onnx.load(tmp_path / "int8" / int8["model"]).graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    assert int8["calibration"]["text"] == "24 generated samples"
    assert int8["calibration"]["by_rules"] is False
