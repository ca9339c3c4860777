"""The bare graph over the batches that the harness makes: `python -m tests.benchmarks.dlrm_bare SPEC.json`.

Prints samples/s of Offline's one query, the share of the program's time that is not the graph's, and the memory of a
further session that it does not share, as a line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from threading import Lock

import numpy as np
import psutil

from engine.backends import onnxruntime
from engine.backends.base import BackendOptions, Binding
from engine.backends.graph import Graph
from engine.facts import Ragged
from engine.harness.cost_queues import cut_by_sum
from engine.harness.main import read_spec
from engine.harness.samples import SampleLibrary
from engine.harness.spec import RunSpec
from engine.tasks import recommendation
from engine.tasks.base import TaskOptions
from engine.tasks.programs import MODEL


def main(argv: list[str]) -> None:
    """Measure and print."""
    spec = read_spec(Path(argv[0]))
    library = SampleLibrary([one for one in spec.samples if isinstance(one, Ragged)], 1)
    lengths = library.lengths
    assert lengths is not None
    library.load(range(library.count))
    order = np.argsort(-lengths, kind="stable")
    slices = cut_by_sum(lengths[order].tolist(), spec.workers.max_batch, spec.workers.max_cost)
    batches = [order[one].tolist() for one in slices]
    private: list[int] = []
    graphs = [_graph(spec, private) for _ in range(spec.workers.sessions)]
    programs = [recommendation.program({MODEL: graph}, library, TaskOptions()) for graph in graphs]
    for program in programs:
        program.prepare(spec.workers.max_batch)
    bare = [_bound(graph, lengths) for graph in graphs]
    rates = []
    for _ in range(3):
        alone = _seconds([lambda batch, run=run: run(batch) for run in bare], batches)  # type: ignore[misc]
        whole = _seconds([program.infer for program in programs], batches)
        rates.append((library.count / alone, 1 - alone / whole))
    rate, beside = (median(column) for column in zip(*rates, strict=True))
    print(json.dumps({"samples_per_second": rate, "beside": beside, "private_bytes": private[-1]}))


def _graph(spec: RunSpec, private: list[int]) -> Graph:
    """Open a session; appends the memory that it takes and shares with no file."""
    before = psutil.Process().memory_full_info().uss
    options = BackendOptions(intra_op_threads=spec.workers.intra_op_threads)
    made = Graph(onnxruntime.load(Path(str(spec.model)), options))
    private.append(psutil.Process().memory_full_info().uss - before)
    return made


def _bound(graph: Graph, lengths: np.ndarray) -> Callable[[list[int]], object]:
    """Return what runs a graph on the rows of a batch, without filling them in."""

    def binding(batch: list[int]) -> Binding:
        total = int(lengths[batch].sum())
        shapes = {"dense_x": (total, 13), "indices": (26, total)}
        return graph.bound(tuple(shapes[spec.name] for spec in graph.inputs))

    return lambda batch: binding(batch).run()


def _seconds(runs: list[Callable[[list[int]], object]], batches: list[list[int]]) -> float:
    """Let the sessions share the batches out; returns the time of all."""
    left, lock = iter(batches), Lock()

    def work(run: Callable[[list[int]], object]) -> None:
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
