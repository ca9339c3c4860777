"""The samples of the benchmark of question answering, and one run of each contestant over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.facts import Ragged
from engine.harness.spec import RunSpec, Workers
from engine.mlperf import Scenario
from tests.benchmarks import runs
from tests.benchmarks.bert_baseline_sut import LONGEST
from tests.benchmarks.contestants import Variant

SHARES = (0.02, 0.09, 0.17, 0.22, 0.17, 0.12, 0.08, 0.05, 0.03, 0.02, 0.03)
HISTOGRAM: Mapping[int, float] = dict(zip(range(64, 385, 32), SHARES, strict=True))
"""Upper end of a class of 32 tokens → its share. An assumption, not a count: SQuAD's dev set is not at hand here. It
has about the mean that is known of the 10,833 features, 180 tokens, and its samples of 384 tokens are those of contexts
that did not fit into one."""
SEED = 11

BASELINE = "baseline"
OUTPUTS = ("output_start_logits", "output_end_logits")


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
    """The samples, and who runs over them. A figure is samples/s of `offline`, or the mean in ms of `single`."""

    def __init__(self, folder: Path, model: Path, samples: int, sessions: int, max_batch: int) -> None:
        """Write the samples into `folder`. `model` is the baseline's; sessions and batch are the harness's."""
        self._folder = folder
        self._baseline = Variant("fp32", "onnxruntime", model)
        self._sessions = sessions
        self._max_batch = max_batch
        self._lengths = lengths(samples)
        np.save(folder / "offsets.npy", np.concatenate(([0], np.cumsum(self._lengths))))
        total = int(self._lengths.sum())
        ids = np.random.default_rng(SEED).integers(1000, 20_000, total)
        for number, values in enumerate((ids, np.ones(total, np.int64), np.zeros(total, np.int64))):
            np.save(folder / f"{number}.npy", values)
        self._samples = tuple(Ragged(f"{folder}/{one}.npy", f"{folder}/offsets.npy") for one in range(3))

    def described(self) -> str:
        """Say what the samples are, and what the rules' padding costs."""
        mean = self._lengths.mean()
        return f"{len(self._lengths)} samples, mean {mean:.0f} tokens; FLOP ratio {self.flop_ratio:.2f}"

    @property
    def flop_ratio(self) -> float:
        """How much more is computed where each sample is filled up to 384 tokens."""
        return float(flops(LONGEST) / flops(self._lengths).mean())

    def both(self, variant: Variant | None) -> Mapping[str, float]:
        """Measure Offline and SingleStream of the harness, or of the baseline for None."""
        values = self._run(variant, "Offline", 1.0, min_sample_count=len(self._lengths))
        return {"offline": float(values["result_samples_per_second"]), "single": self.single_ms(variant)}

    def single_ms(self, variant: Variant | None) -> float:
        """Return the mean latency in SingleStream of the harness, or of the baseline for None."""
        values = self._run(variant, "SingleStream", 1e8, min_query_count=len(self._lengths))
        return float(values["result_mean_latency_ns"]) / 1e6

    def bare(self, variant: Variant) -> Mapping[str, float]:
        """Measure the bare loop over the harness's batches."""
        path = self._folder / "bare.json"
        path.write_bytes(msgspec.json.encode(self._spec(variant, "Offline", 1.0)))
        words = [sys.executable, "-m", "tests.benchmarks.bert_bare", str(path)]
        done = subprocess.run(words, cwd=runs.ROOT, stdout=subprocess.PIPE, check=True, text=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def late_ms(self, variant: Variant, rate: float, queries: int, bound_ms: float) -> float:
        """Return the harness's 99th percentile in Server."""
        more = {"min_query_count": queries, "target_latency_ns": int(1e6 * bound_ms)}
        values = self._run(variant, "Server", rate, **more)
        return float(values["result_99.00_percentile_latency_ns"]) / 1e6

    def _run(self, variant: Variant | None, scenario: Scenario, target: float, **more: int) -> Mapping[str, Any]:
        module = "tests.benchmarks.bert_baseline_sut" if variant is None else "engine.harness.main"
        return runs.harness(self._spec(variant or self._baseline, scenario, target, **more), module)

    def _spec(self, variant: Variant, scenario: Scenario, target: float, **more: int) -> RunSpec:
        made = runs.settings(scenario, target, 0.0, **{"performance_sample_count": len(self._lengths), **more})
        return RunSpec(
            step="benchmark",
            benchmark="bert",
            sut_name="bert",
            qsl_name="drawn",
            settings=made,
            backend=variant.module,
            backend_options=dict(variant.settings),
            model=str(variant.model.absolute()),
            outputs=OUTPUTS,
            task="engine.tasks.question_answering",
            samples=self._samples,
            workers=self._workers(scenario),
            mlperf_conf="",
            user_conf="",
            log_dir=str(self._folder / "log"),
        )

    def _workers(self, scenario: Scenario) -> Workers:
        """All cores for each sample where latency counts: batches of few cores gain less than they make others wait."""
        alone = scenario in {"SingleStream", "Server"}
        sessions, batch = (1, 1) if alone else (self._sessions, self._max_batch)
        threads = max((os.cpu_count() or 1) // sessions, 1)
        return Workers(sessions=sessions, intra_op_threads=threads, max_batch=batch, max_cost=batch * LONGEST)
