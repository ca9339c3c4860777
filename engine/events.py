"""What a job says while it runs: one closed union of frozen records, the same for the log, the screen and the tests.

A job's log is JSON lines. Its first record is `launch`, its last is `done`; a log without `done` whose lock is free
belongs to a job that died, and the same command goes on in the same log with another `launch`.
"""

from typing import Literal

import msgspec

from engine import codec
from engine.text import result

Outcome = Literal["built", "cached", "found", "reused", "failed", "cancelled", "skipped"]
"""How a step ended. `found` is on the machine already, `cached` is in the store, `reused` a finished result
that the person asked to use again, `skipped` depends on a step that failed."""

Ending = Literal["finished", "failed", "cancelled"]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """The part that every record has."""

    at: float
    """Seconds since the epoch, from the wall clock of the machine that runs the job."""


class Launch(Event, frozen=True, kw_only=True, tag="launch"):
    """A process took the job up."""

    job: str
    pid: int
    command: tuple[str, ...]
    version: str
    steps: int
    resumed: bool = False


class StepStarted(Event, frozen=True, kw_only=True, tag="started"):
    """A step has begun to run."""

    step: str
    title: str
    why: str
    """Why it must run rather than come from the store, as a sentence."""


class Waiting(Event, frozen=True, kw_only=True, tag="waiting"):
    """A measurement waits for another job's to end. `started` comes again when it goes on."""

    step: str
    holder: str
    """Who measures meanwhile, and since when: `r-0012 of ann, measuring since 14:03`."""


class Progress(Event, frozen=True, kw_only=True, tag="progress"):
    """How far a step is. `total` is None where it is not known."""

    step: str
    done: float
    total: float | None
    unit: str
    """`bytes`, or the plural of what is counted: pictures, steps, seconds."""


class Phase(Event, frozen=True, kw_only=True, tag="phase"):
    """A step has begun another part of its work (warm-up, measuring, scoring)."""

    step: str
    name: str


class Measuring(Event, frozen=True, kw_only=True, tag="measuring"):
    """A LoadGen run is about to start: what it goes for, and when it may end. Ticks of the same step follow."""

    step: str
    scenario: str
    mode: str
    """`performance`, `accuracy`, or the name of a compliance test."""
    target: float | None
    target_unit: str
    """`queries/s` or `samples/s`, which are asked for; `ms`, the latency by which the run is sized."""
    bound_ns: int | None
    """Server: the latency that may not be exceeded at the percentile."""
    percentile: float
    """The one that is the result, or is held against the bound, as a fraction: 0.99."""
    min_seconds: float
    min_queries: int
    """Offline: samples of its one query. 0 where nothing is asked."""
    max_seconds: float | None
    """A try-out style cuts a slow run here, and it is not valid then."""
    samples_per_query: int
    samples: int | None
    """How many samples the run goes through, where that is known before: all of them in accuracy mode."""
    sessions: int
    intra_op_threads: int
    max_batch: int


class Tick(Event, frozen=True, kw_only=True, tag="tick"):
    """A running measurement, four times a second. Counters count from the start of the run."""

    step: str
    elapsed: float
    """Seconds since LoadGen was started."""
    issued: int
    """Samples that LoadGen has handed over."""
    completed: int
    """Samples whose responses went back."""
    latencies: dict[int, int]
    """Sparse log-linear histogram (engine.histogram) of the sample latencies since the tick before: bucket -> count."""


class Measured(Event, frozen=True, kw_only=True, tag="measured"):
    """A LoadGen run ended and its logs were read."""

    step: str
    scenario: str
    mode: str
    metric: str
    value: float | None
    unit: str
    valid: bool | None
    """LoadGen's own verdict; None in accuracy mode, which has none."""
    scored: str = ""
    """In accuracy mode: samples that were scored, of those that have labels (`10 of 12`)."""

    @property
    def verdict(self) -> str:
        """LoadGen's verdict as a word; empty where it has none."""
        return {True: "VALID", False: "INVALID", None: ""}[self.valid]

    @property
    def title(self) -> str:
        """What was measured and what came of it: `Server performance: scheduled 398.2 queries/s`."""
        value = result(self.value, self.unit) or "no figure"
        return f"{self.scenario} {self.mode}: {self.metric} {value}"


class Warned(Event, frozen=True, kw_only=True, tag="warned"):
    """Something the person should know that does not stop the work."""

    step: str
    text: str
    disturbs: bool = False
    """It may have changed the figures of this step."""
    rule: str = ""
    """The checker's rule that it is about, if it is about one; the text names it too."""
    remedy: str = ""


class StepEnded(Event, frozen=True, kw_only=True, tag="ended"):
    """A step is over, whatever came of it."""

    step: str
    outcome: Outcome
    seconds: float
    text: str = ""
    """For a person: what came of it, or what failed."""
    remedy: str = ""


class Done(Event, frozen=True, kw_only=True, tag="done"):
    """The job is over."""

    ending: Ending
    seconds: float
    results: str = ""
    """The results folder, where there is one."""


AnyEvent = Launch | StepStarted | Waiting | Progress | Phase | Measuring | Tick | Measured | Warned | StepEnded | Done


_decoder: codec.Decoder[AnyEvent] = codec.Decoder(AnyEvent)


def encode(event: AnyEvent) -> bytes:
    """Return the event as one line of JSON with its newline."""
    return codec.encode(event) + b"\n"


def decode(line: bytes) -> AnyEvent:
    """Read one line. Raises msgspec.DecodeError for anything that is not an event."""
    return _decoder.decode(line)
