"""The rules of a round as data: what the harness, the plan, the checker and the screen read, all from the same file.

A new round is a new YAML file. Everything that a rule can be wrong about is refused while it is read.
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
"""Of a finding: the official checker refuses the result; it accepts it all the same; worth knowing."""
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
    """What a person configures per benchmark and scenario: a rate to reach, or a latency to expect."""

    key: Literal["target_qps", "target_latency"]
    unit: Literal["queries/s", "samples/s", "ms"]
    default: Positive
    """Where nobody said anything."""


class ScenarioRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a valid run in one scenario has to be."""

    target: Target
    percentile: Percent
    """Of the latencies, the one that counts."""
    min_duration_ms: Count
    min_query_count: Count
    min_sample_count: Count = 0
    """Offline: samples in the one query."""
    samples_per_query: Annotated[int, Meta(ge=1)] = 1
    early_stopping: bool
    """LoadGen's statistical test must be passed; it lets a run have fewer queries than the minimum."""
    fewest_queries: Count = 0
    """Below this the early stopping test can't be passed, whatever the latencies."""
    latency_ms: Positive | None = None
    """Server: the bound where the benchmark names none."""


class AccuracyRule(msgspec.Struct, frozen=True, kw_only=True):
    """What the closed and network divisions want of one metric of accuracy."""

    metric: str
    """A key of the round's `accuracy_lines`."""
    reference: Positive
    """Of the reference implementation in fp32, in the unit of the metric."""
    share: Annotated[float, Meta(gt=0, le=1)]
    upper_share: Annotated[float, Meta(ge=1)] | None = None
    """Of the reference, where there is an upper limit: tokens per sample, say."""
    upper_limit: Positive | None = None
    """The same as a number of its own, in the unit of the metric."""
    baseline_percent: Positive | None = None
    """TEST01: how far two accuracies may be from each other; None leaves it to the benchmark."""

    @property
    def target(self) -> float:
        """The least accuracy: reference times share, in floats as the rules' checker multiplies them."""
        return self.reference * self.share

    @property
    def most(self) -> float | None:
        """The highest accuracy; None where there is no such limit."""
        return self.upper_limit if self.upper_share is None else self.reference * self.upper_share


class AccuracyLine(msgspec.Struct, frozen=True, kw_only=True):
    """How accuracy.txt says a metric."""

    line: str
    """A regular expression, matched at the beginning of a line; its one group is the value."""
    unit: str
    """Empty for a fraction."""


class InScenario(msgspec.Struct, frozen=True, kw_only=True):
    """What a benchmark has otherwise than the rules of its scenario; None leaves it to them."""

    min_duration_ms: Count | None = None
    min_query_count: Count | None = None
    min_sample_count: Count | None = None
    """Offline: samples in the one query."""
    accuracy: tuple[AccuracyRule, ...] | None = None
    """Instead of the benchmark's."""


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark: a model, a data set and a quality target."""

    title: str
    loadgen_model: str
    """Its name in mlperf.conf."""
    checker_class: str
    """Its name in the submission checker's tables."""
    scenarios: dict[Category, tuple[Scenario, ...]]
    """The required ones; a category that is not there does not have this benchmark."""
    one_of: dict[Category, tuple[Scenario, ...]] = {}
    """Of these one is required besides."""
    optional: dict[Category, tuple[Scenario, ...]] = {}
    """These may be run besides."""
    dataset: str
    sample_count: Annotated[int, Meta(ge=1)]
    performance_sample_count: Annotated[int, Meta(ge=1)]
    """The fewest samples that a performance run may draw from."""
    performance_set_is_whole: bool = False
    """A performance run draws from the whole data set."""
    server_latency_ms: Positive | None = None
    targets: dict[Scenario, Positive] = {}
    """Defaults of its own, in the unit of the scenario's target."""
    accuracy: tuple[AccuracyRule, ...]
    """By metric; the first one is what a result is listed with."""
    in_scenario: dict[Scenario, InScenario] = {}
    sample_concatenate_permutation: bool = False
    """Every sample is issued equally often."""
    compliance: tuple[str, ...]
    compliance_samples: Count = 0
    """TEST01: responses to log; 0 where the test's own number holds."""
    baseline_percent: Positive = 1
    """TEST01: how far two accuracies may be from each other where the responses differ."""

    def required(self, categories: Collection[Category]) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result needs in these categories together.

        Of alternatives it is the first: running these is enough.
        """
        return _in_order({*_of(self.scenarios, categories), *(one[0] for one in self._alternatives(categories))})

    def allowed(self, categories: Collection[Category]) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result may have: required ones, alternatives and optional ones."""
        return _in_order(
            {scenario for kind in (self.scenarios, self.one_of, self.optional) for scenario in _of(kind, categories)}
        )

    def lacking(self, categories: Collection[Category], present: Collection[str]) -> tuple[str, ...]:
        """Return what a closed result with these scenarios lacks, for a person: `Offline`, `Server or SingleStream`."""
        missing = [scenario for scenario in _in_order(_of(self.scenarios, categories)) if scenario not in present]
        groups = [group for group in self._alternatives(categories) if not set(group) & set(present)]
        return (*missing, *(" or ".join(group) for group in groups))

    def _alternatives(self, categories: Collection[Category]) -> list[tuple[Scenario, ...]]:
        """Return the groups of which one scenario each is required; none that another requirement fulfils."""
        required = _of(self.scenarios, categories)
        groups = dict.fromkeys(self.one_of[category] for category in categories if category in self.one_of)
        return [group for group in groups if not required & set(group)]


