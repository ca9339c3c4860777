"""What measuring a real model through the harness costs, against a bare loop over `InferenceSession.run`.

The best ways of sharing the machine out are looked for first; the bare loop is measured with the best few of them and
its best counts. Bare and harness take turns, and the median of the rounds' ratios is what counts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from engine.backends import onnxruntime
from engine.backends.base import BackendOptions
from engine.harness.spec import RunSpec, Workers
from engine.tuning.tune import choose_workers
from engine.tuning.tuned import Tuned
from tests.benchmarks import runs

OFFLINE_RATIO = 0.97
SINGLE_STREAM_RATIO = 1.02
CANDIDATES = 3
SAMPLES = {"resnet50": 128, "retinanet": 16}
"""As many as fit the memory beside the sessions of a small machine."""
DETECTIONS = "boxes,scores,labels"

BARE = "bare, sessions x threads x batch "
OFFLINE = "harness, samples/s"
BARE_STREAM = "single bare run, ms"
STREAM = "harness, SingleStream, ms"


def main(argv: list[str]) -> None:
    """Print a table for `--model`, a classifier or detector of pictures with one float32 input."""
    parser = argparse.ArgumentParser(prog="offline")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--benchmark", choices=tuple(SAMPLES), default="resnet50")
    parser.add_argument("--output", help="the output of a classifier; by default the first one of whole numbers")
    parser.add_argument("--seconds", type=float, default=6.0, help="duration of one run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tune-seconds", type=float, default=30.0)
    arguments = parser.parse_args(argv)
    model = arguments.model.absolute()
    outputs = DETECTIONS if arguments.benchmark == "retinanet" else arguments.output or first_output(model)
    subject = Subject(arguments.benchmark, model, outputs)
    options = BackendOptions(outputs=tuple(outputs.split(",")))
    tuned = choose_workers(onnxruntime, model, options, seconds=arguments.tune_seconds, samples_per_query=8)
    print(
        f"Offline workers: {tuned.workers['Offline']}\nSingleStream workers: {tuned.workers['SingleStream']}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as name:
        measures = _measures(Path(name), subject, tuned, arguments.seconds)
        rows: dict[str, list[float]] = {label: [] for label in measures}
        for _ in range(arguments.rounds):
            for label, measure in measures.items():
                rows[label].append(runs.undisturbed(measure))
    for label, figures in rows.items():
        print(f"{label:40}{median(figures):12.3f}   {' '.join(f'{figure:.2f}' for figure in figures)}")
    bare = max((figures for label, figures in rows.items() if label.startswith(BARE)), key=median)
    print(f"Offline, harness / best bare loop: {_ratio(rows[OFFLINE], bare):.4f} (target >= {OFFLINE_RATIO})")
    stream = _ratio(rows[STREAM], rows[BARE_STREAM])
    print(f"SingleStream, harness / bare run: {stream:.4f} (target <= {SINGLE_STREAM_RATIO})")


class Subject(NamedTuple):
    """What is measured."""

    benchmark: str
    model: Path
    outputs: str
    """By ','."""


def _measures(folder: Path, subject: Subject, tuned: Tuned, seconds: float) -> dict[str, Callable[[], float]]:
    """Return what is measured in each round, in this order."""
    best = sorted((trial for trial in tuned.table if not trial.pinned), key=lambda trial: -trial.samples_per_second)
    target, single = best[0].samples_per_second, tuned.workers["SingleStream"]
    offline = _spec(folder, subject, "Offline", tuned.workers["Offline"], target, seconds)
    stream = _spec(folder, subject, "SingleStream", single, 1e9 / target, seconds)
    candidates = [(trial.sessions, trial.intra_op_threads, trial.batch) for trial in best[:CANDIDATES]]
    return {
        **{
            f"{BARE}{candidate}": partial(_bare, subject, candidate, seconds, "samples_per_second")
            for candidate in candidates
        },
        OFFLINE: lambda: float(runs.harness(offline)["result_samples_per_second"]),
        BARE_STREAM: partial(_bare, subject, (1, single.intra_op_threads, 1), seconds, "mean_ms"),
        STREAM: lambda: float(runs.harness(stream)["result_mean_latency_ns"]) / 1e6,
    }


def _ratio(figures: list[float], others: list[float]) -> float:
    """Return the median of the rounds' ratios: what disturbs a whole round cancels out."""
    return median(figure / other for figure, other in zip(figures, others, strict=True))


def first_output(model: Path) -> str:
    """Return the first output of whole numbers, else the first."""
    runner = onnxruntime.load(model, BackendOptions())
    names = [spec.name for spec in runner.outputs if spec.dtype.startswith("int")] or [runner.outputs[0].name]
    runner.close()
    return names[0]


def _spec(folder: Path, subject: Subject, scenario: str, workers: Workers, target: float, seconds: float) -> RunSpec:
    runner = onnxruntime.load(subject.model, BackendOptions())
    sizes = [size or 1 for size in runner.inputs[0].shape[1:]]
    runner.close()
    samples, count = folder / "samples.npy", SAMPLES[subject.benchmark]
    if not samples.exists():
        np.save(samples, np.random.default_rng(0).random((count, *sizes), np.float32))
    detects = subject.benchmark == "retinanet"
    place = folder / scenario
    place.mkdir(exist_ok=True)
    return RunSpec(
        step="benchmark",
        benchmark=subject.benchmark,
        sut_name="bare",
        qsl_name="noise",
        settings=runs.settings(scenario, target, seconds, performance_sample_count=count),
        backend="engine.backends.onnxruntime",
        model=str(subject.model),
        outputs=tuple(subject.outputs.split(",")),
        task=f"engine.tasks.{'object_detection' if detects else 'image_classification'}",
        task_options={"image_size": sizes[-1]} if detects else {"label_offset": 1},
        samples=(str(samples),),
        workers=workers,
        mlperf_conf="",
        user_conf="",
        log_dir=str(place / "log"),
    )


def _bare(subject: Subject, candidate: tuple[int, int, int], seconds: float, figure: str) -> float:
    words = [str(subject.model), subject.outputs, *map(str, candidate), str(seconds)]
    command = [sys.executable, "-m", "tests.benchmarks.bare_session", *words]
    done = subprocess.run(command, cwd=runs.ROOT, stdout=subprocess.PIPE, check=True)
    return float(json.loads(done.stdout)[figure])


if __name__ == "__main__":
    main(sys.argv[1:])
