"""Conditions on changes: fulfilled, not fulfilled, and not to be judged."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.explore import gate
from engine.explore.compare import Comparison, compare
from engine.explore.history import all_runs
from engine.explore.runs import find
from tests.engine.explore import history
from tests.helpers import folders_in


@pytest.fixture
def found(tmp_path: Path) -> Comparison:
    """A run, and one with 5 % less throughput and half a point less accuracy."""
    folders = folders_in(tmp_path)
    for rate, accuracy in ((100.0, 76.0), (95.0, 75.5)):
        history.job(folders, "--modes=performance,accuracy", rate=rate, accuracy=accuracy)
    runs = all_runs(folders)
    return compare([find(runs, "1/Offline"), find(runs, "2/Offline")], runs)


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("throughput<-3%", True),
        ("throughput<-6%", False),
        ("throughput>3%", False),
        ("samples/s<-3%", True),
        ("result<-3%", True),
        ("accuracy<-0.4points", True),
        ("accuracy<-0.6 points", False),
        ("throughput<-6%, accuracy<-0.4points", True),
        ("start-up>1%", False),
    ],
)
def test_conditions(found: Comparison, text: str, fails: bool) -> None:
    assert bool(gate.failures(found, gate.conditions([text]))) == fails


def test_the_line_names_run_and_change(found: Comparison) -> None:
    (line,) = gate.failures(found, gate.conditions(["throughput<-3%"]))
    assert line.startswith("throughput<-3%: throughput of r-0002/Offline is -5 % against r-0001/Offline")


def test_a_figure_that_is_missing_fails(found: Comparison) -> None:
    (line,) = gate.failures(found, gate.conditions(["p99>5%"]))
    assert "can't be judged" in line


@pytest.mark.parametrize("text", ["throughput", "throughput<3", "throughput=3%", "<3%", "p99<x%"])
def test_what_is_no_condition_says_how_one_looks(text: str) -> None:
    with pytest.raises(UsageError, match="not a condition"):
        gate.conditions([text])


def test_an_unknown_metric_gives_the_nearest() -> None:
    with pytest.raises(UsageError, match="no metric 'throughputs'"):
        gate.conditions(["throughputs<-3%"])


@given(st.text(max_size=20))
def test_any_text_is_conditions_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert all(one.text for one in gate.conditions([text]))
