"""Recommendation beside a baseline that works as the rules' reference does: `python -m tests.benchmarks dlrm`.

The model is the stand-in with tables cut to `--rows`; the samples are drawn over the rules' whole tables. All take
turns; what is printed are ratios to the baseline. `--score=PAIRS` measures the way from an accuracy log of so many
pairs to its line instead.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, cast

import msgspec
import numpy as np

from engine.datasets import drawn_rows
from engine.facts import Ragged, SamplesFacts
from engine.harness.spec import RunSpec, Workers
from engine.mlperf import Scenario
from engine.standins import dlrm as standin
from engine.step import Artifact, Step
from engine.tasks import criteo_trace, recommendation, roc
from tests.benchmarks import runs

SEED = 11
BASELINE, OURS, BARE = "baseline", "inferdeck", "bare"
BOUND_NS = 30_000_000
"""Server's latency constraint."""


def main(argv: list[str]) -> None:
    """Measure in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(prog="dlrm")
    parser.add_argument("--model", type=Path, help="a model file instead of the stand-in")
    parser.add_argument("--rows", type=int, default=1_000_000, help="to which the stand-in's tables are cut")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--max-cost", type=int, default=1200, help="pairs of a batch")
    parser.add_argument("--server-queries", type=int, default=0, help="of a trial; 0 leaves Server out")
    parser.add_argument("--score", type=int, default=0)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        if given.score:
            score(Path(name), given.score)
            return
        course = Course(Path(name), given)
        course.offline()
        if given.server_queries:
            course.server()


def score(folder: Path, pairs: int) -> None:
    """Measure the score of a log of so many pairs."""
    lengths = criteo_trace.lengths(pairs)
    np.save(folder / "offsets.npy", np.concatenate(([0], np.cumsum(lengths))))
    random = np.random.default_rng(SEED)
    with (folder / "log.json").open("wb") as file:
        for number, length in enumerate(lengths.tolist()):
            labels = random.random(length) < drawn_rows.CLICKED
            predictions = np.clip(0.1 * labels + random.random(length, np.float32), 0, 1)
            data = np.stack([predictions, labels], 1).astype("<f4").tobytes().hex().upper()
            start = ",\n" if number else "[\n"
            file.write(f'{start}{{ "seq_id" : {number}, "qsl_idx" : {number}, "data" : "{data}" }}'.encode())
        file.write(b"\n]\n")
    size = (folder / "log.json").stat().st_size / 1e9
    begun = time.perf_counter()
    line = recommendation.score(folder / "log.json", folder / "offsets.npy").text
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{size:.2f} GB: {seconds:.1f} s, {peak:.2f} GB at most: {line}", end="")
    one, other = random.random(pairs // 2, np.float32), random.random(pairs - pairs // 2, np.float32)
    begun = time.perf_counter()
    roc.area(one, other)
    print(f"the AUC alone, as many clicks as others: {time.perf_counter() - begun:.1f} s")


class Course:
    """The samples and the model, and who runs over them."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self._folder = folder
        self._given = given
        rows, samples = (self._made(name) for name in ("rows", "samples"))
        drawn_rows.generate(_step(rows, {"count": given.samples, "seed": SEED, "max_ind_range": 40_000_000}))
        needs = {"dataset": Artifact(str(rows), {"images": ""})}
        facts = recommendation.prepare(_step(samples, {"count": None, "max_ind_range": None}, needs))
        known = msgspec.convert(facts, SamplesFacts)
        self._samples = tuple(one for one in known.paths(samples) if isinstance(one, Ragged))
        self._count = known.count
        self._model = given.model or self._standin()
        print(f"{known.count} samples, {facts['pairs']} pairs")

    def _standin(self) -> Path:
        folder = self._made("model")
        facts = standin.standin(_step(folder, {"seed": SEED, "rows_per_table": self._given.rows}))
        print(facts["text"])
        return folder / str(facts["model"])

    def _made(self, name: str) -> Path:
        (self._folder / name).mkdir()
        return self._folder / name

    def offline(self) -> None:
        """Measure Offline."""
        found: dict[str, list[float]] = {}
        for number in range(self._given.repeats):
            bare = self._bare()
            rates = {
                BASELINE: self._rate(baseline=True),
                OURS: self._rate(),
                BARE: bare["samples_per_second"],
                "share beside the graph": bare["beside"],
            }
            for name, value in rates.items():
                found.setdefault(name, []).append(value)
                print(f"  {number + 1} {name:24}{value:10.3f}", flush=True)
        middle = {name: median(values) for name, values in found.items()}
        print(f"a further session takes {bare['private_bytes'] / 1e6:.0f} MB of its own")
        print(f"offline {middle[OURS] / middle[BASELINE]:.3f} x the baseline, {middle[OURS] / middle[BARE]:.3f} x bare")

    def server(self) -> None:
        """Search the highest rate of either whose 99th percentile is within the constraint."""
        rates = {who: self._highest(who) for who in (BASELINE, OURS)}
        for who, rate in rates.items():
            print(f"server {who:12}{rate:10.3f}/s")
        if rates[BASELINE]:
            print(f"server {rates[OURS] / rates[BASELINE]:.3f} x the baseline")

    def _highest(self, who: str) -> float:
        low, high = 0.0, self._rate(baseline=who == BASELINE)
        rate = 0.6 * high
        while high - low > 0.1 * high:
            late = self._late_ms(rate, baseline=who == BASELINE)
            print(f"  {who:12}{rate:8.3f}/s p99 {late:9.1f} ms", flush=True)
            low, high = (rate, high) if late <= BOUND_NS / 1e6 else (low, rate)
            rate = (low + high) / 2
        return low

    def _late_ms(self, rate: float, *, baseline: bool) -> float:
        count = self._given.server_queries
        values = self._run("Server", rate, baseline=baseline, min_query_count=count, target_latency_ns=BOUND_NS)
        return float(values["result_99.00_percentile_latency_ns"]) / 1e6

    def _rate(self, *, baseline: bool = False) -> float:
        values = self._run("Offline", 1.0, baseline=baseline, min_sample_count=self._count)
        return float(values["result_samples_per_second"])

    def _run(self, scenario: str, target: float, *, baseline: bool, **more: int) -> Mapping[str, Any]:
        module = "tests.benchmarks.dlrm_baseline_sut" if baseline else "engine.harness.main"
        return runs.harness(self._spec(scenario, target, **more), module)

    def _bare(self) -> Mapping[str, float]:
        path = self._folder / "bare.json"
        path.write_bytes(msgspec.json.encode(self._spec("Offline", 1.0)))
        words = [sys.executable, "-m", "tests.benchmarks.dlrm_bare", str(path)]
        done = subprocess.run(words, cwd=runs.ROOT, stdout=subprocess.PIPE, check=True, text=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def _spec(self, scenario: str, target: float, **more: int) -> RunSpec:
        given = self._given
        made = runs.settings(scenario, target, 0.0, **{"performance_sample_count": self._count, **more})
        sessions = given.sessions
        threads = max((os.cpu_count() or 1) // sessions, 1)
        return RunSpec(
            step="benchmark",
            benchmark="dlrm",
            sut_name="dlrm",
            qsl_name="drawn",
            settings=msgspec.structs.replace(made, scenario=cast(Scenario, scenario)),
            backend="engine.backends.onnxruntime",
            model=str(Path(self._model).absolute()),
            task="engine.tasks.recommendation",
            samples=self._samples,
            workers=Workers(
                sessions=sessions,
                intra_op_threads=threads,
                max_batch=16,
                max_cost=given.max_cost if scenario != "Server" else 700,
            ),
            mlperf_conf="",
            user_conf="",
            log_dir=str(self._folder / "log"),
        )


def _step(output: Path, options: Mapping[str, Any], inputs: Mapping[str, Artifact] | None = None) -> Step:
    return Step("benchmark", "Benchmark", options, inputs or {}, output, lambda _: None)
