"""The rules of a round as data: the one source for the harness, the plan, the checker and the screen.

A new round is a new YAML file. Inconsistent rules are refused when it is read.
"""

import re
from collections.abc import Collection, Container, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from engine.errors import UsageError, nearest
from engine.mlperf import SCENARIOS, Scenario
from engine.profile import document, typed
from engine.profile.document import Value

Category = Literal["datacenter", "edge"]
Division = Literal["closed", "open", "network"]
Style = Literal["test", "fast", "valid"]
Severity = Literal["error", "warning", "note"]
"""Severity of a finding: `error`: the official checker rejects the result; `warning`: it accepts the result with a
warning; `note`: information."""
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


class ScenarioRule(msgspec.Struct, frozen=True, kw_only=True):
    """Requirements of a valid run in one scenario."""

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


class AccuracyRule(msgspec.Struct, frozen=True, kw_only=True):
    """Requirement of the closed and network divisions for one accuracy metric."""

    metric: str
    """A key of the round's `accuracy_lines`."""
    reference: Positive
    """Accuracy of the fp32 reference implementation, in the unit of the metric."""
    share: Annotated[float, Meta(gt=0, le=1)]
    upper_share: Annotated[float, Meta(ge=1)] | None = None
    """Fraction of the reference, for an upper limit: of tokens per sample, for example."""
    upper_limit: Positive | None = None
    """The same as an absolute number, in the unit of the metric."""
    baseline_percent: Positive | None = None
    """TEST01: maximum difference of two accuracies; None uses the benchmark's."""

    @property
    def target(self) -> float:
        """The least accuracy: reference times share, computed in floats as the rules' checker does."""
        return self.reference * self.share

    @property
    def most(self) -> float | None:
        """The highest accuracy; None without a limit."""
        return self.upper_limit if self.upper_share is None else self.reference * self.upper_share


class AccuracyLine(msgspec.Struct, frozen=True, kw_only=True):
    """Format of a metric's line in accuracy.txt."""

    line: str
    """A regular expression, matched at the beginning of a line; its one group is the value."""
    unit: str
    """Empty for a fraction."""


