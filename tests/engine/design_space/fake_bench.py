"""A bench whose jobs take no time: figures follow from the point; jobs outlive the exploration's process, as real ones
do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.design_space import trial_log
from engine.design_space.driver import Driver
from engine.design_space.exploration_spec import ExplorationSpec
from engine.design_space.objectives import Limit
from engine.design_space.points import every_point
from engine.design_space.trial_jobs import Outcome
from engine.design_space.trials import Axis, Objective, Point
from engine.errors import CannotRunError

OFFLINE = Objective(key="Offline", title="Offline", unit="samples/s", maximize=True)
MEMORY = Objective(key="peak_memory", title="peak memory", unit="MB", maximize=False)
AXES = (
    Axis(name="backend", values=("onnxruntime", "openvino")),
    Axis(name="sessions", values=("1", "2", "4"), is_number=True),
)
ALL = list(every_point(AXES))
DEFAULT = (("backend", "onnxruntime"), ("sessions", "1"))


def spec(**changes: object) -> ExplorationSpec:
    """Return a small exploration of AXES."""
    usual = {
        "name": "try",
        "words": ("--tags=app",),
        "axes": AXES,
        "objectives": (OFFLINE, MEMORY),
        "default": DEFAULT,
        "size": 6,
        "expected": 2.0,
    }
    return ExplorationSpec(**{**usual, **changes})  # type: ignore[arg-type]


ACCURATE = Limit(key="accuracy", at_least=True, bound=99, percent=True)


@dataclass
class FakeBench:
    """Measures by a formula. Its jobs are the world outside: a killed exploration finds them again."""

    seconds: float = 2.0
    refuses: dict[Point, str] = field(default_factory=dict)
    missing: set[Point] = field(default_factory=set)
    fails: dict[Point, str] = field(default_factory=dict)
    cancels: set[Point] = field(default_factory=set)
    known: set[Point] = field(default_factory=set)
    accuracies: dict[str, float] = field(default_factory=dict)
    """By backend; empty where no accuracy is wanted."""
    jobs: dict[str, tuple[Point, bool]] = field(default_factory=dict)
    waited: list[str] = field(default_factory=list)
    """Ids of the jobs whose end was waited for."""

    def refused(self, point: Point) -> str:
        return self.refuses.get(point, "")

    def accuracy_key(self, point: Point) -> str:
        return dict(point)["backend"] if self.accuracies else ""

    def before(self, point: Point, seconds: float | None, *, accuracy: bool = False) -> Outcome | None:
        return Outcome(state="valid", figures=self.figures(point), job="r-before") if point in self.known else None

    def create(self, point: Point, seconds: float | None, rate: float | None, *, accuracy: bool = False) -> str:
        if point in self.missing:
            raise CannotRunError("openvino: it is not installed", "install it")
        job = f"r-{len(self.jobs) + 1:04d}"
        self.jobs[job] = (point, accuracy)
        return job

    def unstarted(self, point: Point, seconds: float | None, rate: float | None, *, accuracy: bool = False) -> str:
        fresh = [job for job, made in self.jobs.items() if made == (point, accuracy) and job not in self.waited]
        return fresh[-1] if fresh else ""

    def outcome(self, job: str, limit: float, *, accuracy: bool = False) -> Outcome:
        point, scored = self.jobs[job]
        self.waited.append(job)
        if point in self.cancels:
            return Outcome(state="cancelled", job=job)
        if point in self.fails:
            return Outcome(state="failed", reason=self.fails[point], job=job, spent=self.seconds)
        figures = {"accuracy": self.accuracies[dict(point)["backend"]]} if scored else self.figures(point)
        return Outcome(
            state="valid", figures=figures, settings={"sessions": 2}, seconds=self.seconds, spent=self.seconds, job=job
        )

    def figures(self, point: Point) -> dict[str, float]:
        values = dict(point)
        number = float(values["sessions"]) if values["sessions"].isdigit() else 1.5
        factor = 1.3 if values["backend"] == "openvino" else 1.0
        return {"Offline": 100 * factor * number**0.5, "peak_memory": 50 + 20 * number}


class KilledError(BaseException):
    """The process was killed."""


def run(
    folder: Path,
    asked: ExplorationSpec,
    bench: FakeBench,
    *,
    killed_after: int | None = None,
    before_write: bool = False,
    points: Sequence[Point] | None = None,
    tick: Callable[[], None] = lambda: None,
) -> trial_log.Ending:
    """Run the process of an exploration, killed at an event: after it was written, or before."""
    folder.mkdir(exist_ok=True)
    driver = Driver(folder, asked, bench, list(every_point(asked.axes)) if points is None else points)
    write, count = driver._log.write, 0

    def counted(event: trial_log.LogEvent) -> None:
        nonlocal count
        count += 1
        tick()
        if before_write and count == killed_after:
            raise KilledError
        write(event)
        if count == killed_after:
            raise KilledError

    driver._log.write = counted  # type: ignore[method-assign]
    try:
        return driver.run()
    finally:
        driver._log.close()
