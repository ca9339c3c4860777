"""Parity with the official checkers of rounds after v2.1 on whole submitters of their published results."""

from __future__ import annotations

from pathlib import Path

import pytest

import profiles
from engine.profile.round_file import load_round
from engine.submission.checker.check import check
from engine.submission.checker.findings import Result
from tests.engine.submission.checker.conftest import published, published_rows

COUNTS = {"v3.0": (110, 0), "v4.1": (115, 0), "v5.1": (106, 14)}
"""Round → published results in the sample, and how many of them its checker rejects."""


def official(row: dict[str, str]) -> tuple[object, ...]:
    """The official checker's result; a rejected one has nothing else."""
    if row["verdict"] == "fail":
        return (row["path"], "fail")
    power = float(row["power_metric"]) if row["power_metric"] else None
    flags = (row["inferred"] == "1", row["has_power"] == "True")
    said = (row["path"], row["verdict"], float(row["metric"]), row["units"], row["accuracy"], *flags, power)
    return (*said, row["mlperf_model"], row["scenario"])


def ours(result: Result) -> tuple[object, ...]:
    """Our checker's result."""
    if result.verdict == "fail":
        return (result.path, "fail")
    said = (result.path, result.verdict, result.metric, result.units, result.accuracy, result.inferred)
    return (*said, result.has_power, result.power_metric, result.checker_class, result.scenario)


@pytest.mark.parametrize("name", COUNTS)
def test_every_published_result_gets_the_official_verdict(name: str, tmp_path: Path) -> None:
    root = published(name, tmp_path)
    report = check(root, load_round(profiles.FOLDER / "rounds" / f"{name}.yaml"))
    assert sorted(map(ours, report.results)) == sorted(map(official, published_rows(name)))
    rejected = [one for one in report.results if one.verdict == "fail"]
    assert (len(report.results), len(rejected)) == COUNTS[name]
    assert {one.rule for one in report.findings if one.severity == "error"} == (
        {"accuracy.samples_shown"} if rejected else set()
    )
