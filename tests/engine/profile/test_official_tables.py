"""Every round against the tables of its official checker, read from its tag and stored as numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import profiles
from engine.mlperf import Scenario
from engine.profile.benchmark_rules import Benchmark
from engine.profile.round_file import load_round
from engine.profile.rounds import Round
from engine.profile.run_rules import resolve_rules
from engine.profile.scenario_rules import Seeds

TABLES: dict[str, Any] = json.loads((Path(__file__).parent / "official_tables.json").read_text())
RULES = {name: load_round(profiles.FOLDER / "rounds" / f"{name}.yaml") for name in TABLES}
MODELS = [(name, model) for name, table in TABLES.items() for model in table["models"]]


def seeds(found: Seeds | None) -> list[int] | None:
    return [found.qsl, found.sample_index, found.schedule] if found is not None else None


def bench_of(name: str, model: str) -> tuple[Round, Benchmark, dict[str, Any]]:
    rules = RULES[name]
    bench = next(one for one in rules.benchmarks.values() if one.checker_class == model)
    return rules, bench, TABLES[name]["models"][model]


def test_no_round_is_left_out() -> None:
    assert set(TABLES) == {path.stem for path in (profiles.FOLDER / "rounds").glob("*.yaml")}


@pytest.mark.parametrize("name", TABLES)
def test_models_and_seeds(name: str) -> None:
    rules, table = RULES[name], TABLES[name]
    assert rules.name == name
    assert {one.checker_class for one in rules.benchmarks.values()} == set(table["models"])
    assert seeds(rules.seeds) == table["seeds"]
    assert seeds(rules.compliance["TEST05"].seeds if "TEST05" in rules.compliance else None) == table["test05_seeds"]


@pytest.mark.parametrize(("name", "model"), MODELS)
def test_scenarios(name: str, model: str) -> None:
    rules, bench, table = bench_of(name, model)
    for system_type in ("datacenter", "edge", "datacenter,edge"):
        required, alternatives = table.get(system_type, ([], []))
        categories = rules.categories(system_type)
        assert set(bench.allowed(categories)) == {*required, *alternatives}, system_type
        assert not bench.lacking(categories, [*required, *alternatives[:1]])
        groups = [" or ".join(sorted(alternatives, reverse=True))] if alternatives else []
        assert sorted(bench.lacking(categories, ())) == sorted([*required, *groups])


@pytest.mark.parametrize(("name", "model"), MODELS)
def test_accuracy(name: str, model: str) -> None:
    rules, bench, table = bench_of(name, model)
    by_scenario = table["target"] if isinstance(next(iter(table["target"].values())), dict) else None
    for scenario in bench.allowed(("datacenter", "edge")):
        found = resolve_rules(rules, bench, scenario).accuracy
        wanted = table["target"] if by_scenario is None else by_scenario[scenario]
        assert {one.metric: one.target for one in found if one.has_target} == pytest.approx(wanted, rel=1e-15)
        assert {one.metric: one.most for one in found if one.most} == pytest.approx(table.get("most", {}), rel=1e-15)
        assert next(iter(wanted)) == found[0].metric


@pytest.mark.parametrize(("name", "model"), MODELS)
def test_counts_latencies_and_tests(name: str, model: str) -> None:
    rules, bench, table = bench_of(name, model)
    assert bench.performance_sample_count == table["performance_samples"]
    assert bench.sample_count == table.get("dataset", bench.sample_count)
    samples = table.get("accuracy_samples", bench.sample_count)
    for scenario in bench.allowed(("datacenter", "edge")):
        found = resolve_rules(rules, bench, scenario)
        wanted = samples if isinstance(samples, int) else samples[scenario]
        assert found.accuracy_sample_count == wanted
    for scenario, latency in table.get("latency_ns", {}).items():
        assert (resolve_rules(rules, bench, scenario).checked_latency_ms or 0) * 1e6 == latency
    for scenario, count in table["queries"].items():
        assert resolve_rules(rules, bench, scenario).min_query_count == count
    offline: Scenario = "Offline"
    known = table.get("offline_samples", 24_576)
    assert bool(resolve_rules(rules, bench, offline).refused) is (known is None)
    if known is not None:
        assert resolve_rules(rules, bench, offline).min_sample_count == known
    assert list(bench.compliance) == table["tests"]
