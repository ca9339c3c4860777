"""Check the results of one system: its description, its models, their scenario folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.mlperf import Scenario
from engine.profile.benchmark_rules import Benchmark
from engine.profile.rounds import Round
from engine.submission.checker import accuracy, compliance, measurements, performance, power, summary, walk
from engine.submission.checker import system_description as system
from engine.submission.checker.file_system import Disk, Folder
from engine.submission.checker.findings import CheckedSystem, FindingCollector, Result, Severities, UnitOutcome
from engine.submission.checker.location import CheckContext, Location
from engine.submission.checker.log import Reader
from engine.submission.checker.walk import Unit


def check_units(tree: Path, rules: Round, units: Iterable[Unit], *, strict: bool) -> Iterator[UnitOutcome]:
    """Yield the outcome of each unit, in order; nothing of a unit is kept."""
    severities = Severities(rules, strict=strict)
    disk = Disk(str(tree.absolute()), rules)
    reader = Reader()
    for unit in units:
        collector = FindingCollector(severities, unit.division)
        context = CheckContext(disk, reader, rules, collector, unit.division, unit.submitter)
        if unit.system:
            found = _SystemCheck(context, unit.system)
            yield UnitOutcome(list(found.results()), collector.findings, found.described_system)
        else:
            walk.check_apart(context)
            yield UnitOutcome([], collector.findings)


class _SystemCheck:
    """Results of one system, and the sibling folders with the same names."""

    def __init__(self, context: CheckContext, name: str) -> None:
        self.context = context
        self.name = name
        self.described_system: CheckedSystem
        self.described, self.described_system = system.describe(context, name)
        self.folder, *siblings = (
            context.disk.list(f"{context.home}/{kind}/{name}", context.collector)
            for kind in ("results", *context.rules.layout.kinds())
        )
        self.siblings = dict(zip(context.rules.layout.kinds(), siblings, strict=True))

    def results(self) -> Iterator[Result]:
        """Yield one result for each scenario folder."""
        for model, folder in self.folder.folders.items() if self.folder is not None else ():
            benchmark = self._benchmark(model, folder)
            if benchmark is None:
                yield from (self._refused(model, scenario) for scenario in folder.folders.values())
            else:
                yield from self._model_results(model, folder, benchmark)

    def _benchmark(self, model: str, folder: Folder) -> Benchmark | None:
        """Return the benchmark that a model folder is checked as."""
        rules, collector = self.context.rules, self.context.collector
        benchmark = rules.benchmark_of(model, self.context.own_names)
        categories = self.described.categories
        if benchmark is None:
            found = f"{model}, taken for {rules.checker_class(model, self.context.own_names)}"
            collector.add("model.unknown", folder.path, found, ", ".join(rules.benchmarks))
            return None
        if categories and not benchmark.allowed(categories):
            found = f"{model} in {','.join(categories)}"
            collector.add("model.category", folder.path, found, ", ".join(benchmark.suites()))
            return None
        if self.context.division != "open" and model not in rules.benchmarks:
            collector.add("model.alias", folder.path, model, ", ".join(rules.benchmarks))
        return benchmark

    def _model_results(self, model: str, folder: Folder, benchmark: Benchmark) -> Iterator[Result]:
        collector, spellings = self.context.collector, self.context.spellings
        categories = self.described.categories
        exactly = (
            benchmark.allowed(categories) if self.context.rules.divisions[self.context.division].all_scenarios else ()
        )
        issues = 0
        present = [spellings[spelling] for spelling in folder.folders if spelling in spellings]
        missing = benchmark.lacking(categories, present) if exactly else ()
        if missing:
            wanted = ", ".join(benchmark.lacking(categories, ()))
            collector.add("scenario.missing", folder.path, f"no {', '.join(sorted(missing))}", wanted)
        foreign = [one for one in folder.folders if spellings.get(one) not in (exactly or spellings.values())]
        refused = bool(missing or foreign) and bool(exactly) and self.context.rules.judging.missing_scenario_counts
        for spelling, inside in folder.folders.items():
            scenario = spellings.get(spelling)
            if scenario is None:
                collector.add("scenario.unknown", inside.path, spelling, ", ".join(spellings))
            elif exactly and scenario not in exactly:
                collector.add("scenario.extra", inside.path, spelling, ", ".join(exactly))
            else:
                location = self._location(model, spelling, scenario, benchmark, inside)
                before = collector.errors
                issues += measurements.check(location)
                if location.measurements is None and not self.context.rules.judging.measurements_count:
                    before = collector.errors
                yield self._result(location, issues, -1 if refused else before)
                continue
            yield self._refused(model, inside)

    def _location(
        self, model: str, spelling: str, scenario: Scenario, benchmark: Benchmark, folder: Folder
    ) -> Location:
        measured, compliance = (
            self._beside(template.partition("/")[0], model, spelling, folder)
            for template in (self.context.rules.layout.measurements, self.context.rules.layout.compliance)
        )
        return Location(
            self.context, self.name, model, spelling, scenario, benchmark, self.described, folder, measured, compliance
        )

    def _beside(self, kind: str, model: str, spelling: str, folder: Folder) -> Folder | None:
        """Return a result's folder of a kind, which is its own where the round has no other."""
        if kind not in self.siblings:
            return folder
        root = self.siblings[kind]
        return root.at(model, spelling) if root is not None else None

    def _result(self, location: Location, issues: int, before: int) -> Result:
        """Check everything about a result; `before`: the errors that are not its own, -1 where it is refused anyway."""
        collector = location.context.collector
        score, accuracy_log = accuracy.check(location)
        run = performance.check(location)
        if accuracy_log is not None:
            accuracy.check_run(location, accuracy_log, run.log)
        run_folder = location.folder.at("performance", "run_1")
        if run.log is not None and run_folder is not None:
            summary.check(location, run_folder, run.log)
        watts_or_joules = None
        if power.has_power(location):
            measurements.check_power(location)
            watts_or_joules = power.check(location, run.log)
        if location.context.rules.divisions[location.context.division].compliance:
            compliance.check(location, run.log)
        passed = self.described.valid and collector.errors == before and run.metric is not None
        return Result(
            path=location.folder.path,
            verdict="pass" if passed else "fail",
            metric=run.metric.value if passed and run.metric is not None else None,
            units=location.run_rules.unit,
            accuracy=score,
            inferred=run.metric is not None and run.metric.inferred,
            has_power=bool(passed and watts_or_joules),
            power_metric=watts_or_joules if passed and watts_or_joules else None,
            power_units=power.unit(location),
            scenario=location.scenario,
            checker_class=location.benchmark.checker_class,
            issues=issues,
        )

    def _refused(self, model: str, folder: Folder) -> Result:
        """Return a result for which there are no rules."""
        rules = self.context.rules
        scenario = self.context.spellings.get(folder.path.rpartition("/")[2])
        return Result(
            path=folder.path,
            verdict="fail",
            metric=None,
            units=rules.scenarios[scenario].result.unit or "" if scenario is not None else "",
            accuracy=None,
            inferred=False,
            has_power=False,
            power_metric=None,
            power_units="",
            scenario=scenario or "",
            checker_class=rules.checker_class(model, self.context.own_names),
            issues=0,
        )
