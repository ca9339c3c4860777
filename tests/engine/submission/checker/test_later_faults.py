"""Trees of the rounds after v2.1: complete ones pass, and one with a single fault has just that finding."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from engine.mlperf import Scenario
from engine.profile.run_rules import resolve_rules
from engine.submission.checker.check import check
from tests.engine.submission.checker.faults import append, fields, remove
from tests.engine.submission.checker.later_faults import LATER, Later, faults
from tests.engine.submission.later_tree import ROUNDS, LaterTree


def trees() -> Iterable[LaterTree]:
    """Return every benchmark of every round in each of its categories, with every scenario that it may have."""
    for name in LATER:
        for model, bench in ROUNDS[name].benchmarks.items():
            for category in bench.suites():
                yield LaterTree(name, model, category, scenarios=bench.allowed((category,)))


@pytest.mark.parametrize("tree", list(trees()), ids=lambda one: f"{one.round}-{one.model}-{one.system_type}")
def test_a_complete_tree_passes(tree: LaterTree, tmp_path: Path) -> None:
    tree.write(tmp_path)
    report = check(tmp_path, tree.rules, processes=1)
    assert [(one.rule, one.path, one.found) for one in report.findings if one.severity == "error"] == []
    assert {one.verdict for one in report.results} == {"pass"}
    assert {one.scenario for one in report.results} == set(tree.submitted())
    for one in report.results:
        assert one.units == resolve_rules(tree.rules, tree.benchmark, one.scenario).unit  # type: ignore[arg-type]


FAULTS = list(faults())
CONSEQUENCES = ("performance.summary", "compliance.performance_differs", "layout.empty_folder")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: f"{one.rule}-{one.name}")
def test_a_single_fault(fault: Later, tmp_path: Path) -> None:
    fault.tree.write(tmp_path)
    before = {(one.rule, one.severity, one.path) for one in check(tmp_path, fault.tree.rules, processes=1).findings}
    fault.make(_made(tmp_path / fault.at))
    report = check(tmp_path, fault.tree.rules, processes=1)
    found = {(one.rule, one.severity, one.path) for one in report.findings} - before
    assert fault.rule in {one[0] for one in found}
    where = {one[1:] for one in found if one[0] == fault.rule}
    # Of what is not there the finding names the place.
    assert (fault.severity, fault.at) in where or fault.at.endswith(("Offline", "src"))
    assert {rule for rule, *_ in found} <= {fault.rule, *CONSEQUENCES}
    assert report.verdict == ("fail" if fault.severity == "error" else "pass")
    stands = report.verdict == "pass" if fault.stands is None else fault.stands
    assert all(one.verdict == "pass" for one in report.results) is stands


def errors(root: Path, tree: LaterTree) -> set[str]:
    """Return the rules that a tree breaks."""
    return {one.rule for one in check(root, tree.rules, processes=1).findings if one.severity == "error"}


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_a_submitters_own_model_names(tmp_path: Path) -> None:
    tree = LaterTree("v5.1", "resnet50", division="open")
    tree.write(tmp_path)
    for kind in ("results", "measurements", "code"):
        (tmp_path / tree.home / kind).rename(tmp_path / tree.home / f"{kind}-old")
        old = next((tmp_path / tree.home / f"{kind}-old").rglob("resnet50"))
        new = tmp_path / tree.home / kind / old.relative_to(tmp_path / tree.home / f"{kind}-old").with_name("vit")
        new.parent.mkdir(parents=True)
        old.rename(new)
        remove(tmp_path / tree.home / f"{kind}-old")
    assert {one.verdict for one in check(tmp_path, tree.rules).results} == {"fail"}
    (tmp_path / tree.home / "model_mapping.json").write_text('{"vit": "resnet"}')
    report = check(tmp_path, tree.rules)
    assert ({one.verdict for one in report.results}, report.verdict) == ({"pass"}, "pass")
    append("x")(tmp_path / tree.home / "model_mapping.json")
    assert "model.mapping" in errors(tmp_path, tree)


@pytest.mark.parametrize(("name", "system_type", "passes"), [("v5.1", "datacenter", True), ("v6.0", "edge", True)])
def test_inferred_results(name: str, system_type: str, passes: bool, tmp_path: Path) -> None:
    model = "retinanet" if system_type == "datacenter" else "resnet50"
    tree = LaterTree(name, model, "edge", inferred=True)
    tree.write(tmp_path)
    report = check(tmp_path, tree.rules)
    assert (report.verdict == "pass") is passes
    assert {one.scenario for one in report.results if one.inferred} == {"MultiStream", "Offline"}
    fields(system_type="datacenter,edge")(tmp_path / tree.place("system"))
    assert errors(tmp_path, tree) == {"scenario.missing"}


def test_power_is_in_millijoules_and_needs_the_meters_settings(tmp_path: Path) -> None:
    tree = LaterTree("v4.1", "resnet50", power=True)
    tree.write(tmp_path)
    report = check(tmp_path, tree.rules)
    single = next(one for one in report.results if one.scenario == "SingleStream")
    assert (single.power_units, single.verdict) == ("millijoules", "pass")
    assert single.power_metric == pytest.approx(200.25 * 600.5 * 1000 / 240_000)
    settings = tmp_path / tree.place("measurements", "Offline") / "power_settings.md"
    settings.rename(settings.parents[2] / settings.name)  # a folder above counts, too
    assert check(tmp_path, tree.rules).verdict == "pass"
    (settings.parents[2] / settings.name).unlink()
    assert {one.rule for one in check(tmp_path, tree.rules).findings if one.severity == "error"} == {
        "measurements.power"
    }


@pytest.mark.parametrize("present", [("Offline",), ("Offline", "Server"), ("Offline", "Interactive"), ("Server",)])
def test_offline_and_one_of_server_and_interactive(present: tuple[Scenario, ...], tmp_path: Path) -> None:
    for name in ("v5.1", "v6.0"):
        tree = LaterTree(name, "llama2-70b-99", "datacenter", scenarios=present)
        tree.write(tmp_path / name)
        report = check(tmp_path / name, tree.rules)
        enough = len(present) == 2
        assert (report.verdict == "pass") is enough
        assert ({one.rule for one in report.findings if one.severity == "error"} == {"scenario.missing"}) is not enough
        # In v6.0 a missing scenario refuses the others, too.
        assert all(one.verdict == "pass" for one in report.results) is (enough or name == "v5.1")


def test_outputs_for_given_samples(tmp_path: Path) -> None:
    for division, rejected in (("closed", True), ("open", False)):
        tree = LaterTree("v5.1", "stable-diffusion-xl", "edge", division=division)  # type: ignore[arg-type]
        tree.write(tmp_path / division)
        (tmp_path / division / tree.place("results", "Offline") / "accuracy" / "images" / "4532.png").unlink()
        assert errors(tmp_path / division, tree) == ({"accuracy.samples_shown"} if rejected else set())


def test_a_scenario_that_the_official_checker_has_no_numbers_for(tmp_path: Path) -> None:
    tree = LaterTree("v5.1", "pointpainting", division="open", scenarios=("Offline",))
    tree.write(tmp_path)
    assert errors(tmp_path, tree) == {"performance.refused"}
