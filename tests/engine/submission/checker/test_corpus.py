"""Parity with the official checker on published results, and single faults in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.profile.tree_rules import Severity
from engine.submission.checker.check import check
from engine.submission.checker.findings import Result
from tests.engine.submission.base_tree import RULES
from tests.engine.submission.checker.conftest import published_rows
from tests.engine.submission.checker.faults import Break, append, cut_line, fields, remove, says, write
from tests.engine.submission.loadgen_logs import message

ROWS = published_rows()
PERFORMANCE = "results/{}/performance/run_1/mlperf_log_detail.txt"
ACCURACY_TEXT = "results/{}/accuracy/mlperf_log_detail.txt"
TEST01 = "compliance/{}/TEST01/performance/run_1/mlperf_log_detail.txt"


def official(row: dict[str, str]) -> tuple[object, ...]:
    """The official checker's results."""
    power = float(row["power_metric"]) if row["power_metric"] else None
    flags = (row["inferred"] == "1", row["has_power"] == "True")
    return (row["path"], row["verdict"], float(row["metric"]), row["units"], row["accuracy"], *flags, power)


def ours(result: Result) -> tuple[object, ...]:
    """Our checker's results."""
    said = (result.path, result.verdict, result.metric, result.units, result.accuracy)
    return (*said, result.inferred, result.has_power, result.power_metric)


def test_every_published_result_gets_the_official_verdict(corpus: Path) -> None:
    report = check(corpus, RULES)
    assert report.verdict == "pass"
    assert sorted(map(ours, report.results)) == sorted(map(official, ROWS))
    classes = {row["path"]: (row["mlperf_model"], row["scenario"]) for row in ROWS}
    assert {one.path: (one.checker_class, one.scenario) for one in report.results} == classes
    assert report.count("error") == 0


def test_what_is_said_of_published_results_is_true(corpus: Path) -> None:
    said = {(one.rule, one.path) for one in check(corpus, RULES).findings if one.severity == "warning"}
    chai = "open/Krai/results/chai/ssd-resnet34/offline/accuracy/accuracy.txt"
    assert ("accuracy.hash_wrong", chai) in said, "its hash is that of the truncated log"
    dell = "open/Dell/results/Dell-PowerEdge-R7525-2xAMD-EPYC-7773X/bert-99.9/Offline"
    above = ("performance.sample_count_above", f"{dell}/performance/run_1/mlperf_log_detail.txt")
    assert above in said, "10,833 performance samples of a set of 10,570"
    about_runs = {rule for rule, _ in said if rule.startswith(("performance.", "compliance.", "power.", "accuracy."))}
    assert about_runs == {"accuracy.hash_wrong", "performance.sample_count_above"}


def test_processes_change_nothing(corpus: Path) -> None:
    alone, together = (check(corpus, RULES, processes=number) for number in (1, 3))
    assert alone == together


@dataclass(frozen=True)
class Broken:
    """A fault in a published result; `{}` is replaced by system/model/scenario."""

    rule: str
    severity: Severity
    path: str
    make: Break
    in_open: Severity | None = None
    """Finding in the open division, where it differs."""
    also: tuple[str, ...] = ()


ANY = [
    Broken(
        "performance.validity", "error", PERFORMANCE, says(result_validity="INVALID"), also=("performance.summary",)
    ),
    Broken("performance.seed", "warning", PERFORMANCE, says(effective_qsl_rng_seed=1), also=("performance.summary",)),
    Broken(
        "performance.min_duration",
        "warning",
        PERFORMANCE,
        says(effective_min_duration_ms=1),
        also=("performance.summary",),
    ),
    Broken(
        "performance.sample_count",
        "error",
        PERFORMANCE,
        says(effective_performance_sample_count=7),
        also=("performance.summary",),
    ),
    Broken(
        "performance.test_mode",
        "warning",
        PERFORMANCE,
        says(effective_test_mode="AccuracyOnly"),
        also=("performance.summary",),
    ),
    Broken("performance.error_message", "error", PERFORMANCE, append(message("error_x", "Bad.", is_error=True))),
    Broken("performance.line", "error", PERFORMANCE, cut_line("loaded_qsl_set")),
    Broken("performance.missing", "error", PERFORMANCE, remove, also=("performance.files", "power.files")),
    Broken("accuracy.detail_line", "error", ACCURACY_TEXT, cut_line("qsl_name")),
    Broken("accuracy.detail_missing", "error", ACCURACY_TEXT, remove, in_open="warning"),
    Broken("accuracy.samples", "warning", ACCURACY_TEXT, says(qsl_reported_total_count=20)),
    Broken("accuracy.missing", "error", "results/{}/accuracy/accuracy.txt", remove),
    Broken(
        "accuracy.log_size",
        "error",
        "results/{}/accuracy/mlperf_log_accuracy.json",
        write(b"{" * 10_241),
        in_open="warning",
        also=("accuracy.hash_wrong",),
    ),
    Broken("measurements.file_missing", "warning", "measurements/{}/user.conf", remove),
]
CLOSED = [
    Broken("compliance.test_missing", "error", "compliance/{}/TEST05", remove),
    Broken("compliance.verify_performance", "error", "compliance/{}/TEST01/verify_performance.txt", write("TEST FAIL")),
    Broken("compliance.verify_accuracy", "error", "compliance/{}/TEST01/verify_accuracy.txt", remove),
    Broken("performance.validity", "error", TEST01, says(result_validity="INVALID")),
    Broken("compliance.settings", "warning", TEST01, says(effective_accuracy_log_rng_seed=0)),
]  # fmt: skip


