"""What the harness is compared with: a SUT that works as the rules' reference implementation does.

`python -m tests.benchmarks.reference_sut SPEC.json` measures, in a process of its own, what a RunSpec says, but for its
workers: one session of ONNX Runtime with default options serves as many threads as there are CPUs, which take items
of at most 32 samples from one queue. LoadGen's thread puts the samples of an item together, and in SingleStream infers
as well. Each sample is answered through Python objects of its own, over LoadGen's interface of one object per sample.
"""

from __future__ import annotations

import array
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import mlperf_loadgen as lg
import numpy as np
import onnxruntime as ort

from engine.backends.base import Array
from engine.harness import loadgen
from engine.harness.failure import FailLoudly
from engine.harness.main import read_spec
from engine.harness.spec import RunSpec

MAX_BATCH = 32
ITEMS_PER_THREAD = 4
"""Items that may wait in the queue: then LoadGen's thread waits too."""
WARM_UP_RUNS = 5


@dataclass(frozen=True)
class Item:
    """Samples that are inferred together, put together already."""

    ids: list[int]
    samples: Array


class Samples:
    """The sample library: one array per sample, by QSL index."""

    def __init__(self, path: Path) -> None:
        self._file: Array = np.load(path, mmap_mode="r")
        self.count = len(self._file)
        self._loaded: dict[int, Array] = {}

    def load(self, indices: Sequence[int]) -> None:
        """Read these samples in place of those that are there."""
        self._loaded = {index: np.array(self._file[index]) for index in indices}

    def unload(self, _indices: Sequence[int] = ()) -> None:
        """Forget all samples."""
        self._loaded = {}

    def stacked(self, indices: Sequence[int]) -> Array:
        """Return these samples as one array."""
        return np.array([self._loaded[index] for index in indices])


class InlineRunner:
    """SingleStream: infers in LoadGen's own thread."""

    def __init__(self, spec: RunSpec, samples: Samples) -> None:
        self._session = ort.InferenceSession(spec.model, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = list(spec.outputs)
        self._offset = int(spec.task_options["label_offset"])
        self._samples = samples

    def warm_up(self) -> None:
        """Infer the first sample a few times."""
        self._samples.load([0])
        for _ in range(WARM_UP_RUNS):
            self._classes(self._samples.stacked([0]))
        self._samples.unload()

    def issue(self, query: list[lg.QuerySample]) -> None:
        """Take a query: as one item where it is smaller than the largest, else in slices."""
        ids, indices = [sample.id for sample in query], [sample.index for sample in query]
        for start in range(0, len(query), MAX_BATCH):
            part = slice(start, start + MAX_BATCH)
            self.take(Item(ids[part], self._samples.stacked(indices[part])))

    def take(self, item: Item) -> None:
        """Do what is to be done with an item."""
        self.answer(item)

    def answer(self, item: Item) -> None:
        """Infer an item and give LoadGen its answers."""
        classes = self._classes(item.samples)
        kept, answers = [], []
        for number, sample in enumerate(item.ids):
            data = array.array("B", np.array(classes[number], np.float32).tobytes())
            kept.append(data)  # until LoadGen has copied it
            answers.append(lg.QuerySampleResponse(sample, *data.buffer_info()))
        lg.QuerySamplesComplete(answers)

    def finish(self) -> None:
        """Wait for what is not done yet: nothing here."""

    def _classes(self, samples: Array) -> list[list[Any]]:
        found = self._session.run(self._outputs, {self._input: samples})[0]
        return [[found[number] - self._offset] for number in range(len(found))]


class QueueRunner(InlineRunner):
    """The other scenarios: threads that share the session and one queue."""

    def __init__(self, spec: RunSpec, samples: Samples) -> None:
        super().__init__(spec, samples)
        count = os.cpu_count() or 1
        self._items: Queue[Item | None] = Queue(maxsize=ITEMS_PER_THREAD * count)
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def take(self, item: Item) -> None:
        """Queue the item; waits where the queue is full."""
        self._items.put(item)

    def finish(self) -> None:
        """End the threads."""
        for _ in self._threads:
            self._items.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with FailLoudly("a thread of the baseline"):
            while (item := self._items.get()) is not None:
                self.answer(item)


def main(argv: list[str]) -> None:
    """Run one test."""
    spec = read_spec(Path(argv[0]))
    folder = Path(spec.log_dir)
    folder.mkdir(parents=True, exist_ok=True)
    settings = loadgen.settings(spec, folder)
    samples = Samples(Path(str(spec.samples[0])))
    runner = InlineRunner(spec, samples) if spec.settings.scenario == "SingleStream" else QueueRunner(spec, samples)
    runner.warm_up()

    def issue(query: list[lg.QuerySample]) -> None:
        with FailLoudly("the query of the baseline"):
            runner.issue(query)

    sut = lg.ConstructSUT(issue, lambda: None)
    count = min(spec.settings.performance_sample_count, samples.count)
    qsl = lg.ConstructQSL(samples.count, count, samples.load, samples.unload)
    lg.StartTestWithLogSettings(sut, qsl, settings, loadgen.log_settings(folder))
    runner.finish()
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)


if __name__ == "__main__":
    main(sys.argv[1:])
