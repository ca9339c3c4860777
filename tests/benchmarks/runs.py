"""LoadGen runs for the benchmarks: their specs, their processes, and the numbers in their logs."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import numpy as np
import psutil

from engine.harness.spec import LoadGenSettings, RunSpec, Workers
from engine.mlperf import Scenario
from engine.mlperf_logs import detail

ROOT = Path(__file__).parents[2]
T = TypeVar("T")

BATCH = 1024
SAMPLES = 1024
SEEDS = {"qsl_rng_seed": 1, "sample_index_rng_seed": 2, "schedule_rng_seed": 3}


OTHERS = 0.06
"""Cores that other processes may use during a measurement."""
ATTEMPTS = 12

_SYSTEM = ("user", "nice", "system", "irq", "softirq")


def settings(scenario: str, target: float, seconds: float, **more: Any) -> LoadGenSettings:
    """Performance settings. `target` is queries/s in Server and Offline, else the expected latency in ns."""
    values: dict[str, Any] = {
        "scenario": scenario,
        "mode": "performance",
        "min_duration_ms": int(seconds * 1000),
        "min_query_count": 1,
        "performance_sample_count": SAMPLES,
        **SEEDS,
    }
    if scenario == "Server":
        values |= {"target_qps": target, "target_latency_ns": 15_000_000, "target_latency_percentile": 0.99}
    elif scenario == "Offline":
        values |= {"target_qps": target}
    else:
        values |= {"target_latency_ns": int(target)}
    return LoadGenSettings(**{**values, **more})


def null_spec(
    folder: Path, scenario: str, target: float, seconds: float, shape: tuple[int, ...] = (4,), sessions: int = 1
) -> RunSpec:
    """A run of the null backend through the real task of ResNet-50, over float32 samples of this shape."""
    samples = folder / f"samples-{'x'.join(map(str, shape))}.npy"
    if not samples.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(samples, np.zeros((SAMPLES, *shape), np.float32))
    batch = BATCH if scenario == "Offline" else 32
    return RunSpec(
        step="benchmark",
        benchmark="resnet50",
        sut_name="null",
        qsl_name="zeros",
        settings=settings(cast(Scenario, scenario), target, seconds),
        backend="engine.backends.null",
        backend_options={"inputs": f"input:float32:{','.join(map(str, shape))}", "outputs": "ArgMax:int64:"},
        model="null",
        task="engine.tasks.image_classification",
        task_options={"label_offset": 1},
        samples=(str(samples),),
        workers=Workers(sessions=sessions, intra_op_threads=1, max_batch=batch),
        mlperf_conf="",
        user_conf="",
        log_dir=str(folder / "log"),
    )


def harness(spec: RunSpec, module: str = "engine.harness.main") -> Mapping[str, Any]:
    """Run the harness, or another module that takes a spec, and return its detail log's values."""
    path = Path(spec.log_dir).with_name("spec.json")
    path.write_bytes(msgspec.json.encode(spec))
    (Path(spec.log_dir) / "run.json").unlink(missing_ok=True)
    process(module, [str(path)])
    return read(Path(spec.log_dir))


def process(module: str, words: Sequence[str]) -> None:
    """Run a module of this tree to its end; its output is thrown away, its errors are shown."""
    places = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", module, *words]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": places}, stdout=subprocess.DEVNULL, check=True)


def undisturbed(measure: Callable[[], T], attempts: int = ATTEMPTS) -> T:
    """Measure, again and again while other processes take processor time; the last attempt counts as it is."""
    for _ in range(attempts):
        others, start = _others(), time.monotonic()
        result = measure()
        if _others() - others <= OTHERS * (time.monotonic() - start):
            return result
        time.sleep(2)
    if attempts:
        print(f"other processes did not give way in {attempts} attempts", file=sys.stderr)
    return measure()


def _others() -> float:
    """Return the processor seconds of everything but this process and its finished children."""
    total = sum(getattr(psutil.cpu_times(), name, 0.0) for name in _SYSTEM)
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return total - sum(usage.ru_utime + usage.ru_stime for usage in own)


def read(folder: Path) -> Mapping[str, Any]:
    """Return the values of a detail log by key."""
    return {message.key: message.value for message in detail.read(folder / "mlperf_log_detail.txt").messages}
