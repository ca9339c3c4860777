"""Question answering beside a baseline that works as the rules' reference does: `python -m tests.benchmarks bert`.

`--model=MODEL.onnx` is BERT (synthetic weights of the true size, or the published file), `--int8` the same in int8. All
take turns; what is printed are ratios to the baseline. The lengths of the samples are drawn from HISTOGRAM; by their
FLOPs the baseline, which computes 384 tokens for each, does so many times the work that is needed: the ceiling of fp32.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks.bert_runs import BASELINE, HISTOGRAM, Course
from tests.benchmarks.bert_server import highest, replayed
from tests.benchmarks.contestants import PRECISION, Variant

BEST = {"offline": ">= 5", "single": "<= 0.22"}
"""Of int8 or bf16, whichever is best; a processor with AVX512-VNNI."""
FP32_SINGLE, FP32_SHARE = "<= 0.55", 0.92
"""The share is of the FLOP ratio, in Offline."""
SERVER = ">= 2"
REPLAYED = 10_000
"""Queries."""

Measure = Callable[[], Mapping[str, float]]


def main(argv: list[str]) -> None:
    """Measure in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(prog="bert")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--int8", type=Path)
    parser.add_argument("--backend", default="onnxruntime", help="one or several by ','; openvino brings bf16 along")
    parser.add_argument("--only", default="", help="variants by a word of their names")
    parser.add_argument("--samples", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=3, help="0: Server alone")
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--max-batch", type=int, default=4)
    parser.add_argument("--server-queries", type=int, default=0, help="of a trial; 0 leaves Server out")
    parser.add_argument("--constraint-ms", type=float, help="Server's, where the baseline was measured before")
    given = parser.parse_args(argv)
    found = [one for one in variants(given.model, given.int8, given.backend.split(",")) if given.only in one.name]
    with tempfile.TemporaryDirectory() as name:
        course = Course(Path(name), given.model, given.samples, given.sessions, given.max_batch)
        print(course.described())
        print("lengths: " + ", ".join(f"{share:.0%} to {end}" for end, share in HISTOGRAM.items()))
        if given.repeats:
            in_turn(course, found, given.repeats)
        if given.server_queries:
            server(course, found, given.server_queries, given.constraint_ms or 2 * course.single_ms(None))


def variants(model: Path, int8: Path | None, backends: list[str]) -> list[Variant]:
    """Return the models that are measured, by backend and precision."""
    found = []
    for backend in backends:
        found.append(Variant("fp32", backend, model))
        if backend == "openvino":
            found.append(Variant("bf16", backend, model, {PRECISION: "bf16"}))
        if int8:
            found.append(Variant("int8", backend, int8))
    return found


def in_turn(course: Course, found: list[Variant], repeats: int) -> None:
    """Measure Offline and SingleStream of the baseline, the harness and the bare loop."""
    values: dict[str, list[float]] = {}
    for number in range(repeats):
        for name, measure in _measures(course, found):
            for figure, value in measure().items():
                values.setdefault(f"{figure} {name}", []).append(value)
                print(f"  {number + 1} {figure} {name:30}{value:10.3f}", flush=True)
    middle = {name: median(one) for name, one in values.items()}
    fp32 = {"offline": f">= {FP32_SHARE * course.flop_ratio:.2f}", "single": FP32_SINGLE}
    for name, value in middle.items():
        figure, _, who = name.partition(" ")
        target = "" if who == BASELINE or who.startswith("bare") else (fp32 if "fp32" in who else BEST)[figure]
        print(f"{name:40}{value:10.3f}{value / middle[f'{figure} {BASELINE}']:8.3f} x the baseline  {target}")
    _bare_ratios(middle)


def _measures(course: Course, found: list[Variant]) -> Iterator[tuple[str, Measure]]:
    yield BASELINE, partial(course.both, None)
    for one in found:
        yield one.name, partial(course.both, one)
        yield f"bare {one.name}", partial(course.bare, one)


def _bare_ratios(middle: Mapping[str, float]) -> None:
    for name, value in middle.items():
        figure, _, who = name.partition(" ")
        if bare := middle.get(f"{figure} bare {who}"):
            print(f"{name:40}{value / bare:8.3f} x the bare loop {'>= 0.98' if figure == 'offline' else '<= 1.01'}")


def server(course: Course, found: list[Variant], queries: int, bound_ms: float) -> None:
    """Search the highest rate whose 99th percentile is within the constraint.

    The baseline's is replayed: it answers one sample after another, all in the same time, and so slowly that a trial of
    it would take half an hour. A replay of many queries is in its favour: of few, a single burst decides.
    """
    print(f"Server, {queries} queries, constraint {bound_ms:.0f} ms (twice the baseline's mean in SingleStream)")
    baseline = replayed(REPLAYED, bound_ms / 2000, bound_ms / 1000)
    rates = {one.name: highest(course, one, queries, bound_ms) for one in found}
    print(f"server {BASELINE:33}{baseline:10.3f}  by a replay of {REPLAYED:,} queries")
    for name, rate in rates.items():
        print(f"server {name:33}{rate:10.3f}{rate / baseline:8.3f} x the baseline  {SERVER}")
