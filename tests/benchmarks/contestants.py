"""Who takes part in the side-by-side benchmark, and one run of each: the harness, the baseline and the bare loop."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.backends import onnxruntime
from engine.backends.base import BackendOptions
from engine.errors import InferdeckError
from engine.harness.conf import mlperf_conf, user_conf
from engine.harness.settings import Overrides, settings
from engine.harness.spec import RunSpec, Workers
from engine.mlperf import Scenario
from engine.profile.rounds import Round
from tests.benchmarks import reference_sut, runs

BENCHMARK = "resnet50"
SAMPLES = 128
PRECISION = "INFERENCE_PRECISION_HINT"
"""OpenVINO's property."""

HARNESS = "engine.harness.main"
BASELINE = "tests.benchmarks.reference_sut"


@dataclass(frozen=True)
class Variant:
    """A model as one backend runs it."""

    precision: str
    """fp32, bf16 or int8."""
    backend: str
    model: Path
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The backend's own."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        return f"{self.precision} {self.backend}"

    @property
    def module(self) -> str:
        """The backend's module."""
        return f"engine.backends.{self.backend}"


class Candidate(NamedTuple):
    """How a bare loop shares the machine out."""

    sessions: int
    threads: int
    batch: int
    cores: tuple[tuple[int, ...], ...] = ()

    def __str__(self) -> str:
        return f"{self.sessions}x{self.threads}x{self.batch}{' pinned' if self.cores else ''}"


def candidate(workers: Workers) -> Candidate:
    """Return the bare loop that shares the machine out as workers do."""
    return Candidate(workers.sessions, workers.intra_op_threads, workers.max_batch, workers.cores)


def variants(model: Path, int8: Path | None, backends: Sequence[str], output: str) -> tuple[list[Variant], list[str]]:
    """Return what can be measured here, and a line for each that can't."""
    wanted = []
    for backend in backends:
        wanted.append(Variant("fp32", backend, model))
        if backend == "openvino":
            wanted.append(Variant("bf16", backend, model, {PRECISION: "bf16"}))
        if int8:
            wanted.append(Variant("int8", backend, int8))
    found, left_out = [], [] if int8 else ["int8: no model was given (--int8=MODEL.onnx)"]
    for variant in wanted:
        try:
            backend_module = importlib.import_module(variant.module)
            options = BackendOptions(outputs=(output,), extra=variant.settings)
            backend_module.load(variant.model, options).close()
        except (ImportError, InferdeckError) as error:
            left_out.append(f"{variant.name}: {'; '.join(str(error).splitlines())}")
        else:
            found.append(variant)
    return found, left_out


@dataclass(frozen=True)
class Course:
    """What all runs have in common."""

    folder: Path
    samples: Path
    output: str
    seconds: float
    bound_ms: int
    """Server's latency bound, in place of the benchmark's 15 ms, which two cores can't meet."""
    rules: Round

    def run(
        self, module: str, variant: Variant, scenario: Scenario, workers: Workers, target: float, **more: Any
    ) -> Mapping[str, Any]:
        """Measure once with HARNESS or BASELINE and return the values of the detail log.

        `target` is in the unit of the scenario. In Offline it sizes the query, which is a whole number of rounds for
        the baseline's threads, so that none of them ends alone.
        """
        place = self.folder / "run"
        place.mkdir(exist_ok=True)
        return runs.harness(self._spec(place / "log", variant, scenario, workers, target, more), module)

    def bare(
        self, variant: Variant, candidate: Candidate, batches: Sequence[int], seconds: float
    ) -> list[dict[str, float]]:
        """Measure the bare loop with these batch sizes in place of the way's; `samples_per_second` and `mean_ms`."""
        words = [str(variant.model), self.output, str(candidate.sessions), str(candidate.threads)]
        words += [",".join(map(str, batches)), str(seconds), f"--backend={variant.backend}"]
        words += [f"--precision={variant.settings.get(PRECISION, 'f32')}"]
        if candidate.cores:
            words += [f"--cores={'/'.join(','.join(map(str, group)) for group in candidate.cores)}"]
        command = [sys.executable, "-m", "tests.benchmarks.bare_session", *words]
        done = subprocess.run(command, cwd=runs.ROOT, stdout=subprocess.PIPE, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _spec(
        self,
        log: Path,
        variant: Variant,
        scenario: Scenario,
        workers: Workers,
        target: float,
        more: Mapping[str, Any],
    ) -> RunSpec:
        over: dict[str, Any] = {"min_duration_ms": round(self.seconds * 1000), **more}
        if scenario == "Offline":
            piece = reference_sut.MAX_BATCH * (os.cpu_count() or 1)
            count = max(1, round(target * self.seconds / piece)) * piece
            # LoadGen makes the query a tenth longer than the duration needs at this target.
            over |= {"min_query_count": count, "target_qps": 0.9 * count / self.seconds}
        elif scenario == "Server":
            # As long as its queries take: the limit of the style, which would make a slow run invalid, is off then.
            lasting = max(over["min_duration_ms"], round(1000 * over.get("min_query_count", 0) / target))
            over |= {"target_qps": target, "target_latency_ms": self.bound_ms, "min_duration_ms": lasting}
        else:
            over |= {"min_query_count": 1, "target_latency_ms": target}
        made = settings(
            self.rules,
            BENCHMARK,
            scenario,
            "performance",
            "fast",
            sample_count=len(np.load(self.samples, mmap_mode="r")),
            overrides=Overrides(**over),
        )
        return RunSpec(
            step="benchmark",
            benchmark=self.rules.benchmark(BENCHMARK).loadgen_model,
            sut_name="side-by-side",
            qsl_name=BENCHMARK,
            settings=made,
            backend=variant.module,
            backend_options=dict(variant.settings),
            model=str(variant.model),
            outputs=(self.output,),
            task="engine.tasks.image_classification",
            task_options={"label_offset": 1},
            samples=(str(self.samples),),
            workers=workers,
            mlperf_conf=mlperf_conf(self.rules),
            user_conf=user_conf(self.rules, BENCHMARK, made),
            log_dir=str(log),
        )


def noise(folder: Path, model: Path) -> Path:
    """Write samples of noise for a model's input and return their file."""
    runner = onnxruntime.load(model, BackendOptions())
    sizes = [size or 1 for size in runner.inputs[0].shape[1:]]
    runner.close()
    path = folder / "samples.npy"
    np.save(path, np.random.default_rng(0).random((SAMPLES, *sizes), np.float32))
    return path
