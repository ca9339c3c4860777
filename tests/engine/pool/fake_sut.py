"""A SUT whose trials take milliseconds: its jobs are files in its home, which outlive its worker as real ones do."""

from __future__ import annotations

import os
import time
from pathlib import Path

from engine import codec
from engine.design_space.points import every_point
from engine.design_space.trial_jobs import Outcome
from engine.design_space.trials import Axis, Point
from engine.pool.sut_trial import NOTES, Order, attach

POINTS = 60
"""Of the space: the number of its trials without repeats and baselines."""
AXES = (
    Axis(name="backend", values=("onnxruntime", "openvino", "tensorflow")),
    Axis(name="sessions", values=("1", "2", "4", "8"), is_number=True),
    Axis(name="max_batch", values=("1", "2", "4", "8", "16"), is_number=True),
)
DEFAULT = (("backend", "onnxruntime"), ("sessions", "1"), ("max_batch", "1"))
SECONDS = 0.02


class FileBench:
    """Jobs as folders: `point`, `launches` (the niceness each time that it was started) and `ended`."""

    def __init__(self, home: Path) -> None:
        self.jobs = home / "jobs"
        self.jobs.mkdir(parents=True, exist_ok=True)

    def refused(self, point: Point) -> str:
        return ""

    def accuracy_key(self, point: Point) -> str:
        return dict(point)["backend"]

    def before(self, point: Point, seconds: float | None, *, accuracy: bool = False) -> Outcome | None:
        return None

    def create(self, point: Point, seconds: float | None, rate: float | None, *, accuracy: bool = False) -> str:
        job = f"r-{len(list(self.jobs.iterdir())) + 1:04d}"
        (self.jobs / job).mkdir()
        (self.jobs / job / "point").write_text(f"{point} {accuracy}")
        return job

    def unstarted(self, point: Point, seconds: float | None, rate: float | None, *, accuracy: bool = False) -> str:
        for folder in sorted(self.jobs.iterdir()):
            is_equal = (folder / "point").exists() and (folder / "point").read_text() == f"{point} {accuracy}"
            if is_equal and not (folder / "launches").exists():
                return folder.name
        return ""

    def outcome(self, job: str, limit: float, *, accuracy: bool = False) -> Outcome:
        folder = self.jobs / job
        if not (folder / "ended").exists():
            with (folder / "launches").open("a") as file:
                file.write(f"{os.getpriority(os.PRIO_PROCESS, 0)}\n")
            time.sleep(SECONDS)
            (folder / "ended").touch()
        if accuracy:
            return Outcome(state="valid", figures={"accuracy": 76.0}, job=job, seconds=SECONDS, spent=SECONDS)
        figures = {"Offline": 100.0 + len(job), "peak_memory": 50.0}
        return Outcome(state="valid", figures=figures, job=job, seconds=SECONDS, spent=SECONDS)


def measure(order: bytes) -> bytes:
    """Make a trial, as the task of a pool."""
    home = Path(os.environ["INFERDECK_HOME"])
    return codec.encode(attach(home / NOTES, codec.decode(order, type=Order), FileBench(home)))


assert len(list(every_point(AXES))) == POINTS
