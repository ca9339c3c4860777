"""What each part of the harness costs beside a running model: `python -m tests.benchmarks shares --model=MODEL.onnx`.

One session in one process runs the same batch again and again, in short blocks in random order. Beside some blocks runs
a part of the harness: the library's copy of other samples into the bound memory (gather), LoadGen, in whose query the
block runs then (its logger wakes 100 times a second), the live figures (ticker). A block is compared with the bare one
of the same round, so neither the machine's drift nor the place of the memory in this process counts.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path
from statistics import median, stdev

import mlperf_loadgen as lg
import numpy as np

from engine.backends import onnxruntime
from engine.backends.base import BackendOptions
from engine.harness import loadgen
from engine.harness.samples import SampleLibrary
from engine.harness.tally import Tally, now
from engine.harness.ticker import Ticker
from tests.benchmarks import contestants, runs

GATHER, LOADGEN, TICKER = "gather", "LoadGen", "ticker"
BARE: tuple[str, ...] = ()
BLOCKS = (BARE, (GATHER,), (LOADGEN,), (TICKER,), (GATHER, LOADGEN), (GATHER, TICKER), (GATHER, LOADGEN, TICKER))
_ANSWER = np.zeros(1, np.float32)


def main(argv: list[str]) -> None:
    """Measure and print the ratio of each kind of block to the bare one, with its standard error."""
    parser = argparse.ArgumentParser(prog="shares")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--runs", type=int, default=25, help="of a block")
    parser.add_argument("--seconds", type=float, default=120.0)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), given.model.absolute(), given.threads, given.batch, given.runs)
        found: dict[tuple[str, ...], list[float]] = {parts: [] for parts in BLOCKS}
        end = time.monotonic() + given.seconds
        while time.monotonic() < end:
            for parts in random.sample(BLOCKS, len(BLOCKS)):
                found[parts].append(bench.block(parts))
    print(f"bare: {median(found[BARE]):.3f} ms, {len(found[BARE])} blocks of {given.runs} runs of each kind")
    for parts, values in found.items():
        ratios = [value / bare for value, bare in zip(values, found[BARE], strict=True)]
        if parts and len(ratios) > 1:
            error = stdev(ratios) / len(ratios) ** 0.5
            print(f"{' + '.join(parts):28}{median(ratios):8.4f} x bare, standard error {error:.4f}")


class Bench:
    """A session with its samples."""

    def __init__(self, folder: Path, model: Path, threads: int, batch: int, most: int) -> None:
        """`most` is the number of runs of a block."""
        self._folder = folder
        self._batch, self._runs = batch, most
        self._library = SampleLibrary([contestants.noise(folder, model)], contestants.SAMPLES)
        self._library.load(range(contestants.SAMPLES))
        runner = onnxruntime.load(model, BackendOptions(intra_op_threads=threads))
        self._binding = runner.bind(((batch, *(size or 1 for size in runner.inputs[0].shape[1:])),))
        self._next = count()
        self._gather(next(self._next))
        self._times(BARE, Tally())

    def block(self, parts: Sequence[str]) -> float:
        """Return the median milliseconds of a run with these parts beside it."""
        tally = Tally()
        ticking: AbstractContextManager[None] = (
            Ticker("shares", [tally], lambda event: None) if TICKER in parts else nullcontext()
        )
        with ticking:
            if LOADGEN not in parts:
                return median(self._times(parts, tally))
            found: list[float] = []
            self._in_a_query(lambda: found.extend(self._times(parts, tally)))
            return median(found)

    def _times(self, parts: Sequence[str], tally: Tally) -> list[float]:
        found = []
        for _ in range(self._runs):
            start = now()
            if GATHER in parts:
                self._gather(next(self._next))
            self._binding.run()
            tally.record([start])
            found.append((now() - start) / 1e6)
        return found

    def _gather(self, number: int) -> None:
        first = number * self._batch
        self._library.gather([(first + one) % contestants.SAMPLES for one in range(self._batch)], self._binding.inputs)

    def _in_a_query(self, do: Callable[[], None]) -> None:
        """Do something while LoadGen waits for the answer to the one query of a test."""

        def issue(ids: list[int], indices: list[int]) -> None:
            do()
            lg.QuerySamplesComplete([lg.QuerySampleResponse(one, _ANSWER.ctypes.data, 4) for one in ids])

        spec = runs.null_spec(self._folder, "SingleStream", 1e6, 0.0)
        log = Path(spec.log_dir)
        log.mkdir(exist_ok=True)
        settings = loadgen.settings(spec, log)
        settings.max_query_count = 1
        sut = lg.ConstructFastSUT(issue, lambda: None)
        qsl = lg.ConstructQSL(runs.SAMPLES, runs.SAMPLES, lambda indices: None, lambda indices: None)
        lg.StartTestWithLogSettings(sut, qsl, settings, loadgen.log_settings(log))
        lg.DestroyQSL(qsl)
        lg.DestroyFastSUT(sut)
