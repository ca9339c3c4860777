"""What measuring a frozen graph through the harness gives, beside bare TensorFlow at its best.

The harness shares the machine out as it does in every measurement; of the bare loop every way of callers and threads
is tried, with the harness's batch and with eight, and the best counts. Bare and harness take turns, and the median of
the rounds' ratios is what counts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from engine.backends import tensorflow
from engine.backends.base import BackendOptions, TensorSpec
from engine.harness.cores import physical, usable
from engine.harness.spec import RunSpec, Workers
from engine.tuning.tune import choose_workers
from tests.benchmarks import runs

OFFLINE_RATIO = 0.98
SINGLE_STREAM_RATIO = 1.01
SAMPLES = 128
BATCH = 8

Candidate = tuple[int, int, int]
"""Callers, threads and batch."""


def main(argv: list[str]) -> None:
    """Print a table for `--model`, the frozen graph of a classifier with one float32 input whose batch is open."""
    parser = argparse.ArgumentParser(prog="tensorflow")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", default="ArgMax:0")
    parser.add_argument("--seconds", type=float, default=6.0, help="duration of one run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tune-seconds", type=float, default=30.0)
    given = parser.parse_args(argv)
    model, seconds = given.model.absolute(), given.seconds
    tuned = choose_workers(
        tensorflow, model, BackendOptions(outputs=(given.output,)), seconds=given.tune_seconds, samples_per_query=8
    )
    offline, single = tuned.workers["Offline"], tuned.workers["SingleStream"]
    print(f"Offline workers: {offline}\nSingleStream workers: {single}", flush=True)
    rate = max(trial.samples_per_second for trial in tuned.table)
    with tempfile.TemporaryDirectory() as name:
        spec = partial(_spec, Path(name), model, given.output, seconds)
        bare = partial(_bare, model, _input(model, given.output).name, given.output, seconds)
        samples = {
            f"bare {candidate}": partial(bare, "samples_per_second", candidate)
            for candidate in _candidates(offline.max_batch)
        }
        samples |= {"harness": partial(_offline, spec("Offline", offline, rate))}
        times = {
            f"bare {candidate}": partial(bare, "mean_ms", candidate)
            for candidate in _candidates(1)
            if candidate[0] == 1 and candidate[2] == 1
        }
        times |= {"harness": partial(_single_stream, spec("SingleStream", single, 1e9 / rate))}
        ratio = _compare("Offline, samples/s", samples, given.rounds, max)
        print(f"Offline, harness / best bare loop: {ratio:.4f} (target >= {OFFLINE_RATIO})", flush=True)
        ratio = _compare("SingleStream, ms", times, given.rounds, min)
        print(f"SingleStream, harness / best bare loop: {ratio:.4f} (target <= {SINGLE_STREAM_RATIO})")


def _compare(
    title: str, measures: Mapping[str, Callable[[], float]], rounds: int, best: Callable[..., list[float]]
) -> float:
    """Let all take turns, print their figures, and return the median of harness / best bare loop over the rounds."""
    figures: dict[str, list[float]] = {label: [] for label in measures}
    for _ in range(rounds):
        for label, measure in measures.items():
            figures[label].append(runs.undisturbed(measure))
    print(title)
    for label, found in figures.items():
        print(f"  {label:24}{median(found):12.3f}   {' '.join(f'{figure:.2f}' for figure in found)}")
    harness = figures.pop("harness")
    return median(mine / other for mine, other in zip(harness, best(figures.values(), key=median), strict=True))


def _candidates(batch: int) -> list[Candidate]:
    cores = len(physical(usable()))
    shares = dict.fromkeys([(1, 1), (1, cores), (cores, 1), (cores, cores)])
    return [(*share, size) for size in dict.fromkeys((batch, BATCH)) for share in shares]


def _input(model: Path, output: str) -> TensorSpec:
    runner = tensorflow.load(model, BackendOptions(outputs=(output,)))
    spec = runner.inputs[0]
    runner.close()
    return spec


def _spec(
    folder: Path, model: Path, output: str, seconds: float, scenario: str, workers: Workers, target: float
) -> RunSpec:
    samples, place = folder / "samples.npy", folder / scenario
    if not samples.exists():
        sizes = [size or 1 for size in _input(model, output).shape[1:]]
        np.save(samples, np.random.default_rng(0).random((SAMPLES, *sizes), np.float32))
    place.mkdir()
    return RunSpec(
        step="benchmark",
        benchmark="resnet50",
        sut_name="bare",
        qsl_name="noise",
        settings=runs.settings(scenario, target, seconds, performance_sample_count=SAMPLES),
        backend="engine.backends.tensorflow",
        model=str(model),
        outputs=(output,),
        task="engine.tasks.image_classification",
        task_options={"label_offset": 1},
        samples=(str(samples),),
        workers=workers,
        mlperf_conf="",
        user_conf="",
        log_dir=str(place / "log"),
    )


def _offline(spec: RunSpec) -> float:
    return float(runs.harness(spec)["result_samples_per_second"])


def _single_stream(spec: RunSpec) -> float:
    return float(runs.harness(spec)["result_mean_latency_ns"]) / 1e6


def _bare(model: Path, name: str, output: str, seconds: float, figure: str, candidate: Candidate) -> float:
    words = [str(model), name, output, *map(str, candidate), str(seconds)]
    command = [sys.executable, "-m", "tests.benchmarks.bare_tensorflow", *words]
    done = subprocess.run(command, cwd=runs.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return float(json.loads(done.stdout)[figure])


if __name__ == "__main__":
    main(sys.argv[1:])
