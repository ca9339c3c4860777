"""Workers of one run: the measured ones, changed by the user's options; and the memory that they take."""

from __future__ import annotations

import msgspec

from engine.harness.spec import LoadGenSettings, Workers
from engine.step import Artifact, Step
from engine.steps.measuring.run_estimate import refuse_memory, resident_bytes
from engine.steps.measuring.run_options import LoadGenOptions, TargetOptions
from engine.tuning.tuned import Tuned

WORKER_OPTIONS = ("sessions", "intra_op_threads", "max_batch", "queue_wait_us")


def chosen_workers(options: LoadGenOptions, tuned: Tuned) -> Workers:
    """Return the workers of a run's scenario."""
    chosen = tuned.workers[options.scenario]
    given = {name: value for name in WORKER_OPTIONS if (value := getattr(options, name)) is not None}
    if "sessions" in given or "intra_op_threads" in given:
        chosen = msgspec.structs.replace(chosen, cores=(), batch_us=())  # both were measured for another split
    elif given.get("max_batch", 0) > len(chosen.batch_us):
        chosen = msgspec.structs.replace(chosen, batch_us=())
    return msgspec.structs.replace(chosen, **given)


def batch_ms(step: Step) -> float:
    """Return the time in ms of a batch of a step's run according to tuning; 0 where unknown."""
    tuned = step.inputs["workers"].read(Tuned)
    return tuned.trial(step.read_options(TargetOptions).scenario).batch_ms if tuned.table else 0.0


def memory(model: Artifact, samples: Artifact, settings: LoadGenSettings, sessions: int) -> int:
    """Return the bytes that a run holds. Raises CannotRunError where memory does not hold them."""
    if settings.scenario == "SingleStream":
        sessions = 1
    needed = resident_bytes(sessions, model, samples, settings.performance_sample_count)
    refuse_memory(needed, sessions)
    return needed
