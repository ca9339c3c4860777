"""What the harness itself costs: LoadGen runs in which nothing is inferred, beside the barest SUT in Python.

The harness runs whole: its own process, sample library, the real task of ResNet-50, responses and live figures; only
the backend does nothing. Samples are four numbers, because copying pictures at these rates would measure the memory.
"""

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks import runs

SINGLE_STREAM_US = 10.0
OFFLINE_PER_S = 400_000
SERVER_PER_S = 12_000
SERVER_TARGETS = (6_000, 12_000, 20_000, 30_000, 40_000, 60_000)
IMAGE = (3, 224, 224)

Run = Callable[[Path, str, float, float], float]


def main(argv: list[str]) -> None:
    """Print a table. `--rounds`: each figure is the median of so many runs, bare and harness in turn."""
    parser = argparse.ArgumentParser(prog="harness")
    parser.add_argument("--seconds", type=float, default=2.0, help="duration of one run")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    seconds, rounds = arguments.seconds, arguments.rounds
    print(f"{'':40}{'bare SUT':>12}{'harness':>12}{'target':>14}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare, whole = in_turn(folder, "SingleStream", 500, seconds, rounds)
        print(f"{'SingleStream, us per query':40}{bare:12.2f}{whole:12.2f}{f'<= {SINGLE_STREAM_US:.0f}':>14}")
        image = median(runs.undisturbed(partial(_picture, folder, seconds)) for _ in range(rounds))
        print(f"{'SingleStream, us, images of 602 kB':40}{'':12}{image:12.2f}")
        bare, whole = in_turn(folder, "Offline", 1_000_000, seconds, rounds)
        print(f"{'Offline, samples/s':40}{bare:12,.0f}{whole:12,.0f}{f'>= {OFFLINE_PER_S:,}':>14}")
        bare, whole = (_highest(folder, run, seconds, rounds) for run in (_bare, _harness))
        print(f"{'Server, highest valid queries/s tried':40}{bare:12,.0f}{whole:12,.0f}{f'>= {SERVER_PER_S:,}':>14}")


def in_turn(folder: Path, scenario: str, target: float, seconds: float, rounds: int) -> tuple[float, float]:
    """Return the medians of the bare SUT and of the harness."""
    measures = [partial(run, folder, scenario, target, seconds) for run in (_bare, _harness)]
    pairs = [[runs.undisturbed(measure) for measure in measures] for _ in range(rounds)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def _bare(folder: Path, scenario: str, target: float, seconds: float) -> float:
    runs.process("tests.benchmarks.bare_sut", [scenario, str(target), str(seconds), str(folder / "bare")])
    return _figure(folder / "bare" / "log", scenario)


def _harness(folder: Path, scenario: str, target: float, seconds: float) -> float:
    runs.harness(runs.null_spec(folder / "harness", scenario, target, seconds))
    return _figure(folder / "harness" / "log", scenario)


def _picture(folder: Path, seconds: float) -> float:
    runs.harness(runs.null_spec(folder / "picture", "SingleStream", 5000, seconds, IMAGE))
    return _figure(folder / "picture" / "log", "SingleStream")


def _figure(log: Path, scenario: str) -> float:
    """Microseconds in SingleStream, samples/s in Offline, the rate in Server if the run was valid, else 0."""
    values = runs.read(log)
    if scenario == "SingleStream":
        return float(values["result_mean_latency_ns"]) / 1000
    if scenario == "Offline":
        return float(values["result_samples_per_second"])
    return float(values["effective_target_qps"]) if values["result_validity"] == "VALID" else 0.0


def _highest(folder: Path, run: Run, seconds: float, rounds: int) -> float:
    """Return the highest target that was valid in most rounds; the first that is not ends the search."""
    highest = 0.0
    for target in SERVER_TARGETS:
        reached = median(runs.undisturbed(partial(run, folder, "Server", target, seconds)) for _ in range(rounds))
        if reached == 0:
            break
        highest = reached
    return highest


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
