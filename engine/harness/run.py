"""Execute a run spec: everything around LoadGen's test, up to the finished log folder."""

import gc
import importlib
import os
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import mlperf_loadgen as lg
import msgspec

from engine import codec, events
from engine.backends.base import Array, BackendOptions
from engine.errors import RunError
from engine.facts import Ragged
from engine.formats.onnx_files import weight_bytes
from engine.harness import STARTED, loadgen
from engine.harness.cores import pin
from engine.harness.failure import FailLoudly
from engine.harness.interference import Interference
from engine.harness.model import Model, graph_files
from engine.harness.samples import SampleLibrary, typical
from engine.harness.session import Session
from engine.harness.spec import REPORT, RunReport, RunSpec
from engine.harness.sut import OpenSession, SharedSut, Sut, make_sut
from engine.harness.ticker import Parts, Ticker
from engine.mlperf import AUDIT_CONFIG
from engine.system import usable_cores
from engine.system.machine_state import StateWatch
from engine.system.usage import Usage
from engine.tasks.base import model_options

Emit = Callable[[events.AnyEvent], None]

WARM_UP_RUNS = 3


def run(spec: RunSpec, emit: Emit) -> RunReport:
    """Measure: load, warm up, run LoadGen's test, write LoadGen's files and run.json into the log folder.

    Changes the working directory and ends the process on an error under LoadGen (engine.harness.failure). Raises the
    errors of engine.errors before LoadGen starts.
    """
    folder = _log_folder(spec)
    samples = [_absolute(one) for one in spec.samples]
    graphs = graph_files(spec.model, spec.outputs)
    task = _module(spec.task)
    model = Model(_module(spec.backend), task, model_options(task, spec.task_options), graphs)
    os.chdir(folder)
    settings = loadgen.settings(spec, folder)
    library = SampleLibrary(samples, spec.settings.performance_sample_count, spec.on_load)
    emit(events.Phase(at=time.time(), step=spec.step, name="load"))
    _warn_of_oversubscription(spec, emit, is_shared=model.is_shared)
    costs = model.costs(library)
    sut = _sut(spec, model, library, costs)
    parts = Parts(sut.program, float(costs.mean())) if isinstance(sut, SharedSut) and costs is not None else None
    load_seconds = time.monotonic() - STARTED
    emit(events.Phase(at=time.time(), step=spec.step, name="measure"))
    started, interference, state, used = time.monotonic(), Interference(), StateWatch(), Usage()
    with Ticker(spec.step, sut.tallies, emit, parts):
        _test(sut, library, settings, folder)
    seconds, spent = time.monotonic() - started, used.end()
    disturbed = interference.complaint() if spec.settings.mode == "performance" else ""
    if disturbed:
        emit(events.Warned(at=time.time(), step=spec.step, text=disturbed, disturbs=True))
    sut.close()
    report = RunReport(
        seconds=seconds,
        load_seconds=load_seconds,
        samples=sum(tally.completed for tally in sut.tallies),
        batches=sum(tally.batches for tally in sut.tallies),
        backend_version=model.backend.version(),
        loadgen_version=version("mlcommons-loadgen"),
        workers=spec.workers,
        disturbed=disturbed,
        machine=state.end(),
        cpu_seconds=spent.cpu_seconds,
        peak_memory=spent.peak_memory,
        joules=spent.joules,
        model_bytes=sum(weight_bytes(one.path) for one in graphs.values()),
    )
    _write(folder / REPORT, codec.encode(report, indent=2))
    return report


def _test(sut: Sut, library: SampleLibrary, settings: "lg.TestSettings", folder: Path) -> None:
    """Run LoadGen's test. Python's garbage collector, which would stop every thread now and then, is off meanwhile."""
    failing = FailLoudly("LoadGen's sample set")

    def load(indices: list[int]) -> None:
        with failing:
            library.load(indices)

    # The fast interface passes two lists of numbers in place of an object per sample.
    handle = lg.ConstructFastSUT(sut.issue, _flush)
    qsl = lg.ConstructQSL(library.count, library.performance_count, load, library.unload)
    gc.collect()
    gc.freeze()
    gc.disable()
    lg.StartTestWithLogSettings(handle, qsl, settings, loadgen.log_settings(folder), AUDIT_CONFIG)
    gc.enable()
    lg.DestroyQSL(qsl)
    lg.DestroyFastSUT(handle)


def _flush() -> None:
    """Do nothing: queries are never held back longer than the queue's own limit."""


