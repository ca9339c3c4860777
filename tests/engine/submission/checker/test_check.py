"""The whole check: its parameters, its report, its processes."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import engine.submission.checker as checker
from engine.errors import ProfileError, UsageError
from engine.profile.tree_rules import Severity
from engine.submission.checker import pool as workers
from engine.submission.checker.check import check
from engine.submission.checker.report import COLUMNS, as_json, csv_rows
from engine.submission.checker.results import check_units
from engine.submission.checker.rules import RULES as TABLE
from engine.submission.checker.walk import Unit
from tests.engine.submission.base_tree import RULES, SUBMITTER, SYSTEMS, write_all, write_system
from tests.engine.submission.checker.faults import described, fields, result_of, says


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of all systems."""
    root = tmp_path_factory.mktemp("all")
    write_all(root)
    return root


def test_a_tree_of_all_systems_is_clean(everything: Path) -> None:
    report = check(everything, RULES)
    assert report.verdict == "pass"
    assert report.findings == []
    assert len(report.results) == 52
    assert {one.checker_class for one in report.results} == {one.checker_class for one in RULES.benchmarks.values()}


def test_processes_change_nothing(everything: Path) -> None:
    alone = check(everything, RULES, processes=1)
    assert check(everything, RULES, processes=2) == alone
    assert check(everything, RULES, processes=5) == alone


