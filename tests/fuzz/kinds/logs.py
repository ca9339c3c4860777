"""LoadGen's logs, damaged, and read by the readers of `engine.mlperf_logs` and by the compliance tests."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.errors import InferdeckError
from engine.mlperf import SCENARIOS
from engine.mlperf_logs import accuracy_log as accuracy
from engine.mlperf_logs import detail, metric
from engine.mlperf_logs import summary_log as summary
from engine.submission import verification as compliance
from tests.fuzz import mutate
from tests.fuzz.kinds import data


@dataclass(frozen=True)
class Log:
    """A log of LoadGen, changed so many times by seeds."""

    kind: str
    parts: Sequence[int]

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Change the log by the kept seeds and read it."""
        template, read = KINDS[self.kind]
        log = template()
        for index in kept:
            log = mutate.mutated(log, random.Random(self.parts[index]))
        path = folder / "log"
        path.write_bytes(log)
        read(path)
        return []


def make(chance: random.Random) -> Log:
    """Return a log with one to four changes."""
    return Log(chance.choice(sorted(KINDS)), [chance.randrange(2**32) for _ in range(chance.choice((1, 1, 2, 4)))])


@cache
def _detail() -> bytes:
    from tests.engine.submission import base_tree, loadgen_logs

    benchmark = base_tree.RULES.benchmarks["resnet50"]
    logs = [loadgen_logs.detail(loadgen_logs.performance_values(base_tree.RULES, benchmark, one)) for one in SCENARIOS]
    return random.Random(1).choice(logs).encode()


@cache
def _summary() -> bytes:
    from tests.engine.submission import base_tree, loadgen_logs

    benchmark = base_tree.RULES.benchmarks["resnet50"]
    return loadgen_logs.summary(loadgen_logs.performance_values(base_tree.RULES, benchmark, "Server")).encode()


def _accuracy() -> bytes:
    return (data.template() / "boxes.json").read_bytes()


def _read_detail(path: Path) -> None:
    with suppress(InferdeckError):
        found = detail.read(path)
        for scenario in SCENARIOS:
            with suppress(InferdeckError):
                metric.metric(found, scenario, 8)
        _compare(found)


def _compare(found: detail.Detail) -> None:
    from tests.engine.submission import base_tree

    for test in ("TEST01", "TEST04", "TEST05"):
        with suppress(InferdeckError):
            compliance.performance_text(
                compliance.speed(base_tree.RULES, base_tree.RULES.benchmarks["resnet50"], test, found, found)
            )


def _read_summary(path: Path) -> None:
    summary.parse(path.read_text(errors="replace"))


def _read_accuracy(path: Path) -> None:
    for call in (
        lambda: list(accuracy.records(path)),
        lambda: compliance.answers(path, path),
        lambda: accuracy.is_truncated(path),
    ):
        with suppress(InferdeckError):
            call()


KINDS: dict[str, tuple[Callable[[], bytes], Callable[[Path], None]]] = {
    "detail": (_detail, _read_detail),
    "accuracy": (_accuracy, _read_accuracy),
    "summary": (_summary, _read_summary),
}
