"""Measures a whole design space, every point several times: the table on which `explore` replays the search.

`python -m tests.benchmarks explore-table --model=FP32.onnx --int8=INT8.onnx` goes through backend x precision x split
(sessions x threads) x batch with bare loops, in rounds, the groups of a round in another order each time. A group is a
process: one session or more, all batch sizes. What is measured is appended to a file of lines, so that the same command
goes on after an interruption. Both models are in the store after a demonstration with `_int8`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import platform
import resource
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import psutil

from engine.system import detect
from tests.benchmarks.offline import first_output
from tests.benchmarks.runs import ROOT

DATA = Path(__file__).parent / "data"
SPLITS = ("1x1", "1x2", "2x1", "2x2")
BATCHES = ("1", "2", "4", "8", "16", "32")
BACKENDS = ("onnxruntime", "openvino")
_WORKING = ("user", "nice", "system", "irq", "softirq")


class Group(NamedTuple):
    """What one process measures."""

    backend: str
    precision: str
    split: str


def main(argv: list[str]) -> None:
    """Measure what is missing, and print how long it took."""
    parser = argparse.ArgumentParser(prog="explore-table")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--int8", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=DATA / "efficientnet-lite0.jsonl")
    parser.add_argument("--backends", default=",".join(one for one in BACKENDS if importlib.util.find_spec(one)))
    parser.add_argument("--splits", default=",".join(SPLITS))
    parser.add_argument("--batches", default=",".join(BATCHES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each point in each round")
    given = parser.parse_args(argv)
    models = {"fp32": given.model.absolute(), "int8": given.int8.absolute()}
    groups = [Group(*one) for one in product(given.backends.split(","), models, given.splits.split(","))]
    batches = given.batches.split(",")
    if not given.out.exists():
        given.out.parent.mkdir(parents=True, exist_ok=True)
        _append(given.out, {"description": _description(given)})
    done = {(one["round"], Group(one["backend"], one["precision"], one["split"])) for one in rows(given.out)}
    left = [
        (number, group)
        for number in range(1, given.rounds + 1)
        for group in Random(number).sample(groups, len(groups))
        if (number, group) not in done
    ]
    print(f"{len(groups) * len(batches)} points, {given.rounds} rounds, {len(left)} processes left", flush=True)
    output = first_output(given.model)
    start = time.monotonic()
    for count, (number, group) in enumerate(left, start=1):
        found = _measured(group, models[group.precision], output, given.batches, given.seconds)
        _append(given.out, *({"round": number, **group._asdict(), **one} for one in found))
        minutes = (time.monotonic() - start) / 60
        print(
            f"{count} of {len(left)}, {minutes:.1f} min, {minutes / count * (len(left) - count):.1f} left", flush=True
        )


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the measurements of a file; a line that was cut off is left out."""
    found = []
    for line in path.read_text().splitlines():
        try:
            one = json.loads(line)
        except json.JSONDecodeError:
            continue
        if "round" in one:
            found.append(one)
    return found


def description(path: Path) -> dict[str, Any]:
    """Return what a file says about the machine and the conditions."""
    found: dict[str, Any] = json.loads(path.read_text().partition("\n")[0])["description"]
    return found


def _append(path: Path, *lines: dict[str, Any]) -> None:
    """Append lines in one write, so that a group is there as a whole or not at all."""
    whole = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
    with path.open("a") as file:
        file.write("\n" * whole + "".join(json.dumps(line) + "\n" for line in lines))


def _measured(group: Group, model: Path, output: str, batches: str, seconds: float) -> list[dict[str, Any]]:
    sessions, threads = group.split.split("x")
    words = [str(model), output, sessions, threads, batches, str(seconds), f"--backend={group.backend}"]
    command = [sys.executable, "-m", "tests.benchmarks.bare_session", *words]
    before, started = _busy(), time.time()
    out = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    others = round((_busy() - before) / (time.time() - started), 3)
    found = []
    for line in out.splitlines():
        one = json.loads(line)
        figures = {name: float(f"{one[name]:.6g}") for name in ("samples_per_second", "mean_ms")}
        found.append({"batch": str(one["batch"]), **figures, "at": round(started), "busy_by_others": others})
    return found


def _busy() -> float:
    """Return the seconds that the cores worked for other processes than those started here."""
    cores, own = psutil.cpu_times(), resource.getrusage(resource.RUSAGE_CHILDREN)
    return float(sum(getattr(cores, name) for name in _WORKING)) - own.ru_utime - own.ru_stime


def _description(given: argparse.Namespace) -> dict[str, Any]:
    machine = detect()
    versions = {name: importlib.metadata.version(name) for name in ("numpy", *given.backends.split(","))}
    return {
        "space": "EfficientNet-Lite0, backend x precision x split (sessions x threads) x batch",
        "processor": machine.cpu.model,
        "cores": machine.cpu.usable_cores,
        "memory_bytes": machine.memory.usable,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
        "seconds_of_a_point": given.seconds,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