@pytest.mark.parametrize("answer", ["", "print('no outcome')", "import sys; sys.stdout.buffer.write(b'\\xff' * 9)"])
def test_a_process_that_dies_is_replaced(everything: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    alone = check(everything, RULES, processes=1)
    real = subprocess.Popen

    def dying(command: list[str], **more: Any) -> subprocess.Popen[bytes]:
        return real([sys.executable, "-c", answer], **more)

    monkeypatch.setattr(subprocess, "Popen", dying)
    assert check(everything, RULES, processes=2) == alone


def test_a_stopped_check_ends_its_processes(everything: Path) -> None:
    units = [Unit("closed", SUBMITTER, name) for name in SYSTEMS if SYSTEMS[name].division == "closed"]
    outcomes = workers.share(everything, RULES, units, strict=False, processes=2)
    assert next(outcomes).results
    outcomes.close()  # type: ignore[attr-defined]


def test_one_submitter_alone(everything: Path) -> None:
    assert check(everything, RULES, submitter=SUBMITTER).verdict == "pass"
    nobody = check(everything, RULES, submitter="acme")
    assert nobody.verdict == "fail"
    assert [finding.rule for finding in nobody.findings] == ["layout.no_results"]


def test_strictness_makes_warnings_errors(tmp_path: Path) -> None:
    write_system(tmp_path, SYSTEMS["open"])
    fields(cooling="")(tmp_path / described("open"))
    says(effective_min_duration_ms=5)(
        tmp_path / result_of("open", "Offline") / "performance" / "run_1" / "mlperf_log_detail.txt"
    )
    lenient, strict = (check(tmp_path, RULES, strict=one) for one in (False, True))
    assert lenient.verdict == "pass"
    assert strict.verdict == "fail"
    assert lenient.count("warning") == strict.count("error") == 3
    assert {one.verdict for one in strict.results} == {"fail"}
    assert {one.rule for one in strict.findings} == {one.rule for one in lenient.findings}


def test_notes_stay_notes(tmp_path: Path) -> None:
    write_system(tmp_path, SYSTEMS["open"])
    log = tmp_path / result_of("open", "Offline") / "performance" / "run_1" / "mlperf_log_detail.txt"
    log.write_text(log.read_text() + "finished\n")
    report = check(tmp_path, RULES, strict=True)
    assert report.verdict == "pass"
    assert [finding.severity for finding in report.findings] == ["note"]


def test_an_empty_folder_holds_no_results(tmp_path: Path) -> None:
    report = check(tmp_path, RULES)
    assert report.verdict == "fail"
    assert [(finding.rule, finding.path) for finding in report.findings] == [("layout.no_results", ".")]


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_what_is_no_folder_cannot_be_checked(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="there is no folder"):
        check(tmp_path / name, RULES)


def test_a_round_must_name_every_rule(tmp_path: Path) -> None:
    less = {rule: level for rule, level in RULES.severity.items() if rule != "layout.no_results"}
    with pytest.raises(ProfileError, match=r"layout\.no_results"):
        check(tmp_path, msgspec.structs.replace(RULES, severity=less))
    more = {**RULES.severity, "layout.taste": RULES.severity["layout.no_results"]}
    with pytest.raises(ProfileError, match=r"layout\.taste"):
        check(tmp_path, msgspec.structs.replace(RULES, severity=more))


def test_the_table_of_rules_is_what_the_code_uses() -> None:
    folder = Path(checker.__file__).parent
    code = "".join(path.read_text() for path in folder.glob("*.py") if path.name != "rules.py")
    concerns = "|".join({name.split(".")[0] for name in TABLE})
    used = set(re.findall(rf'"((?:{concerns})\.\w+)"', code))
    assert used - {"accuracy.txt"} == set(TABLE)
    for name, rule in TABLE.items():
        assert rule.meaning, name
        assert rule.remedy, name
        assert len(rule.meaning) < 100, name


def test_every_rule_has_one_severity() -> None:
    assert list(RULES.severity) == list(TABLE)
    assert set(RULES.severity.values()) == set(get_args(Severity))
    assert {rule for own in RULES.severity_in.values() for rule in own} <= set(TABLE)


def test_json(tmp_path: Path) -> None:
    write_system(tmp_path, SYSTEMS["open-inferred"])
    fields(cooling="")(tmp_path / described("open-inferred"))
    said = json.loads(json.dumps(as_json(check(tmp_path, RULES))))
    assert list(said) == ["verdict", "results", "findings"]
    assert said["results"][0] == {
        "path": f"open/{SUBMITTER}/results/open-inferred/resnet50/multistream",
        "verdict": "pass",
        "metric": pytest.approx(24.8),
        "units": "Latency (ms)",
        "accuracy": "76.456",
        "inferred": True,
        "has_power": True,
        "power_metric": pytest.approx(200.25 * 600.5 * 8 / 240_000),
    }
    assert said["findings"] == [
        {
            "rule": "system.field_empty",
            "severity": "warning",
            "path": f"open/{SUBMITTER}/systems/open-inferred.json",
            "found": "cooling",
            "expected": "values, or N/A",
            "remedy": "fill it in; N/A where it does not apply",
        }
    ]


def test_csv(tmp_path: Path) -> None:
    write_system(tmp_path, SYSTEMS["both"])
    shutil.rmtree(tmp_path / result_of("both", "Server") / "accuracy")
    text = io.StringIO()
    csv.writer(text).writerows(csv_rows(check(tmp_path, RULES)))
    rows = list(csv.reader(io.StringIO(text.getvalue())))
    assert len(rows[0]) == 27
    assert tuple(rows[0]) == COLUMNS
    by_scenario = {}
    for row in rows[1:]:
        found = dict(zip(COLUMNS, row, strict=True))
        by_scenario[found["Scenario"], found["Units"]] = found
    assert set(by_scenario) == {
        ("Offline", "Samples/s"), ("Offline", "Watts"), ("SingleStream", "Latency (ms)"), ("SingleStream", "Joules"),
        ("MultiStream", "Latency (ms)"), ("MultiStream", "Joules"),
    }  # fmt: skip
    offline = by_scenario["Offline", "Samples/s"]
    assert offline["Organization"] == SUBMITTER
    assert offline["SystemName"] == 'Acme "both"'
    assert offline["SystemType"] == "datacenter,edge"
    assert (offline["Model"], offline["MlperfModel"]) == ("resnet50", "resnet")
    assert (offline["Result"], offline["Accuracy"], offline["has_power"]) == ("1099.25", "76.456", "True")
    assert (offline["compilance"], offline["errors"], offline["version"]) == ("1", "0", "v2.1")
    assert by_scenario["Offline", "Watts"]["Result"] == "200.25"


def test_missing_measurements_count_as_an_issue_of_the_model(tmp_path: Path) -> None:
    system = SYSTEMS["edge-resnet50"]
    write_system(tmp_path, system)
    shutil.rmtree(tmp_path / system.at("measurements", "resnet50", "Offline"))
    report = check(tmp_path, RULES)
    assert report.verdict == "fail"
    assert [(one.scenario, one.verdict, one.issues) for one in report.results] == [
        ("MultiStream", "pass", 0), ("Offline", "pass", 1), ("SingleStream", "pass", 1),
    ]  # fmt: skip


def test_units_can_be_checked_by_themselves(everything: Path) -> None:
    (outcome,) = check_units(everything, RULES, [Unit("network", SUBMITTER, "net")], strict=False)
    assert [one.scenario for one in outcome.results] == ["Offline", "Server"]
    assert outcome.system is not None
    assert outcome.system.fields["system_type"] == "datacenter"


@pytest.mark.parametrize(
    ("values", "rule", "remedy"),
    [
        ({"system_type": "datacenter, edge"}, "system.type", "without a blank after the comma"),
        ({"host_processor_model_name": ["A", "B"]}, "system.field_text", 'write one string: "A, B"'),
        ({"host_processor_model_name": 7}, "system.field_text", 'put it in quotes: "7"'),
        ({"hw_notes": {"a": 1}}, "system.field_text", 'write one string: "a 1"'),
    ],
)
def test_a_remedy_for_a_value_helps(tmp_path: Path, values: dict[str, object], rule: str, remedy: str) -> None:
    write_system(tmp_path, SYSTEMS["open"])
    fields(**values)(tmp_path / described("open"))
    (found,) = [one for one in check(tmp_path, RULES).findings if one.rule == rule]
    assert remedy in found.remedy


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_description_in_another_encoding_is_named_as_such(tmp_path: Path, encoding: str) -> None:
    write_system(tmp_path, SYSTEMS["open"])
    path = tmp_path / described("open")
    path.write_text(path.read_text(), encoding=encoding)
    (found,) = [one for one in check(tmp_path, RULES).findings if one.rule == "system.json"]
    assert found.found == {"utf-16": "text in UTF-16", "utf-8-sig": "text with a byte order mark"}[encoding]


@pytest.mark.parametrize(("top", "remedy"), [("Open", "rename it to open"), ("private", "move it away")])
def test_a_wrong_top_folder_is_told_its_name(tmp_path: Path, top: str, remedy: str) -> None:
    (tmp_path / top / "x").mkdir(parents=True)
    found = {one.rule: one.remedy for one in check(tmp_path, RULES).findings}
    assert remedy in found["layout.division"]
    assert "is not a submission" in found["layout.no_results"]


def test_a_submitter_in_other_letters_is_told(everything: Path) -> None:
    (found,) = check(everything, RULES, submitter=SUBMITTER.upper()).findings
    assert f"did you mean '{SUBMITTER}'" in found.remedy


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 400, "9" * 5000])
def test_a_number_out_of_range_is_one_finding(tmp_path: Path, number: str) -> None:
    write_system(tmp_path, SYSTEMS["open"])
    run = result_of("open", "SingleStream") + "/performance/run_1/mlperf_log_detail.txt"
    text = (tmp_path / run).read_text()
    (tmp_path / run).write_text(re.sub(r'("early_stopping_latency_ss", *"value": *)[0-9]+', rf"\g<1>{number}", text))
    report = check(tmp_path, RULES)
    json.dumps(as_json(report), allow_nan=False)
    errors = [(one.rule, one.path) for one in report.findings if one.severity == "error"]
    assert errors == [("performance.metric", run)]


@pytest.mark.parametrize(
    ("kind", "rule"), [("results", "accuracy.hash_missing"), ("compliance", "compliance.hash_missing")]
)
def test_a_missing_hash_beside_a_cut_log_is_not_to_be_made_of_it(tmp_path: Path, kind: str, rule: str) -> None:
    write_system(tmp_path, SYSTEMS["edge-resnet50"])
    for score in (tmp_path / SYSTEMS["edge-resnet50"].home / kind).rglob("accuracy.txt"):
        score.write_text(score.read_text().partition("hash=")[0])
    found = [one for one in check(tmp_path, RULES).findings if one.rule == rule]
    assert found
    assert all("--backup=DIR" in one.remedy for one in found)
