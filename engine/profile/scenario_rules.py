"""Rules of a round for runs: random seeds, scenarios, run styles and compliance tests."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.mlperf import VERIFY_ACCURACY, Scenario

Style = Literal["test", "fast", "valid"]
SAMPLING_TARGET = "accuracy_log_sampling_target"
"""LoadGen's setting for how many responses a performance run logs."""

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Percent = Annotated[float, Meta(gt=0, lt=100)]


class Seeds(msgspec.Struct, frozen=True, kw_only=True):
    """LoadGen's three random seeds, up to 2^64."""

    qsl: Count
    sample_index: Count
    schedule: Count


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The configured target per benchmark and scenario: a rate to reach, or an expected latency."""

    key: Literal["target_qps", "target_latency"]
    unit: Literal["queries/s", "samples/s", "ms"]
    default: Positive
    """Used if nothing was configured."""


class ResultField(msgspec.Struct, frozen=True, kw_only=True):
    """Where a result is in the detail log, and its unit; None, of a benchmark, takes the scenario's."""

    key: str | None = None
    """Of a latency in ns, or of a rate per second."""
    unit: str | None = None
    name: str | None = None
    """Its name on screen; None takes the usual one (engine.mlperf.FACTS)."""


class ScenarioRule(msgspec.Struct, frozen=True, kw_only=True):
    """Requirements of a valid run in one scenario."""

    runs_as: Scenario | None = None
    """LoadGen's scenario, where it has another name."""
    result: ResultField
    target: Target
    percentile: Percent
    """The latency percentile that counts."""
    min_duration_ms: Count
    min_query_count: Count
    min_sample_count: Count = 0
    """Offline: samples in the one query."""
    samples_per_query: Annotated[int, Meta(ge=1)] = 1
    early_stopping: bool
    """LoadGen's statistical test must pass; it allows fewer queries than the minimum."""
    fewest_queries: Count = 0
    """With fewer queries the early stopping test can't pass, whatever the latencies."""
    latency_ms: Positive | None = None
    """Server: the latency constraint if the benchmark has none of its own."""


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario whose result may be inferred from another one's run."""

    scenario: Scenario
    run: Scenario


class StyleRule(msgspec.Struct, frozen=True, kw_only=True):
    """Length of runs of one style; None uses the scenario's rules."""

    title: str
    min_duration_ms: Count | None = None
    max_duration_ms: Count = 0
    """0 is no limit. LoadGen reports a run that hits it as invalid, correctly: it has too few queries."""
    min_query_count: dict[Scenario, Count] = {}
    min_sample_count: Count | None = None
    expected_latency_ms: dict[Scenario, Positive] = {}
    """Used if no target was configured: small, so that LoadGen generates enough queries for a fast machine."""
    search_seconds: Positive
    """Maximum duration of the search for a scenario's target before such runs."""


class TestOutput(msgspec.Struct, frozen=True, kw_only=True):
    """What a test's own script must have printed."""

    __test__ = False
    file: str = VERIFY_ACCURACY
    lines: tuple[tuple[str, ...], ...]
    """One of each group is a line of the file."""


class ComplianceTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test that a closed or network result must pass, and how its run differs from an ordinary one."""

    title: str
    settings: dict[str, Count] = {}
    """LoadGen settings by their names in audit.config."""
    seeds: Seeds | None = None
    tolerance: Positive | None = None
    """Maximum relative difference of the score from the performance run's; None: the test does not compare speed."""
    one_sided: bool = False
    """Only a better score fails the test."""
    accuracy: bool = False
    """The responses are also compared with those of the accuracy run."""
    accuracy_when_same: bool = True
    """The accuracy folder is needed also where all responses are the same."""
    output: TestOutput | None = None
    """Required of a test that is neither; its run can't be made here."""

    def settings_of(self, samples: int | None) -> dict[str, int]:
        """Return the settings for a benchmark; `samples` is its own number of responses to log, if it has one."""
        if SAMPLING_TARGET in self.settings and samples:
            return {**self.settings, SAMPLING_TARGET: samples}
        return self.settings


class Relaxation(msgspec.Struct, frozen=True, kw_only=True):
    """Larger tolerance between two runs with very short latencies."""

    tolerance: Positive
    below_ns: dict[Scenario, Count]
