"""Short LoadGen runs for tests: a spec with few settings, the process that runs it, and its output."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engine import events
from engine.harness.spec import LoadGenSettings, RunReport, RunSpec, Workers
from engine.mlperf import Mode, Scenario

ROOT = Path(__file__).parents[3]
SAMPLES = 50
SEEDS = {
    "qsl_rng_seed": 14284205019438841327,
    "sample_index_rng_seed": 4163916728725999944,
    "schedule_rng_seed": 299063814864929621,
}
NULL: dict[str, Any] = {
    "backend": "engine.backends.null",
    "model": "none",
    "backend_options": {"outputs": "y:float32:"},
}
"""Of a spec: the null backend, to run LoadGen and the harness alone."""

_TARGETS: dict[str, dict[str, Any]] = {
    "SingleStream": {"target_latency_ns": 3_000, "target_latency_percentile": 0.9},
    "MultiStream": {"target_latency_ns": 5_000, "target_latency_percentile": 0.99, "samples_per_query": 8},
    "Server": {"target_latency_ns": 50_000_000, "target_latency_percentile": 0.99, "target_qps": 500.0},
    "Offline": {"target_qps": 2000.0},
}


def settings(scenario: Scenario, mode: Mode, **changes: Any) -> LoadGenSettings:
    """Settings of a run of a third of a second."""
    values: dict[str, Any] = {
        "min_duration_ms": 300,
        "min_query_count": 10,
        "performance_sample_count": 20,
        **SEEDS,
        **_TARGETS[scenario],
        **changes,
    }
    return LoadGenSettings(scenario=scenario, mode=mode, **values)


def sum_model(path: Path) -> Path:
    """A model that adds up the four numbers of each sample, for any batch."""
    nodes = [helper.make_node("ReduceSum", ["x", "axis"], ["total"], keepdims=0)]
    return save(path, nodes, [("x", TensorProto.FLOAT, ["N", 4])], [("total", TensorProto.FLOAT, ["N"])], axis=[1])


def lookup_model(path: Path) -> Path:
    """A model that looks each sample up in a table of ten: a sample of 10 or more makes the inference fail."""
    nodes = [helper.make_node("Gather", ["table", "x"], ["found"])]
    table = list(range(10))
    return save(path, nodes, [("x", TensorProto.INT64, ["N"])], [("found", TensorProto.INT64, ["N"])], table=table)


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: Sequence[tuple[str, int, Sequence[int | str]]],
    outputs: Sequence[tuple[str, int, Sequence[int | str]]],
    **constants: list[int],
) -> Path:
    """Write a model of these nodes; the constants are int64."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        [numpy_helper.from_array(np.array(values, np.int64), name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


def spec(folder: Path, run: LoadGenSettings, **changes: Any) -> RunSpec:
    """A run of the adding model over samples whose sums are all different."""
    samples = folder / "samples.npy"
    np.save(samples, np.arange(SAMPLES * 4, dtype=np.float32).reshape(SAMPLES, 4))
    values: dict[str, Any] = {
        "backend": "engine.backends.onnxruntime",
        "model": str(sum_model(folder / "sum.onnx")),
        "samples": (str(samples),),
        "workers": Workers(sessions=2, intra_op_threads=1, max_batch=4),
        **changes,
    }
    return RunSpec(
        step="run",
        benchmark="resnet50",
        sut_name="test",
        qsl_name="test",
        settings=run,
        task=values.pop("task", "tests.engine.harness.echo_task"),
        mlperf_conf=values.pop("mlperf_conf", "*.*.min_duration = 300\n"),
        user_conf=values.pop("user_conf", ""),
        log_dir=str(folder / "log"),
        **values,
    )


@dataclass(frozen=True)
class Finished:
    """The output of a run's process."""

    status: int
    events: list[events.AnyEvent]
    stderr: str
    folder: Path

    @property
    def report(self) -> RunReport:
        """The content of run.json."""
        return msgspec.json.decode((self.folder / "run.json").read_bytes(), type=RunReport)

    @property
    def finished(self) -> bool:
        """Whether there is a run.json."""
        return (self.folder / "run.json").exists()

    @property
    def detail(self) -> dict[str, Any]:
        """The last value of each key of LoadGen's detail log."""
        marker = ":::MLLOG "
        lines = (self.folder / "mlperf_log_detail.txt").read_text().splitlines()
        records = [json.loads(line.removeprefix(marker)) for line in lines]
        assert not [record for record in records if record["metadata"]["is_error"]]
        return {record["key"]: record["value"] for record in records}

    @property
    def answers(self) -> list[tuple[int, bytes]]:
        """QSL index and bytes of every record of the accuracy log."""
        records = json.loads((self.folder / "mlperf_log_accuracy.json").read_text())
        return [(record["qsl_idx"], bytes.fromhex(record["data"])) for record in records]

    @property
    def failure(self) -> dict[str, str]:
        """The last line of stderr, which a user error writes."""
        failure: dict[str, str] = json.loads(self.stderr.splitlines()[-1])
        return failure


def start(run: RunSpec) -> "subprocess.Popen[bytes]":
    """Start the process of a run; events come on its stdout."""
    path = Path(run.log_dir).with_name("spec.json")
    path.write_bytes(msgspec.json.encode(run))
    command = [sys.executable, "-m", "engine.harness.main", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(run: RunSpec) -> Finished:
    """Run to the end."""
    with start(run) as process:
        out, err = process.communicate(timeout=60)
    lines = [events.decode(line) for line in out.splitlines()]
    return Finished(process.returncode, lines, err.decode(), Path(run.log_dir))
