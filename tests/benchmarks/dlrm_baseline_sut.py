"""What recommendation is compared with: a SUT that works as the rules' reference implementation of DLRM does.

`python -m tests.benchmarks.dlrm_baseline_sut SPEC.json` measures what a RunSpec says, but for its workers: LoadGen's
thread puts the rows of up to MAX_BATCH samples together and into a queue of multiprocessing, which pickles them; as
many threads as there are CPUs take them and share one session of ONNX Runtime with default options. Each row's
prediction is compared with its label, one after another, and answered out of a list of pairs.
"""

from __future__ import annotations

import array
import os
import sys
from multiprocessing import JoinableQueue
from pathlib import Path
from threading import Thread
from typing import Any

import mlperf_loadgen as lg
import numpy as np
import onnxruntime as ort

from engine.backends.base import Array
from engine.facts import Ragged
from engine.harness import loadgen
from engine.harness.failure import FailLoudly
from engine.harness.main import read_spec
from engine.harness.samples import SampleLibrary
from engine.harness.spec import RunSpec

MAX_BATCH = 2048
"""Samples, whatever their rows: the reference's default."""
ITEMS_PER_THREAD = 4
WARM_UP_RUNS = 5

Item = tuple[list[int], Array, Array, Array, list[int]]
"""Ids, dense features, indices, labels, and where each sample's rows end."""


class Runner:
    """Threads that share the session and one queue."""

    def __init__(self, spec: RunSpec, library: SampleLibrary) -> None:
        self._session = ort.InferenceSession(str(spec.model), providers=["CPUExecutionProvider"])
        self._library = library
        count = os.cpu_count() or 1
        self._items: Any = JoinableQueue(maxsize=ITEMS_PER_THREAD * count)
        self._good = 0
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def warm_up(self) -> None:
        """Infer the first sample a few times."""
        self._library.load([0])
        for _ in range(WARM_UP_RUNS):
            _, dense, indices, _, _ = self._joined([0], [0])
            self._predict(dense, indices)
        self._library.unload()

    def issue(self, query: list[lg.QuerySample]) -> None:
        """Queue a query in slices of MAX_BATCH samples; waits where the queue is full."""
        ids, places = [one.id for one in query], [one.index for one in query]
        for start in range(0, len(query), MAX_BATCH):
            part = slice(start, start + MAX_BATCH)
            self._items.put(self._joined(ids[part], places[part]))

    def finish(self) -> None:
        """End the threads."""
        for _ in self._threads:
            self._items.put(None)
        for thread in self._threads:
            thread.join()

    def _joined(self, ids: list[int], places: list[int]) -> Item:
        dense, indices, labels = (
            np.concatenate([self._library.sample(number, place) for place in places]) for number in range(3)
        )
        ends = np.cumsum([len(self._library.sample(2, place)) for place in places]).tolist()
        return ids, dense, np.ascontiguousarray(indices.T), labels, ends

    def _predict(self, dense: Array, indices: Array) -> Array:
        feed = {"dense_x": dense.astype(np.float32), "indices": indices.astype(np.int64)}
        found: Array = self._session.run(None, feed)[0].reshape(-1, 1)
        return found

    def _work(self) -> None:
        with FailLoudly("a thread of the baseline"):
            while (item := self._items.get()) is not None:
                self._answer(*item)
                self._items.task_done()

    def _answer(self, ids: list[int], dense: Array, indices: Array, labels: Array, ends: list[int]) -> None:
        pairs = []
        for result, target in zip(self._predict(dense, indices)[:, 0], labels, strict=True):
            pairs.append([result, target])
            if result.round() == target:
                self._good += 1
        kept, answers = [], []
        for number, one in enumerate(ids):
            own = pairs[ends[number - 1] if number else 0 : ends[number]]
            data = array.array("B", np.array(own, np.float32).tobytes())
            kept.append(data)  # until LoadGen has copied it
            answers.append(lg.QuerySampleResponse(one, *data.buffer_info()))
        lg.QuerySamplesComplete(answers)


def main(argv: list[str]) -> None:
    """Run one test."""
    spec = read_spec(Path(argv[0]))
    folder = Path(spec.log_dir)
    folder.mkdir(parents=True, exist_ok=True)
    count = spec.settings.performance_sample_count
    library = SampleLibrary([one if isinstance(one, Ragged) else Path(one) for one in spec.samples], count)
    runner = Runner(spec, library)
    runner.warm_up()

    def issue(query: list[lg.QuerySample]) -> None:
        with FailLoudly("the query of the baseline"):
            runner.issue(query)

    sut = lg.ConstructSUT(issue, lambda: None)
    qsl = lg.ConstructQSL(library.count, count, library.load, library.unload)
    lg.StartTestWithLogSettings(sut, qsl, loadgen.settings(spec, folder), loadgen.log_settings(folder))
    runner.finish()
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)


if __name__ == "__main__":
    main(sys.argv[1:])