def chosen() -> list[tuple[str, Broken]]:
    """One published result for each division and model class, with every applicable fault."""
    first: dict[tuple[str, str], str] = {}
    for row in ROWS:
        first.setdefault((row["path"].split("/")[0], row["mlperf_model"]), row["path"])
    return [
        (path, broken)
        for (division, _), path in first.items()
        for broken in (ANY if division == "open" else ANY + CLOSED)
    ]


@pytest.fixture(scope="session")
def part(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the tree of one system and model of a published result, linked to the sample: see `broken_up`."""
    made: dict[str, Path] = {}

    def tree(path: str) -> Path:
        if path not in made:
            made[path] = root = tmp_path_factory.mktemp("part")
            division, submitter, _, system, model, _ = path.split("/")
            home = f"{division}/{submitter}"
            kinds = [f"{home}/{kind}/{system}/{model}" for kind in ("results", "measurements", "compliance")]
            for folder in (*kinds, f"{home}/code"):
                if (corpus / folder).is_dir():
                    shutil.copytree(corpus / folder, root / folder, copy_function=os.link)
            (root / home / "systems").mkdir()
            shutil.copy(corpus / home / "systems" / f"{system}.json", root / home / "systems")
        return made[path]

    return tree


@contextmanager
def copied(path: Path, aside: Path) -> Iterator[None]:
    """Replace a linked file or folder by a copy, for as long as the block runs."""
    path.rename(aside)
    (shutil.copytree if aside.is_dir() else shutil.copyfile)(aside, path)
    try:
        yield
    finally:
        if path.exists():
            remove(path)
        aside.rename(path)


@pytest.mark.skipif(not ROWS, reason="the published results are not next to this repository (../shared/corpus)")
@pytest.mark.parametrize(
    ("path", "broken"), [pytest.param(*one, id=f"{one[0]} {one[1].rule} {one[1].path}") for one in chosen()]
)
def test_a_single_fault_in_a_published_result(
    path: str, broken: Broken, part: Callable[[str], Path], tmp_path: Path
) -> None:
    root = part(path)
    division, submitter, _, *inside = path.split("/")
    where = f"{division}/{submitter}/{broken.path.format('/'.join(inside))}"
    severity = broken.in_open if broken.in_open and division == "open" else broken.severity
    before = {(one.rule, one.severity, one.path) for one in check(root, RULES).findings}
    with copied(root / where, tmp_path / "aside"):
        broken.make(root / where)
        report = check(root, RULES)
    new = {(one.rule, one.severity, one.path) for one in report.findings} - before
    assert (broken.rule, severity, where) in new
    assert {rule for rule, _, _ in new} <= {broken.rule, "compliance.performance_differs", *broken.also}
    assert report.verdict == ("fail" if severity == "error" else "pass")
    mine = next(result for result in report.results if result.path == path)
    assert mine.verdict == report.verdict


@pytest.mark.parametrize("value", ["available, rdi", "shipping"])
def test_a_description_that_is_refused_takes_all_results_of_its_system(
    value: str, corpus: Path, part: Callable[[str], Path]
) -> None:
    path = next(row["path"] for row in ROWS if row["path"].startswith("network/"))
    root = part(path)
    division, submitter, _, system, *_ = path.split("/")
    description = root / division / submitter / "systems" / f"{system}.json"
    kept = description.read_bytes()
    try:
        fields(status=value)(description)
        report = check(root, RULES)
    finally:
        description.write_bytes(kept)
    assert {result.verdict for result in report.results} == {"fail"}
    assert {result.metric for result in report.results} == {None}
