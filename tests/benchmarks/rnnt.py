"""Speech recognition beside a baseline that works as the rules' reference does: `python -m tests.benchmarks rnnt`.

`--model=DIR` holds the three graphs of RNN-T (the stand-in of the true size, or the published weights), `--int8=DIR`
the same in int8; `--openvino` lets OpenVINO run the first in fp32 and, where the processor can, in bf16. All take
turns; what is printed are ratios to the baseline. Lengths are drawn from HISTOGRAM, and the audio is generated speech,
utterance after utterance, cut to them. With `--server-queries` Server's highest rates are sought, too.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np

from engine.datasets.utterances import UtteranceSet
from engine.facts import Ragged
from engine.harness.spec import RunSpec, Workers
from engine.mlperf import Scenario
from engine.networks.transducer import OUTPUTS
from engine.tasks.base import Array
from engine.tasks.speech_features import RATE, Features
from tests.benchmarks import runs

SHARES = (0.02, 0.105, 0.175, 0.15, 0.12, 0.09, 0.075, 0.06, 0.05, 0.04, 0.05, 0.03, 0.02, 0.015)
HISTOGRAM: Mapping[int, float] = dict(zip(range(2, 16), SHARES, strict=True))
"""Upper end of a class of one second → its share; the first begins at FIRST. An assumption, not a count: dev-clean is
not at hand here. Its mean is that of the 2,513 utterances, 4.36 h, to 1 %."""
FIRST = 1.4
SEED = 11
BANDS = 80

BASELINE = "baseline"
LATENCY_MS = 1000
"""Server's latency constraint for RNN-T in the rules."""
AGAIN = 3
"""How often Offline gets every sample, but of the baseline: a few batches alone do not keep all sessions busy."""


class Contestant(NamedTuple):
    """Who runs the samples."""

    name: str
    model: Path
    backend: str = "onnxruntime"
    options: Mapping[str, str] = {}

    @property
    def is_baseline(self) -> bool:
        """Whether it is the reference's way."""
        return self.name == BASELINE


