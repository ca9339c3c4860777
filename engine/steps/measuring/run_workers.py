"""The workers of one run: what was measured, changed by what the person asked for, and the memory that they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.harness.spec import LoadGenSettings, Workers
from engine.step import Artifact, Step, SurveyContext
from engine.steps.measuring.run_estimate import memory_text, refuse_memory, resident_bytes
from engine.tuning.tuned import Tuned

WORKER_OPTIONS = ("sessions", "intra_op_threads", "max_batch", "queue_wait_us")


def chosen_workers(options: Mapping[str, Any], tuned: Tuned) -> Workers:
    """Return the workers of a run's scenario."""
    chosen = tuned.workers[options["scenario"]]
    given = {name: options[name] for name in WORKER_OPTIONS if options.get(name) is not None}
    if "sessions" in given or "intra_op_threads" in given:
        chosen = msgspec.structs.replace(chosen, cores=(), batch_us=())  # both were measured for another split
    elif given.get("max_batch", 0) > len(chosen.batch_us):
        chosen = msgspec.structs.replace(chosen, batch_us=())
    return msgspec.structs.replace(chosen, **given)


def batch_ms(step: Step) -> float:
    """Return what a batch of a step's run takes by tuning; 0 where that is not known."""
    tuned = step.inputs["workers"].read(Tuned)
    return tuned.trial(step.options["scenario"]).batch_ms if tuned.table else 0.0


def expected_memory(context: SurveyContext, made: LoadGenSettings, tuned: Tuned | None) -> str:
    """Say what a run holds in memory, where that is much and known. Raises CannotRunError where it does not fit."""
    model, samples = context.inputs["model"], context.inputs["preprocessed"]
    if model is None or samples is None or tuned is None:
        return ""
    sessions = chosen_workers(context.options, tuned).sessions
    return memory_text(memory(model, samples, made, sessions), sessions)


def memory(model: Artifact, samples: Artifact, made: LoadGenSettings, sessions: int) -> int:
    """Return the bytes that a run holds. Raises CannotRunError where the memory does not hold them."""
    if made.scenario == "SingleStream":
        sessions = 1
    needed = resident_bytes(sessions, model, samples, made.performance_sample_count)
    refuse_memory(needed, sessions)
    return needed
