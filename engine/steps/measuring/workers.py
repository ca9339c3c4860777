"""Choose the workers of a model: by measuring, or from an earlier tuning of this system.

A quick choice precedes every run. A thorough one (`_tune`) takes minutes and is saved in the SUT's run configuration
with its date and versions; later plans use it instead of measuring.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

import engine
from engine import events
from engine.backends.base import BackendOptions
from engine.facts import BackendFacts, ModelFacts, Ragged, SamplesFacts
from engine.formats.onnx_files import weight_bytes
from engine.harness.cores import affordable, usable
from engine.harness.interference import Interference
from engine.harness.model import GraphFile, Model, graph_files
from engine.harness.samples import SampleLibrary, typical
from engine.mlperf import FACTS, Scenario
from engine.profile.systems import TunedWorkers, Tuning, configuration, with_tuning
from engine.step import Options, Step
from engine.steps.machine import sut_configuration as sut
from engine.submission import provenance
from engine.system import cpu_quota
from engine.tasks.base import model_options
from engine.text import short_figure
from engine.tuning.bench import Load
from engine.tuning.sampled import SampledRunner
from engine.tuning.tune import MAX_BATCH, choose_workers
from engine.tuning.tuned import SLOWER, Trial, Tuned, divided, shared_out

MODE: Final = "tune"
"""Mode that the events carry in place of a run's mode."""

FIGURES: Final = ("batch_ms", "samples_per_second", "parts")
"""What a saved choice has besides the workers."""


class WorkersOptions(Options, frozen=True, kw_only=True):
    """How the workers are measured, and whose they are."""

    tuning: Literal["quick", "thorough"] = "quick"
    """Thorough tuning takes minutes and is saved in the SUT's run configuration."""
    seconds: float
    server_percentile: float
    """The queries of Server that must meet its latency constraint, in per cent."""
    samples_per_query: int
    """Of MultiStream."""
    max_batch: int = MAX_BATCH
    target_latency_ms: float | None = None
    """Server's latency constraint."""
    task: str = ""
    """Needed with the input `samples`: the task whose program is timed."""
    inputs: Literal["noise", "samples", "parts"] = "noise"
    sut: str | None = None
    benchmark: str = ""
    backend: str = ""


def choose(step: Step) -> dict[str, Any]:
    """Step: choose the workers. Facts: `workers` by scenario, the `table` of what was measured, `server_qps`, `text`.

    Needs `model` and `backend`; with `samples`, too, the task's whole program is timed on real samples of typical cost
    instead of the model alone on noise, or with `inputs: parts` they say how many runs of the model a sample is.
    Options: WorkersOptions; `sut`, `benchmark` and `backend` identify the run configuration.
    """
    thorough = step.read_options(WorkersOptions).tuning == "thorough"
    known = None if thorough else _saved_tuning(step)
    if known is not None:
        before = f"measured on {known.date} for {known.seconds:g} s"
        return _facts(step, tuned_before(known), before, known.disturbed)
    started, interference = time.monotonic(), Interference()
    tuned = _measure(step)
    seconds, disturbed, origin = time.monotonic() - started, interference.complaint(), ""
    if disturbed:
        step.warn(disturbed, remedy="on a quiet machine --again measures it again", disturbs=True)
    if thorough:
        _report_choice(step, tuned)
        file = _write(step, tuned, seconds, disturbed)
        origin = f"→ {file}" if file else ""
    return _facts(step, tuned, origin, disturbed)


def _measure(step: Step) -> Tuned:
    options, chosen = step.read_options(WorkersOptions), step.inputs["backend"].read(BackendFacts)
    model = step.inputs["model"].read(ModelFacts)
    graphs = graph_files(model.paths(step.inputs["model"].folder), model.outputs)
    main = next(iter(graphs.values()))
    is_divided = options.inputs == "parts"
    load, cost = _on_samples(step, model, graphs) if "samples" in step.inputs and not is_divided else (None, 0)
    tuned = choose_workers(
        import_module(chosen.module),
        main.path,
        BackendOptions(device=chosen.device, outputs=main.outputs, extra=chosen.settings),
        samples_per_query=options.samples_per_query,
        seconds=options.seconds,
        max_batch=options.max_batch,
        latency_constraint_ms=options.target_latency_ms,
        share=options.server_percentile / 100,
        report=lambda used: step.progress(round(used, 1), options.seconds, "seconds"),
        load=load,
        typical_cost=cost,
        model_bytes=max(sum(weight_bytes(graph.path) for graph in graphs.values()) - model.shared_bytes, 1),
    )
    return divided(tuned, _parts(step, model)) if is_divided else tuned


def _parts(step: Step, model: ModelFacts) -> float:
    """Return how many runs of the model a sample takes on average."""
    task: Any = import_module(step.read_options(WorkersOptions).task)
    return float(task.cost(_library(step), model_options(task, model.options(step.inputs["model"].folder))).mean())


def _library(step: Step) -> SampleLibrary:
    samples = step.inputs["samples"]
    known = samples.read(SamplesFacts)
    files = [_path(one) for one in known.paths(samples.folder)]
    return SampleLibrary(files, known.count, known.made(samples.folder))


