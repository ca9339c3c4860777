"""A finished exploration for the tests of reports: three sessions, a slow one among them, all kinds of trials."""

from __future__ import annotations

from random import Random
from typing import Any

from engine.design_space.exploration import Exploration
from engine.design_space.points import every_point
from engine.design_space.policy import Policy, next_trials
from engine.design_space.trials import Constraint, Objective, Point, Trial
from tests.engine.design_space.spaces import AXES, OBJECTIVES, trial

DEFAULT = next(every_point(AXES))
ACCURACY = Objective(key="accuracy", title="accuracy", unit="%", maximize=True)
BOUND = Constraint(key="accuracy", at_least=True, bound=74.0)
START = 1_790_000_000.0
HOSTILE = "<script>alert('x')</script>\x1b[31m\u202e"


def figures_of(point: Point) -> tuple[float, float]:
    """Return throughput and latency without noise."""
    chosen = dict(point)
    speed = 100.0 * {"onnxruntime": 1.0, "openvino": 1.4, "tensorflow": 0.6}[chosen["backend"]]
    batch = float(chosen["workers.max_batch"])
    speed *= (1.8 if chosen["precision"] == "int8" else 1.0) * batch**0.3
    speed /= 1 + 0.1 * abs(int(chosen.get("openvino.streams", "2")) - 2)
    return speed, 1000 * batch / speed


def accuracy_of(point: Point) -> float:
    """Return the accuracy: of int8 too low for one of the backends."""
    chosen = dict(point)
    return 75.0 - (0.4 if chosen["precision"] == "int8" else 0.0) - 2.0 * (chosen["backend"] == "tensorflow")


def explored(sampler: str = "random", trials: int = 60, noise: float = 0.01) -> Exploration:
    """Return an exploration as the policy makes it."""
    random = Random(1)
    policy = Policy(
        axes=AXES,
        objectives=OBJECTIVES,
        constraints=(BOUND,),
        default=DEFAULT,
        sampler=sampler,
        stage_seconds=(2.0, 6.0),
    )
    made: list[Trial] = []
    failed = (("backend", "onnxruntime"), ("precision", "int8"), ("workers.max_batch", "8"))
    while len(made) < trials:
        number = len(made) + 1
        session = 1 + (number > 20) + (number > 26)
        left = 2.0 * trials + 40 - sum(one.seconds for one in made)
        if not (found := next_trials(policy, made, lambda point: True, left, session)):
            break
        one = found[0]
        common: dict[str, Any] = {
            "stage": one.stage,
            "session": session,
            "purpose": one.purpose,
            "started": START + 60 * number,
        }
        if one.point == failed:
            made.append(
                Trial(number=number, point=one.point, state="failed", reason=f"out of memory {HOSTILE}", **common)
            )
            continue
        slow = 0.9 if session == 2 else 1.0
        speed, latency = figures_of(one.point)
        pair = (speed * slow * random.gauss(1, noise), latency / slow * random.gauss(1, noise))
        state = "valid if longer" if one.stage == 0 else "valid"
        new = trial(one.point, number, *pair, seconds=policy.stage_seconds[one.stage], state=state, **common)
        new.figures["accuracy"] = accuracy_of(one.point)
        made.append(new)
    points = list(every_point(AXES))
    return Exploration(
        name="box-a",
        axes=AXES,
        objectives=OBJECTIVES,
        constraints=(BOUND,),
        trials=tuple(made),
        refused={(("backend", "openvino"), ("precision", "fp64")): f"openvino has no fp64 {HOSTILE}"},
        default=DEFAULT,
        command=("explore", "--tags=run,_demo", "--axis=precision=fp32,int8", "--name=box-a"),
        commands={point: ("run", "--tags=run,_demo", f"--precision={dict(point)['precision']}") for point in points},
        machine={"processor": f"Example CPU {HOSTILE}", "cores": "2", "memory": "8 GB"},
        versions={"inferdeck": "1.0", "onnxruntime": "1.32.0"},
        conditions={"sampler": sampler, "seed": "1"},
        budget=2.0 * trials + 40,
        size=40,
        sessions={1: START, 2: START + 1260, 3: START + 1620},
        left_out=("12 points of the space were not measured",),
        state="finished",
    )
