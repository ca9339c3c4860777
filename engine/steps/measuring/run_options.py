"""The options of a LoadGen run, as `loadgen-run` and `find-performance` declare them."""

from __future__ import annotations

from typing import Literal, get_args

from engine.mlperf import FACTS, Mode, Scenario, target_option
from engine.step import Options


class TargetOptions(Options, frozen=True, kw_only=True):
    """What the target of a run depends on."""

    benchmark: str
    scenario: Scenario
    style: Literal["test", "fast", "valid"]
    target_latency_ms: float | None
    """The user's: Server's latency constraint, or a Stream scenario's expected latency."""
    min_query_count: int | None = None
    targets: Literal["configured", "searched"] = "configured"


class LoadGenOptions(TargetOptions, frozen=True, kw_only=True):
    """All that defines a run. A search declares no mode and no targets: it makes performance runs at its own."""

    round: str
    backend: str
    sut: str
    task: str
    mode: Literal["performance", "accuracy", "TEST01", "TEST04", "TEST05"] = "performance"
    performance_sample_count: int | None
    min_duration_ms: int | None = None
    max_query_count: int | None = None
    target_qps: float | None = None
    offline_target_qps: float | None = None
    server_target_qps: float | None = None
    singlestream_target_latency_ms: float | None = None
    multistream_target_latency_ms: float | None = None
    sessions: int | None
    intra_op_threads: int | None
    max_batch: int | None
    queue_wait_us: int | None

    def target_name(self) -> str:
        """Return the option by which the user set the target: that of the scenario alone before the general one."""
        own = target_option(self.scenario)
        return own if getattr(self, own) is not None else FACTS[self.scenario].target

    def compliance_test(self) -> str | None:
        """Return the compliance test that the mode names, if any."""
        return None if self.mode in get_args(Mode) else self.mode
