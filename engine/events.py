"""Events of a running job: one closed union of frozen records, shared by the log, the screen and the tests.

A job's log is JSON lines. Its first record is `launch`, its last is `done`. A log without `done` whose lock is free
belongs to a job that died; resuming it appends another `launch` to the same log.
"""

from typing import Literal

import msgspec

from engine import codec
from engine.text import result

Outcome = Literal["built", "cached", "found", "reused", "failed", "cancelled", "skipped"]
"""How a step ended. `found`: already on the machine; `cached`: in the store; `reused`: a finished result of this job;
`skipped`: depends on a step that failed."""

Ending = Literal["finished", "failed", "cancelled"]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Fields that every event has."""

    at: float
    """Seconds since the epoch, from the wall clock of the machine that runs the job."""


class Launch(Event, frozen=True, kw_only=True, tag="launch"):
    """A process started or resumed the job."""

    job: str
    pid: int
    command: tuple[str, ...]
    version: str
    steps: int
    resumed: bool = False


class StepStarted(Event, frozen=True, kw_only=True, tag="started"):
    """A step started."""

    step: str
    title: str
    why: str
    """Why it must run instead of being taken from the store, as a sentence."""


class Waiting(Event, frozen=True, kw_only=True, tag="waiting"):
    """A measurement waits for one of another job. `started` is emitted again when it continues."""

    step: str
    holder: str
    """The measurement that is waited for: `r-0012 of ann, measuring since 14:03`."""


class Progress(Event, frozen=True, kw_only=True, tag="progress"):
    """Progress of a step. `total` is None if it is not known."""

    step: str
    done: float
    total: float | None
    unit: str
    """`bytes`, or the plural of what is counted: images, steps, seconds."""


class Phase(Event, frozen=True, kw_only=True, tag="phase"):
    """A step entered another phase (warm-up, measuring, scoring)."""

    step: str
    name: str


class Measuring(Event, frozen=True, kw_only=True, tag="measuring"):
    """A LoadGen run is about to start: its target and end conditions. Ticks of the same step follow."""

    step: str
    scenario: str
    mode: str
    """`performance`, `accuracy`, or the name of a compliance test."""
    target: float | None
    target_unit: str
    """`queries/s` or `samples/s` for a requested rate; `ms` for the expected latency, which sizes the run."""
    bound_ns: int | None
    """Server: the latency constraint at the percentile."""
    percentile: float
    """Percentile that is the result, or that the latency constraint applies to, as a fraction: 0.99."""
    min_seconds: float
    min_queries: int
    """Offline: samples of its one query. 0 if there is no minimum."""
    max_seconds: float | None
    """Run time limit of a test style; a run that reaches it is not valid."""
    samples_per_query: int
    samples: int | None
    """How many samples the run processes, if known in advance: all of them in accuracy mode."""
    sessions: int
    intra_op_threads: int
    max_batch: int


class Tick(Event, frozen=True, kw_only=True, tag="tick"):
    """State of a running measurement, four times a second. Counters count from the start of the run."""

    step: str
    elapsed: float
    """Seconds since LoadGen was started."""
    issued: int
    """Samples that LoadGen has issued."""
    completed: int
    """Samples whose responses were completed."""
    latencies: dict[int, int]
    """Sparse log-linear histogram (engine.histogram) of the sample latencies since the tick before: bucket -> count."""
    parts: int = 0
    """Parts of samples that are done, where a sample is many runs of the model: windows of a volume."""
    parts_per_sample: float = 0.0
    """How many a sample has on average; 0 where samples are not divided."""
    unit: str = ""
    """What they are called, in the plural."""

    @property
    def done(self) -> float:
        """Samples that are done, with what is done of unfinished ones."""
        return self.parts / self.parts_per_sample if self.parts_per_sample else float(self.completed)


class Measured(Event, frozen=True, kw_only=True, tag="measured"):
    """A LoadGen run ended and its logs were parsed."""

    step: str
    scenario: str
    mode: str
    metric: str
    value: float | None
    unit: str
    valid: bool | None
    """LoadGen's own verdict; None in accuracy mode, which has none."""
    scored: str = ""
    """Accuracy mode: samples that were scored, of those that have labels (`10 of 12`)."""

    @property
    def verdict(self) -> str:
        """LoadGen's verdict as a word; empty if it has none."""
        return {True: "VALID", False: "INVALID", None: ""}[self.valid]

    @property
    def title(self) -> str:
        """What was measured and its result: `Server performance: scheduled 398.2 queries/s`."""
        value = result(self.value, self.unit) or "no figure"
        return f"{self.scenario} {self.mode}: {self.metric} {value}"


class Warned(Event, frozen=True, kw_only=True, tag="warned"):
    """A warning: the work continues."""

    step: str
    text: str
    disturbs: bool = False
    """It may have changed the figures of this step."""
    rule: str = ""
    """The checker's rule that it is about, if any; the text names it too."""
    remedy: str = ""


class StepEnded(Event, frozen=True, kw_only=True, tag="ended"):
    """A step ended, with any outcome."""

    step: str
    outcome: Outcome
    seconds: float
    text: str = ""
    """For the user: the result, or what failed."""
    remedy: str = ""


class Done(Event, frozen=True, kw_only=True, tag="done"):
    """The job is over."""

    ending: Ending
    seconds: float
    results: str = ""
    """The results folder, if there is one."""


AnyEvent = Launch | StepStarted | Waiting | Progress | Phase | Measuring | Tick | Measured | Warned | StepEnded | Done


_decoder: codec.Decoder[AnyEvent] = codec.Decoder(AnyEvent)


def encode(event: AnyEvent) -> bytes:
    """Return the event as one line of JSON with its newline."""
    return codec.encode(event) + b"\n"


def decode(line: bytes) -> AnyEvent:
    """Read one line. Raises msgspec.DecodeError for anything that is not an event."""
    return _decoder.decode(line)