class InScenario(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark's overrides of its scenario's rules; None keeps them."""

    min_duration_ms: Count | None = None
    min_query_count: Count | None = None
    min_sample_count: Count | None = None
    """Offline: samples in the one query."""
    accuracy: tuple[AccuracyRule, ...] | None = None
    """Overrides the benchmark's."""


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark: a model, a data set and a quality target."""

    title: str
    loadgen_model: str
    """Its name in mlperf.conf."""
    checker_class: str
    """Its name in the submission checker's tables."""
    scenarios: dict[Category, tuple[Scenario, ...]]
    """The required ones; a category without an entry does not have this benchmark."""
    one_of: dict[Category, tuple[Scenario, ...]] = {}
    """One of these is required in addition."""
    optional: dict[Category, tuple[Scenario, ...]] = {}
    """Optional scenarios."""
    dataset: str
    sample_count: Annotated[int, Meta(ge=1)]
    performance_sample_count: Annotated[int, Meta(ge=1)]
    """The least number of samples that a performance run draws from."""
    performance_set_is_whole: bool = False
    """A performance run draws from the complete data set."""
    server_latency_ms: Positive | None = None
    targets: dict[Scenario, Positive] = {}
    """The benchmark's own defaults, in the unit of the scenario's target."""
    accuracy: tuple[AccuracyRule, ...]
    """By metric; the first one is shown with a result."""
    in_scenario: dict[Scenario, InScenario] = {}
    sample_concatenate_permutation: bool = False
    """Every sample is issued equally often."""
    compliance: tuple[str, ...]
    compliance_samples: Count = 0
    """TEST01: responses to log; 0 uses the test's own number."""
    baseline_percent: Positive = 1
    """TEST01: maximum difference of two accuracies where the responses differ."""

    def required(self, categories: Collection[Category]) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result needs in these categories together.

        Of alternatives the first is returned: running these is sufficient.
        """
        return _in_order({*_of(self.scenarios, categories), *(one[0] for one in self._alternatives(categories))})

    def allowed(self, categories: Collection[Category]) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result may have: required, alternative and optional ones."""
        return _in_order(
            {scenario for kind in (self.scenarios, self.one_of, self.optional) for scenario in _of(kind, categories)}
        )

    def lacking(self, categories: Collection[Category], present: Collection[str]) -> tuple[str, ...]:
        """Return the scenarios that a closed result with these ones lacks, for display: `Offline`, `Server or
        SingleStream`."""
        missing = [scenario for scenario in _in_order(_of(self.scenarios, categories)) if scenario not in present]
        groups = [group for group in self._alternatives(categories) if not set(group) & set(present)]
        return (*missing, *(" or ".join(group) for group in groups))

    def _alternatives(self, categories: Collection[Category]) -> list[tuple[Scenario, ...]]:
        """Return the groups of which one scenario each is required, without those that another requirement fulfils."""
        required = _of(self.scenarios, categories)
        groups = dict.fromkeys(self.one_of[category] for category in categories if category in self.one_of)
        return [group for group in groups if not required & set(group)]


def _of(kind: Mapping[Category, tuple[Scenario, ...]], categories: Iterable[Category]) -> set[Scenario]:
    return {scenario for category in categories for scenario in kind.get(category, ())}


def _in_order(wanted: Container[Scenario]) -> tuple[Scenario, ...]:
    return tuple(scenario for scenario in SCENARIOS if scenario in wanted)


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

    def settings_of(self, benchmark: Benchmark) -> dict[str, int]:
        """Return the settings for one benchmark, which may have its own number of responses to log."""
        if SAMPLING_TARGET in self.settings and benchmark.compliance_samples:
            return {**self.settings, SAMPLING_TARGET: benchmark.compliance_samples}
        return self.settings


class DivisionRule(msgspec.Struct, frozen=True, kw_only=True):
    """Requirements of a division."""

    accuracy_target: bool
    all_scenarios: bool
    compliance: bool
    network: bool | None
    """Required value of the system description's `is_network`; None accepts both."""


class SystemRule(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a system description."""

    required: tuple[str, ...]
    network: tuple[str, ...]
    """Also required for a network system."""
    optional: tuple[str, ...]
    status: tuple[str, ...]
    types: dict[str, tuple[Category, ...]]
    """`system_type`, spelled exactly → its categories."""
    texts: tuple[str, ...]
    """Fields that must be strings if present: the checker crashes on a number in them."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Files of a submission's folders: exactly these, and the tolerated ones."""

    performance: tuple[str, ...]
    accuracy: tuple[str, ...]
    measurements: tuple[str, ...]
    measurement_fields: tuple[str, ...]
    calibration: tuple[str, ...]
    """One of these is required in a submitter's folder, outside the open division."""
    calibration_process: str
    """Required in the measurements of every result."""
    compliance_performance: tuple[str, ...]
    compliance_accuracy: tuple[str, ...]
    compliance_baseline: tuple[str, ...]
    """In addition to those, where the responses of TEST01 differ and two accuracies are compared instead."""
    power_logs: tuple[str, ...]
    power_performance: tuple[str, ...]
    """In addition to the performance files, for a run with power."""
    tolerated: tuple[str, ...]
    tolerated_performance: tuple[str, ...]
    accuracy_log_max_bytes: Count
    """Size limit of a submitted log; a larger one has to be truncated."""
    accuracy_log_kept_bytes: Count
    """How many bytes truncation keeps at each end."""
    max_bytes: Count
    """Size limit of a submission's files."""
    beside_divisions: tuple[str, ...]
    """Folders that are allowed next to those of the divisions."""


class TestModes(msgspec.Struct, frozen=True, kw_only=True):
    """LoadGen's test modes that a log may be of."""

    __test__ = False
    performance: tuple[str, ...]
    accuracy: tuple[str, ...]


class NameGuess(msgspec.Struct, frozen=True, kw_only=True):
    """A heuristic by which the checker interprets a model folder's name."""

    contains: tuple[str, ...]
    checker_class: str


class Relaxation(msgspec.Struct, frozen=True, kw_only=True):
    """Larger tolerance between two runs with very short latencies."""

    tolerance: Positive
    below_ns: dict[Scenario, Count]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """All the rules of one round."""

    name: str
    seeds: Seeds
    scenarios: dict[Scenario, ScenarioRule]
    styles: dict[Style, StyleRule]
    benchmarks: dict[str, Benchmark]
    accuracy_lines: dict[str, AccuracyLine]
    accuracy_hash: str
    """Regular expression of the line that gives the SHA-256 of the whole accuracy log."""
    compliance: dict[str, ComplianceTest]
    relaxation: Relaxation
    divisions: dict[Division, DivisionRule]
    system: SystemRule
    files: Files
    model_names: dict[str, str]
    """Other names of a model folder → the checker's class."""
    model_guesses: tuple[NameGuess, ...]
    """Tried in this order for a name that is neither a class nor in `model_names`."""
    test_modes: TestModes
    network_sut: str
    """The name of a network system's SUT contains this."""
    inferring_categories: tuple[Category, ...]
    """Categories whose systems may infer one scenario's result from another's run."""
    severity: dict[Severity, tuple[str, ...]]
    """Severity of every rule of the checker, by its id, as in the official checker."""
    severity_in_open: dict[Severity, tuple[str, ...]]
    """Overrides for the open division."""

    def benchmark(self, name: str) -> Benchmark:
        """Return a benchmark by its name. Raises UsageError with the nearest spelling."""
        if name not in self.benchmarks:
            raise UsageError(f"round {self.name} has no benchmark '{name}'", nearest(name, self.benchmarks))
        return self.benchmarks[name]

    def test(self, name: str) -> ComplianceTest:
        """Return a compliance test by its name. Raises UsageError with the nearest spelling."""
        if name not in self.compliance:
            raise UsageError(f"round {self.name} has no compliance test '{name}'", nearest(name, self.compliance))
        return self.compliance[name]

    def checker_class(self, folder: str) -> str:
        """Return the checker's class for a model folder; for an unknown name, the name itself."""
        if any(folder == benchmark.checker_class for benchmark in self.benchmarks.values()):
            return folder
        if folder in self.model_names:
            return self.model_names[folder]
        for guess in self.model_guesses:
            if any(part in folder for part in guess.contains):
                return guess.checker_class
        return folder

    def benchmark_of(self, folder: str) -> Benchmark | None:
        """Return the benchmark whose rules apply to a model folder; None if there is none."""
        checker_class = self.checker_class(folder)
        return next((one for one in self.benchmarks.values() if one.checker_class == checker_class), None)

    def required(self, benchmark: str, system_type: str) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result needs; none if the category lacks this benchmark.

        A system of both categories needs those of both. Raises UsageError for an unknown name of either.
        """
        return self.benchmark(benchmark).required(self.categories(system_type))

    def allowed(self, benchmark: str, system_type: str) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result may have. Raises UsageError for an unknown name of either."""
        return self.benchmark(benchmark).allowed(self.categories(system_type))

    def categories(self, system_type: str) -> tuple[Category, ...]:
        """Return the categories of a system type. Raises UsageError for an unknown type."""
        if system_type not in self.system.types:
            raise UsageError(f"'{system_type}' is no system_type", nearest(system_type, self.system.types))
        return self.system.types[system_type]


def load_round(path: Path) -> Round:
    """Read the rules of a round. Raises ProfileError with file, line, key path and the nearest valid spelling."""
    top = document.read(path)
    rules = typed.build(top, Round)
    _check_complete(top, rules)
    _check_references(top, rules)
    _check_patterns(top)
    return rules


def _at(value: Value, *keys: str) -> Value:
    for key in keys:
        value = dict(value.items())[key]
    return value


def _check_complete(top: Value, rules: Round) -> None:
    """Raise ProfileError unless every scenario, style and division has its rules."""
    for section, wanted, found in (
        ("scenarios", SCENARIOS, set(rules.scenarios)),
        ("styles", get_args(Style), set(rules.styles)),
        ("divisions", get_args(Division), set(rules.divisions)),
    ):
        for name in wanted:
            if name not in found:
                raise _at(top, section).wrong(f"the key '{name}' is missing", "add it")


def _check_references(top: Value, rules: Round) -> None:
    """Raise ProfileError if a benchmark refers to unknown names, or its numbers contradict each other."""
    for name, benchmark in rules.benchmarks.items():
        place = _at(top, "benchmarks", name)
        _check_accuracy(_at(place, "accuracy"), benchmark.accuracy, rules)
        for scenario, own in benchmark.in_scenario.items():
            if own.accuracy is not None:
                _check_accuracy(_at(place, "in_scenario", scenario, "accuracy"), own.accuracy, rules)
        for test in benchmark.compliance:
            if test not in rules.compliance:
                raise _at(place, "compliance").wrong(f"unknown test '{test}'", nearest(test, rules.compliance))
        if benchmark.performance_sample_count > benchmark.sample_count:
            at = _at(place, "performance_sample_count")
            raise at.wrong(f"the data set has {benchmark.sample_count} samples only", "write at most that many")
        _check_scenarios(place, benchmark)


def _check_accuracy(place: Value, found: tuple[AccuracyRule, ...], rules: Round) -> None:
    if not found:
        raise place.wrong("there is no metric", "write at least one")
    seen: set[str] = set()
    for at, rule in zip(place, found, strict=True):
        if rule.metric not in rules.accuracy_lines:
            raise _at(at, "metric").wrong(f"unknown metric '{rule.metric}'", nearest(rule.metric, rules.accuracy_lines))
        if rule.metric in seen:
            raise _at(at, "metric").wrong(f"the metric '{rule.metric}' stands twice", "write all of it in one place")
        seen.add(rule.metric)
        if rule.upper_share is not None and rule.upper_limit is not None:
            raise at.wrong("two upper limits", "write either upper_share or upper_limit")
        if rule.most is not None and rule.most < rule.target:
            raise at.wrong(f"the upper limit {rule.most:g} is below the target {rule.target:g}", "raise it")


def _check_scenarios(place: Value, benchmark: Benchmark) -> None:
    """Raise ProfileError unless a category has scenarios, an alternative two, and each scenario one kind only."""
    for kind, found in (("one_of", benchmark.one_of), ("optional", benchmark.optional)):
        for category, scenarios in found.items():
            at = _at(place, kind, category)
            if category not in benchmark.scenarios:
                raise at.wrong(f"`scenarios` has no {category}", "name the category there, if need be with []")
            if kind == "one_of" and len(set(scenarios)) < 2:
                raise at.wrong("there is nothing to choose from", "write two scenarios or more")
            others = {
                *benchmark.scenarios[category],
                *(benchmark.one_of.get(category, ()) if kind == "optional" else ()),
            }
            if twice := [scenario for scenario in scenarios if scenario in others]:
                raise at.wrong(f"{twice[0]} stands twice in {category}", "write it in one place")


def _check_patterns(top: Value) -> None:
    lines = [_at(value, "line") for _, value in _at(top, "accuracy_lines").items()]
    for value in (*lines, _at(top, "accuracy_hash")):
        try:
            groups = re.compile(value.text()).groups
        except re.error as error:
            raise value.wrong(f"not a regular expression: {error}", "mend it") from None
        if groups != 1:
            raise value.wrong(f"{groups} groups where one is expected", "put the value into the one group")