def main(argv: list[str]) -> None:
    """Measure in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(prog="rnnt")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--int8", type=Path)
    parser.add_argument("--openvino", action="store_true")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=os.cpu_count() or 1, help="Offline's; the others have one")
    parser.add_argument("--max-batch", type=int, default=16, help="Offline's")
    parser.add_argument("--server-batch", type=int, default=4)
    parser.add_argument("--server-queries", type=int, default=0, help="of a trial; 0 leaves Server out")
    parser.add_argument("--server-only", action="store_true")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        course = Course(Path(name), given)
        print(course.described(), flush=True)
        if not given.server_only:
            course.in_turn()
        if given.server_queries:
            course.server()


def lengths(count: int) -> Array:
    """Return lengths in audio samples, int64 [count]: the quantiles of HISTOGRAM, in a random order."""
    ends = np.cumsum(list(HISTOGRAM.values()))
    places = (np.arange(count) + 0.5) / count
    seconds = np.interp(places, [0, *ends], [FIRST, *HISTOGRAM])
    return np.random.default_rng(SEED).permutation((seconds * RATE).astype(np.int64))


def speech(lengths: Iterable[int]) -> list[Array]:
    """Return generated speech of these lengths, int16."""
    utterances, number, found = UtteranceSet(SEED, 1_000_000), 0, []
    for length in lengths:
        parts: list[Array] = []
        while sum(map(len, parts)) < length:
            parts.append(utterances.utterance(number).audio)
            number += 1
        found.append(np.concatenate(parts)[:length])
    return found


class Course:
    """The samples, and who runs over them."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self._folder = folder
        self._given = given
        self._lengths = lengths(given.samples)
        self._audio = speech(self._lengths.tolist())
        np.save(folder / "audio.npy", np.concatenate(self._audio))
        np.save(folder / "offsets.npy", np.concatenate(([0], np.cumsum(self._lengths))))
        self._contestants = [
            Contestant(BASELINE, given.model),
            Contestant("fp32", given.model),
            *([Contestant("int8", given.int8)] if given.int8 else []),
        ]
        if given.openvino:
            for precision in ("f32", "bf16"):
                hint = {"INFERENCE_PRECISION_HINT": precision}
                self._contestants.append(Contestant(f"openvino {precision}", given.model, "openvino", hint))

    def described(self) -> str:
        """Say what the samples are, and what features cost."""
        seconds = self._lengths.sum() / RATE
        features = Features(BANDS)
        features.of(self._audio[0])
        start = time.perf_counter()
        for one in self._audio:
            features.of(one)
        cost = 1000 * (time.perf_counter() - start) / seconds
        count = len(self._lengths)
        return f"{count} utterances, mean {seconds / count:.2f} s; features {cost:.3f} ms per second of audio"

    def in_turn(self) -> None:
        """Measure Offline and SingleStream."""
        found: dict[str, list[float]] = {}
        for number in range(self._given.repeats):
            for who in self._contestants:
                for figure, measure in (("offline", self._offline), ("single", self._single)):
                    name = f"{figure} {who.name}"
                    found.setdefault(name, []).append(measure(who))
                    print(f"  {number + 1} {name:28}{found[name][-1]:10.3f}", flush=True)
        _print({name: median(values) for name, values in found.items()})

    def server(self) -> None:
        """Search the highest rate whose 99th percentile is within the rules' latency constraint."""
        _print({f"server {who.name}": self._highest(who) for who in self._contestants})

    def _highest(self, who: Contestant) -> float:
        low, high = 0.0, self._offline(who)
        rate = 0.6 * high
        while high - low > 0.1 * high:
            late = self._late_ms(who, rate)
            print(f"  {who.name:16}{rate:8.3f}/s p99 {late:9.1f} ms", flush=True)
            low, high = (rate, high) if late <= LATENCY_MS else (low, rate)
            rate = (low + high) / 2
        return low

    def _late_ms(self, who: Contestant, rate: float) -> float:
        more = {"min_query_count": self._given.server_queries, "target_latency_ns": LATENCY_MS * 1_000_000}
        values = self._run(who, "Server", rate, **more)
        return float(values["result_99.00_percentile_latency_ns"]) / 1e6

    def _offline(self, who: Contestant) -> float:
        count = len(self._lengths) * (1 if who.is_baseline else AGAIN)
        return float(self._run(who, "Offline", 1.0, min_sample_count=count)["result_samples_per_second"])

    def _single(self, who: Contestant) -> float:
        values = self._run(who, "SingleStream", 1e8, min_query_count=len(self._lengths))
        return float(values["result_90.00_percentile_latency_ns"]) / 1e6

    def _run(self, who: Contestant, scenario: str, target: float, **more: int) -> Mapping[str, Any]:
        module = "tests.benchmarks.rnnt_baseline_sut" if who.is_baseline else "engine.harness.main"
        return runs.harness(self._spec(who, scenario, target, **more), module)

    def _spec(self, who: Contestant, scenario: str, target: float, **more: int) -> RunSpec:
        made = runs.settings(scenario, target, 0.0, **{"performance_sample_count": len(self._lengths), **more})
        given = self._given
        sessions = given.sessions if scenario == "Offline" else 1
        return RunSpec(
            step="benchmark",
            benchmark="rnnt",
            sut_name="rnnt",
            qsl_name="generated speech",
            settings=msgspec.structs.replace(made, scenario=cast(Scenario, scenario)),
            backend=f"engine.backends.{who.backend}",
            backend_options=dict(who.options),
            model={name: str((who.model / f"{name}.onnx").absolute()) for name in OUTPUTS},
            outputs=OUTPUTS,
            task="engine.tasks.speech_recognition",
            samples=(Ragged(f"{self._folder}/audio.npy", f"{self._folder}/offsets.npy"),),
            workers=Workers(
                sessions=sessions,
                intra_op_threads=max((os.cpu_count() or 1) // sessions, 1),
                max_batch={"Offline": given.max_batch, "Server": given.server_batch}.get(scenario, 1),
            ),
            mlperf_conf="",
            user_conf="",
            log_dir=str(self._folder / "log"),
        )


def _print(found: Mapping[str, float]) -> None:
    """Print figures beside those of the baseline."""
    for name, value in found.items():
        figure = name.partition(" ")[0]
        print(f"{name:30}{value:10.3f}{value / found[f'{figure} {BASELINE}']:8.3f} x the baseline", flush=True)
