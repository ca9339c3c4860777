"""Repeats are one row: mean, number and spread; disturbed and INVALID runs stay by themselves."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from engine.explore.columns import COLUMNS
from engine.explore.history import all_runs
from engine.explore.repeat_groups import grouped
from engine.store.folders import Folders
from tests.engine.explore import history
from tests.helpers import folders_in


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Folders of a separate user."""
    return folders_in(tmp_path)


def test_repeats_are_one_row_with_mean_and_spread(folders: Folders) -> None:
    rates = (98.0, 100.0, 105.0)
    for rate in rates:
        history.job(folders, rate=rate)
    history.job(folders, "--max_batch=8", rate=300.0)
    other, mean = grouped(all_runs(folders))
    assert other.figures["samples_per_second"] == 300.0
    assert other.repeats == ()
    assert mean.id == "r-0003/Offline"
    assert mean.repeats == ("r-0003/Offline", "r-0002/Offline", "r-0001/Offline")
    assert mean.figures["samples_per_second"] == pytest.approx(101.0)
    assert mean.spread["samples_per_second"] == pytest.approx(statistics.stdev(rates))
    assert COLUMNS["n"].text(mean) == "3"
    assert COLUMNS["spread"].value(mean) == pytest.approx(100 * statistics.stdev(rates) / 101)


def test_two_repeats_are_too_few_for_a_spread(folders: Folders) -> None:
    for rate in (100.0, 110.0):
        history.job(folders, rate=rate)
    (mean,) = grouped(all_runs(folders))
    assert mean.figures["samples_per_second"] == pytest.approx(105.0)
    assert (mean.spread, COLUMNS["spread"].text(mean)) == ({}, "too few")


def test_disturbed_and_invalid_runs_are_not_averaged(folders: Folders) -> None:
    history.job(folders, rate=100.0)
    history.job(folders, rate=50.0, report={"disturbed": "other work"})
    history.job(folders, rate=60.0, log={"result_validity": "INVALID"})
    assert [run.repeats for run in grouped(all_runs(folders))] == [(), (), ()]
