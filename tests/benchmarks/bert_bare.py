"""The bare graph over the batches that the harness makes: `python -m tests.benchmarks.bert_bare SPEC.json`.

Prints samples/s of Offline's one query, and the mean milliseconds of a sample alone, as a line of JSON. Sessions,
threads and batches are those of the spec's workers; nothing is gathered, answered or logged in the loop.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np

from engine.harness.cost_queues import cut
from engine.harness.main import read_spec
from engine.harness.spec import RunSpec
from engine.tasks.question_answering import BUCKET

Shape = tuple[int, int]


def main(argv: list[str]) -> None:
    """Measure and print."""
    spec = read_spec(Path(argv[0]))
    (values,) = {one.offsets for one in spec.samples if not isinstance(one, str)}
    lengths = sorted(np.diff(np.load(values)).tolist(), reverse=True)
    slices = cut(lengths, spec.workers.max_batch, spec.workers.max_cost)
    batches = [(len(lengths[one]), -(-max(lengths[one]) // BUCKET) * BUCKET) for one in slices]
    make = _openvino if spec.backend.endswith("openvino") else _onnxruntime
    runs = [make(spec) for _ in range(spec.workers.sessions)]
    for run in runs:
        run(batches[-1])
    rate = len(lengths) / _seconds(runs, batches)
    alone = _seconds(runs[:1], [(1, -(-length // BUCKET) * BUCKET) for length in lengths])
    print(json.dumps({"offline": rate, "single": 1000 * alone / len(lengths)}))


def _onnxruntime(spec: RunSpec) -> Callable[[Shape], object]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = spec.workers.intra_op_threads
    session = ort.InferenceSession(str(spec.model), options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]

    def run(shape: Shape) -> object:
        ids = np.ones(shape, np.int64)
        return session.run(list(spec.outputs), dict.fromkeys(names, ids))

    return run


def _openvino(spec: RunSpec) -> Callable[[Shape], object]:
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # the word for "not there"
    import openvino as ov

    settings = {
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(spec.workers.intra_op_threads),
        "ENABLE_CPU_PINNING": "NO",
        "INFERENCE_PRECISION_HINT": "f32",
        **spec.backend_options,
    }
    model = ov.Core().compile_model(str(spec.model), "CPU", settings)
    request = model.create_infer_request()

    def run(shape: Shape) -> object:
        ids = np.ones(shape, np.int64)
        return request.infer(dict.fromkeys(range(len(model.inputs)), ids), share_outputs=True)

    return run


def _seconds(runs: list[Callable[[Shape], object]], batches: list[Shape]) -> float:
    """Let the sessions share the batches out, the dearest first; returns the time of all."""
    left, lock = iter(batches), Lock()

    def work(run: Callable[[Shape], object]) -> None:
        while True:
            with lock:
                batch = next(left, None)
            if batch is None:
                return
            run(batch)

    start = time.perf_counter()
    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(work, runs))
    return time.perf_counter() - start


if __name__ == "__main__":
    main(sys.argv[1:])
