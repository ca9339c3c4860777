"""Explorations for the tests of the Explore screens, in events that the engine's own writer writes."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from engine import codec
from engine.design_space import trial_log
from engine.design_space.exploration_spec import write_exploration_spec
from engine.design_space.points import every_point
from engine.design_space.trials import Axis, Point, Trial
from tests.engine.design_space.fake_bench import AXES, FakeBench, spec

HOSTILE = "[bold]openvino[/] has no\x1b[2J int4"
REFUSED = (("backend", "openvino"), ("sessions", "4"))
_START = 1_790_000_000.0


def write(home: Path, name: str = "box-a", *, over: bool = True, **changes: Any) -> Path:
    """Write an exploration into the state folder of a home: one refused and one failed point, repeats, the baseline
    three times. `over`: whether it has ended. Returns its folder."""
    folder = home / "state" / "explorations" / name
    folder.mkdir(parents=True)
    write_exploration_spec(folder, spec(**{"name": name, "budget": 600.0, **changes}))
    log = trial_log.LogWriter(folder)
    log.write(trial_log.SessionBegan(at=_START, session=1, pid=1, version="1"))
    points = [point for point in every_point(AXES) if point != REFUSED]
    log.write(_ended(1, REFUSED, state="refused", reason=HOSTILE))
    number = 1
    for round_ in range(2):
        for point in points:
            number += 1
            purpose = "baseline" if point == points[0] else "repeat" if round_ else "search"
            log.write(_ended(number, point, state="valid", noise=1 + 0.004 * (-1) ** number, purpose=purpose))
    log.write(_ended(number + 1, points[1], state="failed", reason="out of memory", note="r-0009 measured meanwhile"))
    if over:
        log.write(trial_log.Over(at=_START, ending="finished", left_out=("longer runs of 3 points",)))
    log.close()
    return folder


def add(folder: Path, number: int, point: Point) -> None:
    """Append a trial, as the exploration's process does."""
    log = trial_log.LogWriter(folder)
    log.write(trial_log.TrialStarted(at=_START, point=point, stage=0, purpose="repeat", job=f"r-{number:04d}"))
    log.write(_ended(number, point, state="valid", purpose="repeat"))
    log.close()


def _ended(number: int, point: Point, *, noise: float = 1.0, **facts: Any) -> trial_log.TrialEnded:
    measured = facts["state"] == "valid"
    figures = {key: figure * noise for key, figure in FakeBench().figures(point).items()} if measured else {}
    more: dict[str, Any] = (
        {"session": 1, "seconds": 2.0, "job": f"r-{number:04d}"} if facts["state"] != "refused" else {}
    )
    trial = Trial(number=number, point=point, figures=figures, started=_START, **more, **facts)
    return trial_log.TrialEnded(at=_START, trial=trial, spent=2.0, command=("run", "--tags=app", f"--number={number}"))


def write_many(home: Path, count: int, name: str = "large") -> Path:
    """Write an exploration of many trials; the writer would wait for the disk after each."""
    axes = tuple(Axis(name=f"a{one}", values=tuple(map(str, range(10))), is_number=True) for one in range(4))
    folder = home / "state" / "explorations" / name
    folder.mkdir(parents=True)
    points, random = list(every_point(axes)), Random(1)
    asked = spec(name=name, axes=axes, default=points[0], size=len(points), created=_START)
    write_exploration_spec(folder, asked)
    events: list[trial_log.LogEvent] = [trial_log.SessionBegan(at=_START, session=1, pid=1, version="1")]
    for number in range(1, count + 1):
        point = points[number % len(points)]
        total = sum(int(value) for _, value in point)
        figures = {"Offline": (100 + total) * random.gauss(1, 0.01), "peak_memory": 50 + 3 * total * random.random()}
        trial = Trial(number=number, point=point, state="valid", figures=figures, session=1, seconds=2.0, job="r-1")
        events.append(trial_log.TrialEnded(at=_START + number, trial=trial, spent=2.0))
    (folder / trial_log.FILE).write_bytes(b"".join(codec.encode(event) + b"\n" for event in events))
    return folder
