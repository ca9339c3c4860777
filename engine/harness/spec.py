"""Specification of one LoadGen run: one frozen record, so that a run can be repeated from its JSON."""

from typing import Any, Final

import msgspec

from engine.facts import OnLoad, Ragged
from engine.mlperf import Mode, Scenario
from engine.system.machine_state import MachineState


class LoadGenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a run by the names of mlperf.conf; None keeps LoadGen's own default."""

    scenario: Scenario
    mode: Mode
    min_duration_ms: int
    min_query_count: int
    max_query_count: int = 0
    """0 is no limit."""
    max_duration_ms: int = 0
    """0 is no limit."""
    performance_sample_count: int
    """Samples kept in memory in a performance run. Never above the data set's size."""
    target_qps: float | None = None
    """Server and Offline."""
    target_latency_ns: int | None = None
    """Server: the latency constraint. SingleStream and MultiStream: the expected latency, which sizes the run."""
    target_latency_percentile: float | None = None
    """As a fraction: 0.99."""
    samples_per_query: int = 1
    """MultiStream."""
    min_sample_count: int = 0
    """Offline: minimum samples of the one query."""
    sample_concatenate_permutation: bool = False
    use_token_latencies: bool = False
    """LoadGen counts the tokens of responses."""
    qsl_rng_seed: int
    sample_index_rng_seed: int
    schedule_rng_seed: int


class Workers(msgspec.Struct, frozen=True, kw_only=True):
    """Parallelism: `sessions` instances of the model, each with its own thread and its own batch."""

    sessions: int
    intra_op_threads: int
    max_batch: int
    queue_wait_us: int = 0
    """Server: how long a worker waits for more queries after the first."""
    batch_us: tuple[int, ...] = ()
    """Server: measured time of a batch of 1, 2, ... samples: a batch is no larger than its first query has time for.
    Empty: only `max_batch` limits it."""
    max_cost: int = 0
    """Maximum cost of a batch, for tasks whose samples differ in cost: its number of samples times the cost of the most
    expensive, in the task's unit. 0 is no limit."""
    cost_us: tuple[tuple[int, int], ...] = ()
    """Server, in place of `batch_us` for samples that differ in cost: measured batch times by cost: (cost,
    microseconds), ascending."""
    cores: tuple[tuple[int, ...], ...] = ()
    """Per session the cores it is pinned to; empty: no pinning."""


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One LoadGen run."""

    step: str
    """The step's id, which every event of the run carries."""
    benchmark: str
    """Benchmark key of the rules: resnet50."""
    sut_name: str
    qsl_name: str
    settings: LoadGenSettings
    backend: str
    """Module of the backend: engine.backends.onnxruntime."""
    backend_options: dict[str, str] = {}
    device: str = "cpu"
    model: str | dict[str, str]
    """Path of the model file; by name where the model has several graphs."""
    outputs: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    """Names of the outputs that the task reads, by graph where the model has several; empty means all."""
    task: str
    """Module of the task: engine.tasks.image_classification."""
    task_options: dict[str, Any] = {}
    samples: tuple[str | Ragged, ...]
    """The tensors of the sample set, in the order of the model's inputs: a path of a .npy file [N, *shape] with the
    samples of the data set in QSL order, or the files of a ragged one."""
    on_load: OnLoad | None = None
    """In place of `samples`: how they are made when LoadGen asks for them."""
    workers: Workers
    mlperf_conf: str
    """The text of mlperf.conf: written next to the logs and read by LoadGen."""
    user_conf: str
    audit: str = ""
    """The text of audit.config, with which a compliance test changes LoadGen's settings; empty in an ordinary run."""
    log_dir: str
    """Folder of LoadGen's files; empty or absent before the run."""


REPORT: Final = "run.json"
"""The file of a RunReport next to LoadGen's files, written last: a folder without it holds an unfinished run."""


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """Report of a finished run, written as `run.json` next to LoadGen's files."""

    seconds: float
    load_seconds: float
    """From process start until LoadGen was started: imports, model, warm-up."""
    samples: int
    batches: int
    backend_version: str
    loadgen_version: str
    workers: Workers
    disturbed: str = ""
    """A warning about other load on the machine during the measurement; empty if there was none."""
    machine: MachineState | None = None
    """State of the machine around the measurement."""
    cpu_seconds: float | None = None
    """Processor time of the run's process from LoadGen's start to its end, all threads, user and system."""
    peak_memory: int | None = None
    """Largest resident set of the run's process so far, in bytes."""
    joules: float | None = None
    """Energy that the processor packages took meanwhile; None where this machine's counters can't be read."""
    model_bytes: int | None = None
    """Size of the model's files."""
