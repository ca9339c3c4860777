"""Check the results of one system: its description, its models, their scenario folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.mlperf_logs.metric import UNITS
from engine.profile.rounds import Benchmark, Round
from engine.submission.checker import accuracy, compliance, measurements, performance, power, summary, walk
from engine.submission.checker import system_description as system
from engine.submission.checker.file_system import Disk, Folder
from engine.submission.checker.findings import Ledger, Outcome, Result, Severities, System
from engine.submission.checker.log import Reader
from engine.submission.checker.place import SPELLINGS, Place, Site
from engine.submission.checker.walk import Unit


def check_units(tree: Path, rules: Round, units: Iterable[Unit], *, strict: bool) -> Iterator[Outcome]:
    """Yield the outcome of each unit, in order; nothing of a unit is kept."""
    severities = Severities(rules, strict=strict)
    disk = Disk(str(tree.absolute()), rules.files)
    reader = Reader()
    for unit in units:
        ledger = Ledger(severities, unit.division)
        site = Site(disk, reader, rules, ledger, unit.division, unit.submitter)
        if unit.system:
            found = _SystemCheck(site, unit.system)
            yield Outcome(list(found.results()), ledger.findings, found.says)
        else:
            walk.check_apart(site)
            yield Outcome([], ledger.findings)


class _SystemCheck:
    """Results of one system, and the sibling folders with the same names."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.name = name
        self.says: System
        self.described, self.says = system.describe(site, name)
        self.folder, *self.beside = (
            site.disk.list(f"{site.home}/{kind}/{name}", site.ledger) for kind in ("results", *walk.KINDS)
        )

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
        rules, ledger = self.site.rules, self.site.ledger
        benchmark = rules.benchmark_of(model)
        categories = self.described.categories
        if benchmark is None:
            found = f"{model}, taken for {rules.checker_class(model)}"
            ledger.add("model.unknown", folder.path, found, ", ".join(rules.benchmarks))
            return None
        if categories and not benchmark.allowed(categories):
            found = f"{model} in {','.join(categories)}"
            ledger.add("model.category", folder.path, found, ", ".join(benchmark.scenarios))
            return None
        if self.site.division != "open" and model not in rules.benchmarks:
            ledger.add("model.alias", folder.path, model, ", ".join(rules.benchmarks))
        return benchmark

    def _model_results(self, model: str, folder: Folder, benchmark: Benchmark) -> Iterator[Result]:
        ledger = self.site.ledger
        categories = self.described.categories
        exactly = benchmark.allowed(categories) if self.site.rules.divisions[self.site.division].all_scenarios else ()
        issues = 0
        for spelling, inside in folder.folders.items():
            scenario = SPELLINGS.get(spelling)
            if scenario is None:
                ledger.add("scenario.unknown", inside.path, spelling, ", ".join(SPELLINGS))
            elif exactly and scenario not in exactly:
                ledger.add("scenario.extra", inside.path, spelling, ", ".join(exactly))
            else:
                beside = [root.at(model, spelling) if root is not None else None for root in self.beside]
                place = Place(
                    self.site, self.name, model, spelling, scenario, benchmark, self.described, inside, *beside
                )
                before = ledger.errors
                issues += measurements.check(place)
                # The official checker refuses the tree for missing measurements, but not the result.
                before = ledger.errors if place.measurements is None else before
                yield self._result(place, issues, before)
                continue
            yield self._refused(model, inside)
        present = [SPELLINGS[spelling] for spelling in folder.folders if spelling in SPELLINGS]
        missing = benchmark.lacking(categories, present) if exactly else ()
        if missing:
            wanted = ", ".join(benchmark.lacking(categories, ()))
            ledger.add("scenario.missing", folder.path, f"no {', '.join(sorted(missing))}", wanted)

    def _result(self, place: Place, issues: int, before: int) -> Result:
        """Check everything about a result; `before`: the errors that are not its own."""
        ledger = place.site.ledger
        score, accuracy_log = accuracy.check(place)
        run = performance.check(place)
        if accuracy_log is not None:
            accuracy.check_run(place, accuracy_log, run.log)
        run_folder = place.folder.at("performance", "run_1")
        if run.log is not None and run_folder is not None:
            summary.check(place, run_folder, run.log)
        watts_or_joules = power.check(place, run.log) if power.has_power(place) else None
        if place.site.rules.divisions[place.site.division].compliance:
            compliance.check(place, run.log)
        passed = self.described.valid and ledger.errors == before and run.metric is not None
        return Result(
            path=place.folder.path,
            verdict="pass" if passed else "fail",
            metric=run.metric.value if passed and run.metric is not None else None,
            units=UNITS[place.scenario],
            accuracy=score,
            inferred=run.metric is not None and run.metric.inferred,
            has_power=bool(passed and watts_or_joules),
            power_metric=watts_or_joules if passed and watts_or_joules else None,
            scenario=place.scenario,
            checker_class=place.benchmark.checker_class,
            issues=issues,
        )

    def _refused(self, model: str, folder: Folder) -> Result:
        """Return a result for which there are no rules."""
        scenario = SPELLINGS.get(folder.path.rpartition("/")[2])
        return Result(
            path=folder.path,
            verdict="fail",
            metric=None,
            units=UNITS[scenario] if scenario is not None else "",
            accuracy=None,
            inferred=False,
            has_power=False,
            power_metric=None,
            scenario=scenario or "",
            checker_class=self.site.rules.checker_class(model),
            issues=0,
        )