def _on_samples(step: Step, model: ModelFacts, graphs: Mapping[str, GraphFile]) -> tuple[Load, int]:
    """Return a loader of the task's program over samples of typical cost, and the cost of one of them."""
    options = step.read_options(WorkersOptions)
    backend = import_module(step.inputs["backend"].read(BackendFacts).module)
    task = import_module(options.task)
    whole = Model(backend, task, model_options(task, model.options(step.inputs["model"].folder)), graphs)
    library = _library(step)
    costs = whole.costs(library)
    chosen = typical(costs, library.count, options.max_batch)
    library.load(chosen)

    def load(options: BackendOptions) -> SampledRunner:
        return SampledRunner(whole.program(library, options), chosen)

    return load, round(float(costs[chosen].mean())) if costs is not None else 0


def _path(array: str | Ragged) -> Path | Ragged:
    return Path(array) if isinstance(array, str) else array


def tuned_before(known: Tuning) -> Tuned:
    """Return a saved tuning as if just measured: its table holds the chosen candidates only."""
    table = {
        Trial(
            sessions=one.sessions,
            intra_op_threads=one.intra_op_threads,
            batch=one.max_batch,
            pinned=bool(one.cores),
            batch_ms=one.batch_ms,
            samples_per_second=one.samples_per_second,
            parts=one.parts,
        ): None
        for one in known.scenarios.values()
    }
    workers = {name: _plain_workers(one) for name, one in known.scenarios.items()}
    plain = {"workers": workers, "table": msgspec.to_builtins(tuple(table)), "server_qps": known.server_qps}
    return msgspec.convert({**plain, "server_slower": max(known.server_slower, SLOWER)}, Tuned)


def _plain_workers(one: TunedWorkers) -> dict[str, Any]:
    plain = msgspec.to_builtins(one)
    return {name: value for name, value in plain.items() if name not in FIGURES}


def _saved_tuning(step: Step) -> Tuning | None:
    """Return the tuning saved for the SUT, if it is for this model, backend, latency constraint and machine."""
    options = step.read_options(WorkersOptions)
    if not options.sut:
        return None
    found = configuration(step.profiles, options.sut, options.benchmark, options.backend).tuned
    if found is None or found.model != step.inputs["model"].read(ModelFacts).sha256:
        return None
    cores = usable()
    pinned = {core for one in found.scenarios.values() for group in one.cores for core in group}
    same = (
        found.cores == len(affordable())
        and found.quota == _quota()
        and pinned <= set(cores)
        and found.versions.get(options.backend) == step.inputs["backend"].read(BackendFacts).version
        and (not options.target_latency_ms or found.bound_ms == options.target_latency_ms)
    )
    if not same:
        step.warn(
            f"the workers of {options.sut} were tuned with other cores, another {options.backend} or another "
            "latency constraint: they are measured again",
            remedy="inferdeck tune with the same arguments replaces them",
        )
    return found if same else None


def _quota() -> float:
    return round(cpu_quota() or 0, 3)


def _report_choice(step: Step, tuned: Tuned) -> None:
    """Report what was chosen for each scenario, and the figures that it should reach."""
    for scenario, workers in tuned.workers.items():
        value, unit = _reaches(tuned, scenario)
        step.emit(
            events.Measured(
                at=time.time(),
                step=step.id,
                scenario=scenario,
                mode=MODE,
                metric=shared_out(workers.sessions, workers.intra_op_threads, workers.max_batch),
                value=value,
                unit=unit,
                valid=None,
            )
        )


def _reaches(tuned: Tuned, scenario: Scenario) -> tuple[float, str]:
    """Return the figure that a scenario's workers should reach, and its unit."""
    trial = tuned.trial(scenario)
    if scenario == "Server" and tuned.server_qps:
        return tuned.server_qps, "queries/s"
    if trial.parts:
        return trial.samples_per_second, "samples/s"
    return (trial.batch_ms, "ms a batch") if FACTS[scenario].streams else (trial.samples_per_second, "samples/s")


def _write(step: Step, tuned: Tuned, seconds: float, disturbed: str) -> str:
    options, backend = step.read_options(WorkersOptions), step.inputs["backend"].read(BackendFacts)
    record = Tuning(
        date=time.strftime("%Y-%m-%d"),
        seconds=round(seconds, 1),
        cores=len(affordable()),
        quota=_quota(),
        disturbed=disturbed,
        model=step.inputs["model"].read(ModelFacts).sha256,
        versions={"inferdeck": engine.VERSION, options.backend: backend.version},
        server_qps=round(tuned.server_qps, 2),
        server_slower=round(tuned.server_slower, 3),
        bound_ms=options.target_latency_ms or 0,
        scenarios={name: _written(tuned, name) for name in tuned.workers},
    )
    chosen, benchmark = options.backend, options.benchmark
    return sut.write(
        step, lambda text, backend: with_tuning(text, (backend, benchmark), record), f"workers of {chosen}"
    )


def _written(tuned: Tuned, scenario: Scenario) -> TunedWorkers:
    workers, trial = tuned.workers[scenario], tuned.trial(scenario)
    figures = (round(trial.batch_ms, 4), float(f"{trial.samples_per_second:.6g}"), trial.parts)
    return msgspec.convert({**msgspec.to_builtins(workers), **dict(zip(FIGURES, figures, strict=True))}, TunedWorkers)


def _facts(step: Step, tuned: Tuned, origin: str, disturbed: str = "") -> dict[str, Any]:
    facts: Mapping[str, Any] = msgspec.to_builtins(tuned)
    trial = tuned.trial("Offline")
    best = shared_out(trial.sessions, trial.intra_op_threads, trial.batch)
    text = f"{best}: {short_figure(trial.samples_per_second)} samples/s"
    text = ", ".join(filter(None, (text, origin, "disturbed" if disturbed else "")))
    return {**facts, "text": text, **({provenance.DISTURBED: disturbed} if disturbed else {})}
