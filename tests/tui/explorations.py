"""Explorations for the tests of the Explore screens, written by the engine's own process with a bench that is not."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from engine import codec
from engine.design_space import trial_log
from engine.design_space.exploration_spec import write_exploration_spec
from engine.design_space.points import every_point
from engine.design_space.trials import Axis, Trial
from tests.engine.design_space import fake_bench

HOSTILE = "[bold]openvino[/] has no\x1b[2J int4"
REFUSED = (("backend", "openvino"), ("sessions", "4"))
_START = 1_790_000_000.0


def write(home: Path, name: str = "box-a", bench: fake_bench.FakeBench | None = None, **changes: Any) -> Path:
    """Write a finished exploration into the state folder of a home; returns its folder."""
    folder = home / "state" / "explorations" / name
    folder.mkdir(parents=True)
    usual = {"name": name, "budget": 600.0, "final_seconds": 10.0, "sampler": "grid"}
    spec = fake_bench.spec(**{**usual, **changes})
    write_exploration_spec(folder, spec)
    fake_bench.run(folder, spec, bench or fake_bench.FakeBench(refuses={REFUSED: HOSTILE}))
    return folder


def write_many(home: Path, count: int, name: str = "large") -> Path:
    """Write an exploration of many trials; the writer would wait for the disk after each."""
    axes = tuple(Axis(name=f"a{one}", values=tuple(map(str, range(10))), is_number=True) for one in range(4))
    folder = home / "state" / "explorations" / name
    folder.mkdir(parents=True)
    points, random = list(every_point(axes)), Random(1)
    spec = fake_bench.spec(name=name, axes=axes, default=points[0], size=len(points), created=_START)
    write_exploration_spec(folder, spec)
    events: list[trial_log.LogEvent] = [trial_log.SessionBegan(at=_START, session=1, pid=1, version="1")]
    for number in range(1, count + 1):
        point = points[number % len(points)]
        total = sum(int(value) for _, value in point)
        figures = {"Offline": (100 + total) * random.gauss(1, 0.01), "peak_memory": 50 + 3 * total * random.random()}
        trial = Trial(number=number, point=point, state="valid", figures=figures, session=1, seconds=2.0, job="r-1")
        events.append(trial_log.TrialEnded(at=_START + number, trial=trial, spent=2.0))
    (folder / trial_log.FILE).write_bytes(b"".join(codec.encode(event) + b"\n" for event in events))
    return folder
