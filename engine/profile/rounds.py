"""The rules of a round as data: the one source for the harness, the plan, the checker and the screen.

A round is a YAML file, which may extend an earlier one (engine/profile/layers.py). Inconsistent rules are refused when
it is read (engine/profile/round_file.py).
"""

import msgspec

from engine.errors import UsageError, nearest
from engine.mlperf import Scenario
from engine.profile.benchmark_rules import AccuracyLine, AccuracyRule, Benchmark, Category
from engine.profile.scenario_rules import ComplianceTest, Inference, Relaxation, ScenarioRule, Seeds, Style, StyleRule
from engine.profile.tree_rules import (
    Division,
    DivisionRule,
    EqualIssue,
    Files,
    Judging,
    Layout,
    LoadGen,
    NameGuess,
    PowerRule,
    Severity,
    SystemRule,
    TestModes,
)


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """All the rules of one round."""

    name: str
    extends: str | None = None
    """The round that it differs from."""
    published: str
    """Month of its results: 2022-09."""
    summary: str
    """What it changes, in a sentence."""
    official: str
    """Tag or commit of mlcommons/inference whose checker decided."""
    loadgen: LoadGen
    seeds: Seeds
    scenarios: dict[Scenario, ScenarioRule]
    styles: dict[Style, StyleRule]
    benchmarks: dict[str, Benchmark]
    left: dict[str, str] = {}
    """Benchmark of an earlier round → the round from which on it is no longer there. Found when the file is read."""
    accuracy_lines: dict[str, AccuracyLine]
    accuracy_hash: str
    """Regular expression of the line that gives the SHA-256 of the whole accuracy log."""
    compliance: dict[str, ComplianceTest]
    relaxation: Relaxation
    divisions: dict[Division, DivisionRule]
    system: SystemRule
    files: Files
    layout: Layout
    power: PowerRule
    equal_issue: EqualIssue | None = None
    judging: Judging
    model_names: dict[str, str]
    """Other names of a model folder → the checker's class."""
    model_guesses: tuple[NameGuess, ...]
    """Tried in this order for a name that is neither a class nor in `model_names`."""
    test_modes: TestModes
    network_sut: str
    """The name of a network system's SUT contains this."""
    inferring_categories: tuple[Category, ...]
    """Categories whose systems may infer one scenario's result from another's run."""
    inferred: tuple[Inference, ...]
    severity: dict[str, Severity]
    """Severity of every rule of the checker, by its id, as in the official checker."""
    severity_in: dict[Division, dict[str, Severity]]
    """Overrides for a division."""

    def benchmark(self, name: str) -> Benchmark:
        """Return a benchmark by its name. Raises UsageError with the nearest spelling."""
        if name not in self.benchmarks:
            left = self.left.get(name)
            remedy = f"it left with {left}: take an earlier round" if left else nearest(name, self.benchmarks)
            raise UsageError(f"round {self.name} has no benchmark '{name}'", remedy)
        return self.benchmarks[name]

    def test(self, name: str) -> ComplianceTest:
        """Return a compliance test by its name. Raises UsageError with the nearest spelling."""
        if name not in self.compliance:
            raise UsageError(f"round {self.name} has no compliance test '{name}'", nearest(name, self.compliance))
        return self.compliance[name]

    def checker_class(self, folder: str, own: dict[str, str] | None = None) -> str:
        """Return the checker's class for a model folder; for an unknown name, the name itself.

        `own` are the names of a submitter's own mapping.
        """
        if any(folder == benchmark.checker_class for benchmark in self.benchmarks.values()):
            return folder
        if found := self.model_names.get(folder) or (own or {}).get(folder):
            return found
        for guess in self.model_guesses:
            if any(part in folder for part in guess.contains):
                return guess.checker_class
        return folder

    def benchmark_of(self, folder: str, own: dict[str, str] | None = None) -> Benchmark | None:
        """Return the benchmark whose rules apply to a model folder; None if there is none."""
        checker_class = self.checker_class(folder, own)
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

    def unit_of(self, rule: AccuracyRule) -> str:
        """Return the unit of an accuracy; empty for a fraction."""
        return self.accuracy_lines[rule.metric].unit if rule.unit is None else rule.unit

    def infers(self, run: Scenario, scenario: Scenario) -> bool:
        """Return whether a result of `scenario` can be inferred from a run of another."""
        return any((one.run, one.scenario) == (run, scenario) for one in self.inferred)

    def run_scenario(self, scenario: Scenario) -> Scenario:
        """Return the scenario in which LoadGen runs one."""
        return self.scenarios[scenario].runs_as or scenario