def _of(kind: Mapping[Category, tuple[Scenario, ...]], categories: Iterable[Category]) -> set[Scenario]:
    return {scenario for category in categories for scenario in kind.get(category, ())}


def _in_order(wanted: Container[Scenario]) -> tuple[Scenario, ...]:
    return tuple(scenario for scenario in SCENARIOS if scenario in wanted)


class StyleRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long a run of one style is; None leaves it to the scenario's rules."""

    title: str
    min_duration_ms: Count | None = None
    max_duration_ms: Count = 0
    """0 is no limit. LoadGen calls a run that hits it invalid, which is right: it lacks queries."""
    min_query_count: dict[Scenario, Count] = {}
    min_sample_count: Count | None = None
    expected_latency_ms: dict[Scenario, Positive] = {}
    """Where nobody configured a target: small, so that LoadGen generates enough queries for a fast machine."""
    search_seconds: Positive
    """How long the search of a scenario's target may take before such runs."""


class ComplianceTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test that a closed or network result must pass, and how its run differs from an ordinary one."""

    title: str
    settings: dict[str, Count] = {}
    """LoadGen settings by their names in audit.config."""
    seeds: Seeds | None = None
    tolerance: Positive | None = None
    """How far the score may be from that of the performance run, as a fraction; None: the test is not about speed."""
    one_sided: bool = False
    """Only a better score is held against it."""
    accuracy: bool = False
    """The responses are compared with those of the accuracy run, too."""

    def settings_of(self, benchmark: Benchmark) -> dict[str, int]:
        """Return the settings for one benchmark, which may have its own number of responses to log."""
        if SAMPLING_TARGET in self.settings and benchmark.compliance_samples:
            return {**self.settings, SAMPLING_TARGET: benchmark.compliance_samples}
        return self.settings


class DivisionRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a division asks for."""

    accuracy_target: bool
    all_scenarios: bool
    compliance: bool
    network: bool | None
    """What `is_network` of the system description must be; None accepts both."""


class SystemRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a system description holds."""

    required: tuple[str, ...]
    network: tuple[str, ...]
    """Required too, where the system is a network system."""
    optional: tuple[str, ...]
    status: tuple[str, ...]
    types: dict[str, tuple[Category, ...]]
    """`system_type`, letter by letter → the categories it takes part in."""
    texts: tuple[str, ...]
    """Fields that must be strings where they are: the checker crashes on a number in them."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Which files a submission's folders hold: exactly these, besides the tolerated ones."""

    performance: tuple[str, ...]
    accuracy: tuple[str, ...]
    measurements: tuple[str, ...]
    measurement_fields: tuple[str, ...]
    calibration: tuple[str, ...]
    """One of these belongs into a submitter's folder, outside the open division."""
    calibration_process: str
    """Belongs among the measurements of every result."""
    compliance_performance: tuple[str, ...]
    compliance_accuracy: tuple[str, ...]
    compliance_baseline: tuple[str, ...]
    """Beside those, where the responses of TEST01 differ and two accuracies are compared instead."""
    power_logs: tuple[str, ...]
    power_performance: tuple[str, ...]
    """Beside the performance files of a run with power."""
    tolerated: tuple[str, ...]
    tolerated_performance: tuple[str, ...]
    accuracy_log_max_bytes: Count
    """Of the log that a submission holds; a larger one has to be truncated."""
    accuracy_log_kept_bytes: Count
    """How many bytes truncation keeps at either end."""
    max_bytes: Count
    """No file of a submission is larger."""
    beside_divisions: tuple[str, ...]
    """Folders that may lie beside those of the divisions."""


class TestModes(msgspec.Struct, frozen=True, kw_only=True):
    """Which of LoadGen's test modes a log may be of."""

    __test__ = False
    performance: tuple[str, ...]
    accuracy: tuple[str, ...]


class NameGuess(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of thumb by which the checker reads a model folder's name."""

    contains: tuple[str, ...]
    checker_class: str


class Relaxation(msgspec.Struct, frozen=True, kw_only=True):
    """Very short latencies may differ more between two runs."""

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
    """Tried in this order where a name is neither a class nor in `model_names`."""
    test_modes: TestModes
    network_sut: str
    """The name of a network system's SUT contains this."""
    inferring_categories: tuple[Category, ...]
    """Whose systems may take one scenario's result from another's run."""
    severity: dict[Severity, tuple[str, ...]]
    """Every rule of the checker, by its id: what the official checker makes of it."""
    severity_in_open: dict[Severity, tuple[str, ...]]
    """Where the open division is treated otherwise."""

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
        """Return the class for which the checker takes a model folder; of a strange name, that name itself."""
        if any(folder == benchmark.checker_class for benchmark in self.benchmarks.values()):
            return folder
        if folder in self.model_names:
            return self.model_names[folder]
        for guess in self.model_guesses:
            if any(part in folder for part in guess.contains):
                return guess.checker_class
        return folder

    def benchmark_of(self, folder: str) -> Benchmark | None:
        """Return the benchmark whose rules hold for a model folder, if any do."""
        checker_class = self.checker_class(folder)
        return next((one for one in self.benchmarks.values() if one.checker_class == checker_class), None)

    def required(self, benchmark: str, system_type: str) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result needs; none where the category lacks this benchmark.

        A system of both categories needs those of both. Raises UsageError for an unknown name of either.
        """
        return self.benchmark(benchmark).required(self.categories(system_type))

    def allowed(self, benchmark: str, system_type: str) -> tuple[Scenario, ...]:
        """Return the scenarios that a closed result may have. Raises UsageError for an unknown name of either."""
        return self.benchmark(benchmark).allowed(self.categories(system_type))

    def categories(self, system_type: str) -> tuple[Category, ...]:
        """Return the categories that a system takes part in. Raises UsageError for an unknown type."""
        if system_type not in self.system.types:
            raise UsageError(f"'{system_type}' is no system_type", nearest(system_type, self.system.types))
        return self.system.types[system_type]


def load_round(path: Path) -> Round:
    """Read the rules of a round. Raises ProfileError with file, line, place and the nearest valid spelling."""
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
    """The literals are closed: every scenario, style and division has its rules."""
    for section, wanted, found in (
        ("scenarios", SCENARIOS, set(rules.scenarios)),
        ("styles", get_args(Style), set(rules.styles)),
        ("divisions", get_args(Division), set(rules.divisions)),
    ):
        for name in wanted:
            if name not in found:
                raise _at(top, section).wrong(f"the key '{name}' is missing", "add it")


def _check_references(top: Value, rules: Round) -> None:
    """What a benchmark names must exist, and its numbers must fit each other."""
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
    """A category must have scenarios, an alternative two, and no scenario may be of two kinds."""
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