def _absolute(file: str | Ragged) -> Path | Ragged:
    if isinstance(file, str):
        return Path(file).absolute()
    values, offsets, shapes = (str(Path(path).absolute()) if path else "" for path in msgspec.structs.astuple(file))
    return Ragged(values, offsets, shapes)


def _sut(spec: RunSpec, model: Model, library: SampleLibrary, costs: Array | None) -> Sut:
    """Return the system under test, its sessions loaded and warmed up. Raises RunError for invalid workers."""
    workers = spec.workers
    if workers.cores and len(workers.cores) != workers.sessions:
        raise RunError(
            f"there are {workers.sessions} sessions and cores for {len(workers.cores)}",
            "give one group of cores for each session, or none",
        )
    if min(workers.sessions, workers.intra_op_threads, workers.max_batch) < 1:
        raise RunError(f"invalid workers: {workers}", "each number must be at least 1")
    options = [_options(spec, number) for number in range(workers.sessions)]
    if model.is_shared:
        if spec.settings.scenario == "Server":
            raise RunError(
                "this benchmark has no Server: all sessions work on one sample", "use SingleStream or Offline"
            )
        program = model.shared_program(library, options)
        program.prepare(workers.max_batch)
        return SharedSut(program)
    warm_up = warm_up_batches(spec, costs)
    library.load(sorted({index for index, _ in warm_up}))
    opener = _opener(spec, model, library, options, warm_up)
    sut = make_sut(spec.settings.scenario, workers, opener, spec.settings.target_latency_ns, costs, padded=model.pads)
    library.unload()
    return sut


def _options(spec: RunSpec, number: int) -> BackendOptions:
    """Return the backend's options of a session."""
    return BackendOptions(
        device=spec.device,
        intra_op_threads=spec.workers.intra_op_threads,
        cores=spec.workers.cores[number] if spec.workers.cores else (),
        extra=spec.backend_options,
    )


def _opener(
    spec: RunSpec,
    model: Model,
    library: SampleLibrary,
    options: Sequence[BackendOptions],
    warm_up: Sequence[tuple[int, int]],
) -> OpenSession:
    largest = 1 if spec.settings.scenario == "SingleStream" else spec.workers.max_batch

    def open_session(number: int) -> Session:
        pin(options[number].cores)
        session = Session(model.program(library, options[number]), largest)
        session.warm_up(warm_up)
        return session

    return open_session


def warm_up_batches(spec: RunSpec, costs: Array | None) -> list[tuple[int, int]]:
    """Return the batches that each session runs first: a sample (QSL index), and how often it is in the batch.

    If samples differ in cost, one batch of the most expensive ones allocates buffers that all others fit into, and
    those of typical cost are repeated: the most expensive may take minutes.
    """
    sizes = _batches(spec)
    if costs is None:
        return [(0, size) for size in sizes for _ in range(WARM_UP_RUNS)]
    most_expensive, (typical_index,) = int(costs.argmax()), typical(costs, len(costs), 1)

    def batch(index: int, size: int) -> tuple[int, int]:
        most = spec.workers.max_cost // max(int(costs[index]), 1) if spec.workers.max_cost else size
        return index, max(min(size, most), 1)

    return [batch(index, size) for size in sizes for index in (most_expensive, *[typical_index] * WARM_UP_RUNS)]


def _batches(spec: RunSpec) -> list[int]:
    """Return the batch sizes to warm up: the largest that will occur, and the smallest in Server."""
    workers = spec.workers
    if spec.settings.scenario == "SingleStream":
        return [1]
    if spec.settings.scenario == "MultiStream":
        return [min(workers.max_batch, -(-spec.settings.samples_per_query // workers.sessions))]
    return [workers.max_batch, 1] if spec.settings.scenario == "Server" else [workers.max_batch]


def _log_folder(spec: RunSpec) -> Path:
    folder = Path(spec.log_dir).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / REPORT).exists():
        raise RunError(f"{folder}: there is already a finished run", "give another folder, or remove this one")
    return folder


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise RunError(f"{name} cannot be used here: {error}", "install what it needs into this environment") from error


def _warn_of_oversubscription(spec: RunSpec, emit: Emit, *, is_shared: bool) -> None:
    is_alone = spec.settings.scenario == "SingleStream" and not is_shared
    threads = spec.workers.intra_op_threads * (1 if is_alone else spec.workers.sessions)
    cores = usable_cores()
    if threads > cores and spec.device == "cpu":
        text = f"{threads} threads share {cores} cores: they will compete"
        emit(events.Warned(at=time.time(), step=spec.step, text=text))


def _write(path: Path, data: bytes) -> None:
    """Write a file atomically."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    partial.replace(path)
