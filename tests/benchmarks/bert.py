"""Question answering beside a baseline that works as the rules' reference does: `python -m tests.benchmarks bert`.

`--model=MODEL.onnx` is BERT (the stand-in of the true size, or the published file), `--int8` the same in int8. All take
turns; what is printed are ratios to the baseline. The lengths of the samples are drawn from HISTOGRAM; by their FLOPs
the baseline, which computes 384 tokens for each, does so many times the work that is needed: the ceiling of fp32.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, cast

import msgspec
import numpy as np

from engine.facts import Ragged
from engine.harness.spec import RunSpec, Workers
from engine.mlperf import Scenario
from tests.benchmarks import runs
from tests.benchmarks.bert_baseline_sut import LONGEST

SHARES = (0.02, 0.09, 0.17, 0.22, 0.17, 0.12, 0.08, 0.05, 0.03, 0.02, 0.03)
HISTOGRAM: Mapping[int, float] = dict(zip(range(64, 385, 32), SHARES, strict=True))
"""Upper end of a class of 32 tokens → its share. An assumption, not a count: SQuAD's dev set is not at hand here. It
has about the mean that is known of the 10,833 features, 180 tokens, and its samples of 384 tokens are those of contexts
that did not fit into one."""
SEED = 11

BASELINE, BARE = "baseline", "bare"
OUTPUTS = ("output_start_logits", "output_end_logits")


def main(argv: list[str]) -> None:
    """Measure in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(prog="bert")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--int8", type=Path)
    parser.add_argument("--backend", default="onnxruntime", help="that runs the int8 model, too")
    parser.add_argument("--samples", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--max-batch", type=int, default=4)
    parser.add_argument("--server-queries", type=int, default=0, help="of a trial; 0 leaves Server out")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        course = Course(Path(name), given)
        print(course.described())
        course.in_turn()
        if given.server_queries:
            course.server()


def lengths(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Draw lengths in tokens, int64 [count]."""
    random = np.random.default_rng(SEED)
    ends = random.choice(list(HISTOGRAM), count, p=list(HISTOGRAM.values()))
    return np.where(ends == LONGEST, LONGEST, ends - random.integers(0, 32, count))


def flops(tokens: Any) -> Any:
    """Return the floating point operations of BERT-Large: 24 layers of 12 h^2 weights, and the attention's 2 h L."""
    hidden, layers = 1024, 24
    return 2 * layers * (12 * hidden**2 * tokens + 2 * hidden * tokens**2)


class Course:
    """The samples, and who runs over them."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self._folder = folder
        self._given = given
        self._lengths = lengths(given.samples)
        np.save(folder / "offsets.npy", np.concatenate(([0], np.cumsum(self._lengths))))
        total = int(self._lengths.sum())
        ids = np.random.default_rng(SEED).integers(1000, 20_000, total)
        for number, values in enumerate((ids, np.ones(total, np.int64), np.zeros(total, np.int64))):
            np.save(folder / f"{number}.npy", values)
        self._samples = tuple(Ragged(f"{folder}/{one}.npy", f"{folder}/offsets.npy") for one in range(3))

    def described(self) -> str:
        """Say what the samples are, and what the rules' padding costs."""
        ratio = flops(LONGEST) / flops(self._lengths).mean()
        return f"{len(self._lengths)} samples, mean {self._lengths.mean():.0f} tokens; FLOP ratio {ratio:.2f}"

    def in_turn(self) -> None:
        """Measure Offline and SingleStream."""
        models = {"fp32": self._given.model, **({"int8": self._given.int8} if self._given.int8 else {})}
        found: dict[str, list[float]] = {}
        for number in range(self._given.repeats):
            for name, value in self._round(models).items():
                found.setdefault(name, []).append(value)
                print(f"  {number + 1} {name:28}{value:10.3f}", flush=True)
        middle = {name: median(values) for name, values in found.items()}
        for name, value in middle.items():
            figure = name.partition(" ")[0]
            print(f"{name:30}{value:10.3f}{value / middle[f'{figure} {BASELINE}']:8.3f} x the baseline")

    def _round(self, models: Mapping[str, Path]) -> dict[str, float]:
        found = {
            f"offline {BASELINE}": self._offline(self._given.model, baseline=True),
            f"single {BASELINE}": self._single(self._given.model, baseline=True),
        }
        for name, model in models.items():
            found[f"offline {name}"] = self._offline(model)
            found[f"single {name}"] = self._single(model)
            bare = self._bare(model)
            found |= {f"offline {BARE} {name}": bare["samples_per_second"], f"single {BARE} {name}": bare["mean_ms"]}
        return found

    def server(self) -> None:
        """Search the highest rate whose 99th percentile is within twice the baseline's mean latency."""
        bound_ms = 2 * self._single(self._given.model, baseline=True)
        print(f"Server, constraint {bound_ms:.0f} ms")
        rates = {
            who: self._highest(who, model, bound_ms)
            for who, model in (
                (BASELINE, self._given.model),
                ("fp32", self._given.model),
                *((("int8", self._given.int8),) if self._given.int8 else ()),
            )
        }
        for who, rate in rates.items():
            print(f"server {who:22}{rate:10.3f}{rate / rates[BASELINE]:8.3f} x the baseline")

    def _highest(self, who: str, model: Path, bound_ms: float) -> float:
        low, high = 0.0, 1.0 * self._offline(model, baseline=who == BASELINE)
        rate = 0.6 * high
        while high - low > 0.1 * high:
            late = self._late_ms(model, rate, bound_ms, baseline=who == BASELINE)
            print(f"  {who:12}{rate:8.3f}/s p99 {late:9.1f} ms", flush=True)
            low, high = (rate, high) if late <= bound_ms else (low, rate)
            rate = (low + high) / 2
        return low

    def _late_ms(self, model: Path, rate: float, bound_ms: float, *, baseline: bool) -> float:
        count = self._given.server_queries
        values = self._run(
            model, "Server", rate, baseline=baseline, min_query_count=count, target_latency_ns=int(1e6 * bound_ms)
        )
        return float(values["result_99.00_percentile_latency_ns"]) / 1e6

    def _offline(self, model: Path, *, baseline: bool = False) -> float:
        count = len(self._lengths)
        values = self._run(model, "Offline", 1.0, baseline=baseline, min_sample_count=count)
        return float(values["result_samples_per_second"])

    def _single(self, model: Path, *, baseline: bool = False) -> float:
        values = self._run(model, "SingleStream", 1e8, baseline=baseline, min_query_count=len(self._lengths))
        return float(values["result_mean_latency_ns"]) / 1e6

    def _run(self, model: Path, scenario: str, target: float, *, baseline: bool, **more: int) -> Mapping[str, Any]:
        module = "tests.benchmarks.bert_baseline_sut" if baseline else "engine.harness.main"
        return runs.harness(self._spec(model, scenario, target, **more), module)

    def _bare(self, model: Path) -> Mapping[str, float]:
        path = self._folder / "bare.json"
        path.write_bytes(msgspec.json.encode(self._spec(model, "Offline", 1.0)))
        words = [sys.executable, "-m", "tests.benchmarks.bert_bare", str(path)]
        done = subprocess.run(words, cwd=runs.ROOT, stdout=subprocess.PIPE, check=True, text=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def _spec(self, model: Path, scenario: str, target: float, **more: int) -> RunSpec:
        count = len(self._lengths)
        made = runs.settings(scenario, target, 0.0, **{"performance_sample_count": count, **more})
        given = self._given
        sessions = 1 if scenario == "SingleStream" else given.sessions
        threads = max((os.cpu_count() or 1) // sessions, 1)
        return RunSpec(
            step="benchmark",
            benchmark="bert",
            sut_name="bert",
            qsl_name="drawn",
            settings=msgspec.structs.replace(made, scenario=cast(Scenario, scenario)),
            backend=f"engine.backends.{given.backend}",
            model=str(model.absolute()),
            outputs=OUTPUTS,
            task="engine.tasks.question_answering",
            samples=self._samples,
            workers=Workers(
                sessions=sessions,
                intra_op_threads=threads,
                max_batch=given.max_batch,
                max_cost=given.max_batch * LONGEST,
            ),
            mlperf_conf="",
            user_conf="",
            log_dir=str(self._folder / "log"),
        )
