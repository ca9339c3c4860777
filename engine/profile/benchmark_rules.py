"""Rules of a round for one benchmark: its scenarios, sample counts, latencies and accuracy."""

from collections.abc import Collection, Container, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.mlperf import SUBMITTED, Scenario
from engine.profile.scenario_rules import Count, Positive, ResultField

Category = Literal["datacenter", "edge"]
Suite = Literal["datacenter", "edge", "both"]
"""A category, or a system that is in both."""

_Scenarios = dict[Suite, tuple[Scenario, ...]]


class AccuracyRule(msgspec.Struct, frozen=True, kw_only=True):
    """Requirement of the closed and network divisions for one accuracy metric."""

    metric: str
    """A key of the round's `accuracy_lines`."""
    reference: Positive | None = None
    """Accuracy of the fp32 reference implementation, in the unit of the metric."""
    unit: str | None = None
    """Where it is not that of the metric's line."""
    share: Annotated[float, Meta(gt=0, le=1)] = 1
    least: Positive | None = None
    """The least accuracy, where it is no fraction of the reference."""
    upper_share: Annotated[float, Meta(ge=1)] | None = None
    """Fraction of the reference, for an upper limit: of tokens per sample, for example."""
    upper_limit: Positive | None = None
    """The same as an absolute number, in the unit of the metric."""
    baseline_percent: Positive | None = None
    """TEST01: maximum difference of two accuracies; None uses the benchmark's."""

    @property
    def target(self) -> float:
        """The least accuracy: reference times share, computed in floats as the rules' checker does; 0 without one."""
        if self.least is not None:
            return self.least
        return 0.0 if self.reference is None else self.reference * self.share

    @property
    def has_target(self) -> bool:
        """Whether there is a least accuracy; without one the metric need not be there."""
        return self.least is not None or self.reference is not None

    @property
    def most(self) -> float | None:
        """The highest accuracy; None without a limit."""
        if self.upper_share is None or self.reference is None:
            return self.upper_limit
        return self.reference * self.upper_share


class AccuracyLine(msgspec.Struct, frozen=True, kw_only=True):
    """Format of a metric's line in accuracy.txt."""

    line: str
    """A regular expression, matched at the beginning of a line; its one group is the value."""
    unit: str
    """Empty for a fraction."""


class TokenLatency(msgspec.Struct, frozen=True, kw_only=True):
    """Latency constraints of a text generator at the 99th percentile; both must be below."""

    first_ms: Positive
    """Time to the first token (TTFT)."""
    each_ms: Positive
    """Time per output token after the first (TPOT)."""


class InScenario(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark's overrides of its scenario's rules; None keeps them."""

    min_duration_ms: Count | None = None
    min_query_count: Count | None = None
    min_sample_count: Count | None = None
    """Offline: samples in the one query."""
    accuracy: tuple[AccuracyRule, ...] | None = None
    """Overrides the benchmark's."""
    accuracy_sample_count: Count | None = None
    percentile: Annotated[float, Meta(gt=0, lt=100)] | None = None
    latency_ms: Positive | None = None
    token_latency: TokenLatency | None = None
    result: ResultField | None = None
    refused: str = ""
    """Why the official checker refuses every run in this scenario, in any division."""


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark: a model, a data set and a quality target."""

    title: str
    loadgen_model: str
    """Its name in mlperf.conf."""
    checker_class: str
    """Its name in the submission checker's tables."""
    scenarios: _Scenarios
    """The required ones; a category without an entry does not have this benchmark. `both`, where a system of both
    categories needs others than those of both together; [] where it does not have the benchmark."""
    one_of: _Scenarios = {}
    """One of these is required in addition."""
    optional: _Scenarios = {}
    """Optional scenarios."""
    dataset: str
    sample_count: Annotated[int, Meta(ge=1)]
    accuracy_sample_count: Count | None = None
    """Samples of an accuracy run, where they are not the whole data set."""
    performance_sample_count: Annotated[int, Meta(ge=1)]
    """The least number of samples that a performance run draws from."""
    performance_set_is_whole: bool = False
    """A performance run draws from the complete data set."""
    server_latency_ms: Positive | None = None
    targets: dict[Scenario, Positive] = {}
    """The benchmark's own defaults, in the unit of the scenario's target."""
    accuracy: tuple[AccuracyRule, ...]
    """By metric; the first one is shown with a result."""
    accuracy_samples: dict[str, tuple[str, ...]] = {}
    """Folder of accuracy/ → names, without their ending, of the outputs that must be in it."""
    in_scenario: dict[Scenario, InScenario] = {}
    token_latencies: bool = False
    """LoadGen must have measured the latencies of tokens."""
    counts_tokens: bool = False
    """LoadGen counts the tokens of responses: its result is tokens per second."""
    token_latency: TokenLatency | None = None
    """In all scenarios but Offline; a scenario may have its own."""
    sample_concatenate_permutation: bool = False
    """Every sample is issued equally often."""
    equal_issue_checked: bool = False
    """The checker refuses a run without that."""
    compliance: tuple[str, ...]
    compliance_samples: Count = 0
    """TEST01: responses to log; 0 uses the test's own number."""
    baseline_percent: Positive = 1
    """TEST01: maximum difference of two accuracies where the responses differ."""
    invalid_accepted: bool = False
    """The official checker accepts a run that LoadGen calls INVALID."""

    def required(self, categories: Collection[Category]) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result needs in these categories together.

        Of alternatives the first is returned: running these is sufficient.
        """
        needed = self._of(self.scenarios, categories)
        return in_order({*needed, *(one[0] for one in self._alternatives(categories))})

    def allowed(self, categories: Collection[Category]) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result may have: required, alternative and optional ones."""
        kinds = (self.scenarios, self.one_of, self.optional)
        return in_order({scenario for kind in kinds for scenario in self._of(kind, categories)})

    def lacking(self, categories: Collection[Category], present: Collection[str]) -> tuple[str, ...]:
        """Return the scenarios that a closed result with these ones lacks, for display: `Offline`, `Server or
        SingleStream`."""
        needed = in_order(self._of(self.scenarios, categories))
        missing = [scenario for scenario in needed if scenario not in present]
        groups = [group for group in self._alternatives(categories) if not set(group) & set(present)]
        return (*missing, *(" or ".join(group) for group in groups))

    def suites(self) -> tuple[Category, ...]:
        """Return the categories that have this benchmark."""
        return tuple(name for name in ("datacenter", "edge") if self.allowed((name,)))

    def _alternatives(self, categories: Collection[Category]) -> list[tuple[Scenario, ...]]:
        """Return the groups of which one scenario each is required, without those that another requirement fulfils."""
        required = self._of(self.scenarios, categories)
        groups = dict.fromkeys(self.one_of[suite] for suite in self._suites(categories) if suite in self.one_of)
        return [group for group in groups if not required & set(group)]

    def _of(self, kind: Mapping[Suite, tuple[Scenario, ...]], categories: Collection[Category]) -> set[Scenario]:
        return {scenario for suite in self._suites(categories) for scenario in kind.get(suite, ())}

    def _suites(self, categories: Collection[Category]) -> tuple[Suite, ...]:
        return ("both",) if len(set(categories)) > 1 and "both" in self.scenarios else tuple(categories)


def in_order(wanted: Container[Scenario]) -> tuple[Scenario, ...]:
    """Return scenarios in the usual order."""
    return tuple(scenario for scenario in SUBMITTED if scenario in wanted)
