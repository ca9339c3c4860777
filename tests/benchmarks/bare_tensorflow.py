"""A bare loop over `Session.run`, in a process of its own: what the harness on TensorFlow is compared with.

`python -m tests.benchmarks.bare_tensorflow MODEL INPUT OUTPUT CALLERS THREADS BATCH SECONDS` prints samples/s of all
callers together and the mean milliseconds of a run. One session serves all callers, as in the rules' reference;
nothing is gathered, answered or logged.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import tensorflow as tf

WARM_UP_RUNS = 3


def main(argv: list[str]) -> None:
    """Measure and print."""
    model, name, output = argv[:3]
    callers, threads, batch = map(int, argv[3:6])
    ready = Barrier(callers)
    graph = tf.Graph()
    with graph.as_default():
        definition = tf.compat.v1.GraphDef()
        definition.ParseFromString(Path(model).read_bytes())
        tf.import_graph_def(definition, name="")
    config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=callers)
    session = tf.compat.v1.Session(graph=graph, config=config)
    shape = (batch, *graph.get_tensor_by_name(name).shape.as_list()[1:])

    def work(_: int) -> tuple[int, float, float]:
        feed = {name: np.random.default_rng(0).random(shape, np.float32)}
        for _ in range(WARM_UP_RUNS):
            session.run([output], feed)
        ready.wait()
        start = now = time.perf_counter()
        runs = 0
        while now - start < float(argv[6]):
            session.run([output], feed)
            runs += 1
            now = time.perf_counter()
        return runs, start, now

    with ThreadPoolExecutor(callers) as pool:
        done = list(pool.map(work, range(callers)))
    rate = sum(runs * batch / (end - start) for runs, start, end in done)
    mean_ms = sum((end - start) / runs for runs, start, end in done) / callers * 1000
    print(json.dumps({"samples_per_second": rate, "mean_ms": mean_ms}))


if __name__ == "__main__":
    main(sys.argv[1:])
