"""A bare loop over a session's run, in a process of its own: what the harness is compared with.

`python -m tests.benchmarks.bare_session MODEL OUTPUTS SESSIONS THREADS BATCHES SECONDS` prints, for each of the batch
sizes (`1,2,4`) a line of JSON: samples/s of all sessions together, and the mean milliseconds of a run. Nothing is
gathered, answered or logged, and nothing of the engine is in the loop.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import Any

import numpy as np

WARM_UP_RUNS = 3
WARM_UP_SECONDS = 1.0
"""After which a slow model is warm with fewer."""

Run = Callable[[], object]
Open = Callable[[], Callable[[int], Run]]
"""Loads a session, which makes a loop's body for a batch size."""

_LOADING = Lock()
"""OpenVINO's Python part fills tables when they are first used, and two threads that do so wait for each other."""


def main(argv: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bare_session")
    parser.add_argument("model")
    parser.add_argument("output", help="one name, or several by ','")
    parser.add_argument("sessions", type=int)
    parser.add_argument("threads", type=int)
    parser.add_argument("batches", type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("seconds", type=float, help="for each batch size")
    parser.add_argument("--backend", choices=("onnxruntime", "openvino"), default="onnxruntime")
    parser.add_argument("--precision", default="f32", help="what OpenVINO computes in")
    parser.add_argument("--cores", help="of each session, to pin it to: 0,1/2,3")
    given = parser.parse_args(argv)
    open_session = _onnxruntime(given) if given.backend == "onnxruntime" else _openvino(given)
    cores = [{int(core) for core in group.split(",")} for group in given.cores.split("/")] if given.cores else []
    ready = Barrier(given.sessions)

    def work(number: int) -> list[tuple[int, float, float]]:
        try:
            if cores:
                os.sched_setaffinity(0, cores[number])
            with _LOADING:
                make = open_session()
            found = []
            for batch in given.batches:
                with _LOADING:
                    run = make(batch)
                _warm_up(run)
                ready.wait()
                found.append(_timed(run, given.seconds))
                ready.wait()
        except BaseException:
            ready.abort()  # the others must not wait for this one
            raise
        return found

    with ThreadPoolExecutor(given.sessions) as pool:
        sessions = list(pool.map(work, range(given.sessions)))
    for batch, done in zip(given.batches, zip(*sessions, strict=True), strict=True):
        rate = sum(runs * batch / (end - start) for runs, start, end in done)
        mean_ms = sum((end - start) / runs for runs, start, end in done) / given.sessions * 1000
        print(json.dumps({"batch": batch, "samples_per_second": rate, "mean_ms": mean_ms}))


def _warm_up(run: Run) -> None:
    start = time.perf_counter()
    for _ in range(WARM_UP_RUNS):
        run()
        if time.perf_counter() - start > WARM_UP_SECONDS:
            break


def _timed(run: Run, seconds: float) -> tuple[int, float, float]:
    start = now = time.perf_counter()
    runs = 0
    while now - start < seconds:
        run()
        runs += 1
        now = time.perf_counter()
    return runs, start, now


def _noise(batch: int, shape: Any) -> Any:
    return np.random.default_rng(0).random((batch, *shape), np.float32)


def _onnxruntime(given: argparse.Namespace) -> Open:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = given.threads
    options.inter_op_num_threads = 1

    def open_session() -> Callable[[int], Run]:
        session = ort.InferenceSession(given.model, options, providers=["CPUExecutionProvider"])
        first = session.get_inputs()[0]

        def make(batch: int) -> Run:
            feed = {first.name: _noise(batch, first.shape[1:])}
            return lambda: session.run(given.output.split(","), feed)

        return make

    return open_session


def _openvino(given: argparse.Namespace) -> Open:
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # the word for "not there"
    import openvino as ov

    core = ov.Core()
    settings = {
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(given.threads),
        "ENABLE_CPU_PINNING": "NO",
        "INFERENCE_PRECISION_HINT": given.precision,
    }

    def open_session() -> Callable[[int], Run]:
        model = core.read_model(given.model)
        sizes = [size.get_length() for size in list(model.inputs[0].partial_shape)[1:]]

        def make(batch: int) -> Run:
            model.reshape({0: [batch, *sizes]})
            request = core.compile_model(model, "CPU", settings).create_infer_request()
            request.set_input_tensor(0, ov.Tensor(_noise(batch, sizes), shared_memory=False))
            return lambda: request.infer(share_outputs=True)

        return make

    return open_session


if __name__ == "__main__":
    main(sys.argv[1:])
