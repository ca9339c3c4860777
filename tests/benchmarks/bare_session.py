"""A bare loop over `InferenceSession.run`, in a process of its own: what the harness is compared with.

`python -m tests.benchmarks.bare_session MODEL OUTPUT SESSIONS THREADS BATCH SECONDS` prints samples/s of all sessions
together and the mean milliseconds of a run. Nothing is gathered, answered or logged.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import onnxruntime as ort

WARM_UP_RUNS = 3


def main(argv: list[str]) -> None:
    """Measure and print."""
    model, output = argv[:2]
    sessions, threads, batch = map(int, argv[2:5])
    ready = Barrier(sessions)

    def work(session: ort.InferenceSession) -> tuple[int, float, float]:
        first = session.get_inputs()[0]
        feed = {first.name: np.random.default_rng(0).random((batch, *first.shape[1:]), np.float32)}
        for _ in range(WARM_UP_RUNS):
            session.run([output], feed)
        ready.wait()
        start = now = time.perf_counter()
        runs = 0
        while now - start < float(argv[5]):
            session.run([output], feed)
            runs += 1
            now = time.perf_counter()
        return runs, start, now

    with ThreadPoolExecutor(sessions) as pool:
        done = list(pool.map(work, [_session(model, threads) for _ in range(sessions)]))
    rate = sum(runs * batch / (end - start) for runs, start, end in done)
    mean_ms = sum((end - start) / runs for runs, start, end in done) / sessions * 1000
    print(json.dumps({"samples_per_second": rate, "mean_ms": mean_ms}))


def _session(model: str, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main(sys.argv[1:])
