"""Segmentation beside a baseline that works as the rules' reference does: `python -m tests.benchmarks 3d-unet`.

`--model=MODEL.onnx` is 3D U-Net (the stand-in of the true size, or the published file). Volumes of noise take turns
through the baseline, our program and a bare loop over the graph; printed are seconds of a window, ratios to the
baseline, the largest resident set of each process, and what blending takes. A round takes minutes, so figures may be
kept in a file (`--keep`) and the parts of a round measured apart (`--parts`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple, cast

import msgspec
import numpy as np

from engine.facts import Ragged
from engine.harness.spec import RunSpec, Workers
from engine.mlperf import Scenario
from engine.mlperf_logs import detail
from engine.tasks.windows import Blend, patch, places
from tests.benchmarks import runs

SIZE, STRIDE = (128, 128, 128), (64, 64, 64)

BASELINE, BLENDING = "baseline", "blending"
PARTS = (BASELINE, "fp32", "best", "bare", BLENDING)


class How(NamedTuple):
    """Who runs the model."""

    backend: str
    precision: str
    sessions: int
    threads: int
    batch: int

    @classmethod
    def read(cls, text: str) -> How:
        """Read BACKEND:PRECISION:SESSIONSxTHREADSxBATCH."""
        backend, precision, shared = text.split(":")
        return cls(backend, precision, *(int(word) for word in shared.split("x")))


def main(argv: list[str]) -> None:
    """Measure in turn and print medians and ratios."""
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(prog="3d-unet")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument(
        "--shapes",
        type=lambda text: [tuple(map(int, word.split("x"))) for word in text.split(",")],
        default=[(192, 192, 192), (128, 128, 192)],
        help="of the volumes; SingleStream takes the first only",
    )
    parser.add_argument("--fp32", type=How.read, default=How("onnxruntime", "f32", 1, cores, 1))
    parser.add_argument("--best", type=How.read, default=How("openvino", "bf16", 1, cores, 1))
    parser.add_argument("--bare", type=lambda text: [How.read(word) for word in text.split(",")], default=[])
    parser.add_argument("--bare-seconds", type=float, default=15.0)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=PARTS)
    parser.add_argument("--scenarios", type=lambda text: text.split(","), default=["Offline", "SingleStream"])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a JSON file to which figures are added")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        course = Course(Path(name), given)
        for _ in range(given.repeats):
            course.round()
        course.report()


class Course:
    """The volumes, and who runs over them."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self._folder = folder
        self._given = given
        keep: Path | None = given.keep
        kept = json.loads(keep.read_text()) if keep and keep.exists() else {}
        self._found: dict[str, list[float]] = kept
        self._windows = [len(places(shape, SIZE, STRIDE)) for shape in given.shapes]
        rng = np.random.default_rng(0)
        values = [rng.standard_normal(int(np.prod(shape)), np.float32) for shape in given.shapes]
        np.save(folder / "values.npy", np.concatenate(values))
        np.save(folder / "offsets.npy", np.cumsum([0, *(len(one) for one in values)]))
        np.save(folder / "shapes.npy", np.array(given.shapes))

    def round(self) -> None:
        """Measure each part once."""
        given = self._given
        for part in given.parts:
            if part == BLENDING:
                self._add("blending seconds a window", blending(given.shapes[0]))
            elif part == "bare":
                for how in given.bare or [given.fp32, given.best]:
                    self._add(f"bare {name_of(how)}", self._bare(how))
            else:
                for scenario in given.scenarios:
                    self._measure(part, scenario)

    def report(self) -> None:
        """Print medians, and ratios to the baseline's seconds of a window."""
        middle = {name: median(values) for name, values in self._found.items()}
        for name, value in middle.items():
            scenario = "SingleStream" if "SingleStream" in name else "Offline"
            base = middle.get(f"{scenario} {BASELINE}")
            ratio = "" if base is None or name.endswith("GB") else f"{base / value:9.3f} x as fast as the baseline"
            print(f"{name:44}{value:10.4f}{ratio}  ({len(self._found[name])})")

    def _add(self, name: str, value: float) -> None:
        self._found.setdefault(name, []).append(value)
        print(f"  {name:42}{value:10.4f}", flush=True)
        if self._given.keep:
            self._given.keep.write_text(json.dumps(self._found, indent=1))

    def _measure(self, part: str, scenario: str) -> None:
        given = self._given
        how: How = given.fp32 if part == BASELINE else getattr(given, part)
        who = BASELINE if part == BASELINE else f"ours {name_of(how)}"
        spec = self._spec(how, scenario)
        log = Path(spec.log_dir)
        (log / "run.json").unlink(missing_ok=True)
        module = "tests.benchmarks.unet_baseline_sut" if part == BASELINE else "engine.harness.main"
        most = peak(module, spec, log.with_name("spec.json"))
        values = {one.key: one.value for one in detail.read(log / "mlperf_log_detail.txt").messages}
        if scenario == "Offline":
            seconds = len(given.shapes) / float(values["result_samples_per_second"]) / sum(self._windows)
        else:
            seconds = float(values["result_mean_latency_ns"]) / 1e9 / self._windows[0]
        self._add(f"{scenario} {who}", seconds)
        self._add(f"{scenario} {who}, peak GB", most / 1e9)

    def _bare(self, how: How) -> float:
        """Return the seconds of a window of the bare graph, all sessions together."""
        words = [str(self._given.model), "output", str(how.sessions), str(how.threads), str(how.batch)]
        words += [str(self._given.bare_seconds), f"--backend={how.backend}", f"--precision={how.precision}"]
        command = [sys.executable, "-m", "tests.benchmarks.bare_session", *words]
        done = subprocess.run(command, cwd=runs.ROOT, stdout=subprocess.PIPE, check=True)
        found: Mapping[str, float] = json.loads(done.stdout)
        return 1 / found["samples_per_second"]

    def _spec(self, how: How, scenario: str) -> RunSpec:
        count = len(self._given.shapes) if scenario == "Offline" else 1
        target = 1e-9 if scenario == "Offline" else 1e12
        made = runs.settings(scenario, target, 0.0, performance_sample_count=count, min_query_count=count)
        folder = self._folder
        return RunSpec(
            step="benchmark",
            benchmark="3d-unet",
            sut_name="3d-unet",
            qsl_name="noise",
            settings=msgspec.structs.replace(made, scenario=cast(Scenario, scenario)),
            backend=f"engine.backends.{how.backend}",
            backend_options={"INFERENCE_PRECISION_HINT": how.precision} if how.backend == "openvino" else {},
            model=str(self._given.model.absolute()),
            outputs=("output",),
            task="engine.tasks.medical_segmentation",
            samples=(self._files(count),),
            workers=Workers(sessions=how.sessions, intra_op_threads=how.threads, max_batch=how.batch),
            mlperf_conf="",
            user_conf="",
            log_dir=str(folder / "log"),
        )

    def _files(self, count: int) -> Ragged:
        """Return the first so many volumes as a sample set."""
        folder = self._folder
        offsets, shapes, values = (np.load(folder / f"{name}.npy") for name in ("offsets", "shapes", "values"))
        place = folder / str(count)
        place.mkdir(exist_ok=True)
        np.save(place / "offsets.npy", offsets[: count + 1])
        np.save(place / "shapes.npy", shapes[:count])
        np.save(place / "values.npy", values[: offsets[count]])
        return Ragged(*(str(place / f"{name}.npy") for name in ("values", "offsets", "shapes")))


def name_of(how: How) -> str:
    """Return how the tables call it."""
    return f"{how.backend} {how.precision} {how.sessions}x{how.threads}x{how.batch}"


def peak(module: str, spec: RunSpec, file: Path) -> int:
    """Run a module that takes a spec; returns the largest resident set of its process in bytes."""
    file.write_bytes(msgspec.json.encode(spec))
    places = os.pathsep.join([str(runs.ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", module, str(file)]
    process = subprocess.Popen(
        command, cwd=runs.ROOT, env={**os.environ, "PYTHONPATH": places}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise subprocess.CalledProcessError(status, command)
    return usage.ru_maxrss * 1024


def blending(shape: tuple[int, ...]) -> float:
    """Return the seconds that weighting, adding and comparing take, for each window of a volume."""
    weights, found = patch(SIZE), places(shape, SIZE, STRIDE)
    outputs = np.random.default_rng(0).standard_normal((3, *SIZE), np.float32)
    start = time.perf_counter()
    blend = Blend(shape, 3, weights)
    for place in found:
        blend.add(place, outputs * weights)
    blend.labels()
    return (time.perf_counter() - start) / len(found)
