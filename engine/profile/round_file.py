"""Read the file of a round, laid over those that it extends, and refuse inconsistent rules with their place."""

import re
from pathlib import Path
from typing import get_args

import msgspec

import profiles
from engine.errors import nearest
from engine.mlperf import SCENARIOS
from engine.profile import layers, typed
from engine.profile.benchmark_rules import AccuracyRule, Benchmark
from engine.profile.document import Value
from engine.profile.rounds import Round
from engine.profile.scenario_rules import Style
from engine.profile.tree_rules import Division

FOLDER = "rounds"


def load_round(path: Path) -> Round:
    """Read the rules of a round. Raises ProfileError with file, line, key path and the nearest valid spelling."""
    top, files = layers.read(path, lambda name: _file(path, name))
    rules = typed.build(top, Round)
    _check_complete(top, rules)
    _check_references(top, rules)
    _check_patterns(top)
    return msgspec.structs.replace(rules, left=_left(files))


def _file(path: Path, name: str) -> Path | None:
    """Return the file of a round that another one extends: next to that, or the shipped one."""
    own, shipped = path.with_name(f"{name}.yaml"), profiles.FOLDER / FOLDER / f"{name}.yaml"
    return next((one for one in (own, shipped) if one != path and one.is_file()), own if own == path else None)


def _left(files: list[Value]) -> dict[str, str]:
    """Return the benchmarks that one of these files removes, each with the name of that round."""
    left: dict[str, str] = {}
    for file in files:
        sections = dict(file.items())
        for name, value in sections["benchmarks"].items() if "benchmarks" in sections else ():
            left.pop(name, None)
            if layers.is_null(value):
                left[name] = sections["name"].text()
    return left


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
            raise _at(at, "metric").wrong(f"the metric '{rule.metric}' is there twice", "write all of it in one place")
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
                raise at.wrong(f"{twice[0]} is there twice in {category}", "write it in one place")


def _check_patterns(top: Value) -> None:
    lines = [_at(value, "line") for _, value in _at(top, "accuracy_lines").items()]
    for value in (*lines, _at(top, "accuracy_hash")):
        try:
            groups = re.compile(value.text()).groups
        except re.error as error:
            raise value.wrong(f"not a regular expression: {error}", "fix it") from None
        if groups != 1:
            raise value.wrong(f"{groups} groups where one is expected", "put the value into the one group")
