"""Runs are found by name, filtered, sorted and grouped with their repeats."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.explore.columns import COLUMNS, column
from engine.explore.filters import matching
from engine.explore.history import all_runs
from engine.explore.runs import Run, find, fold, repeats
from engine.explore.table_columns import ordered
from tests.engine.explore import history
from tests.helpers import folders_in


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Four jobs: one of two scenarios with accuracy, a repeat, a larger batch, an INVALID Server."""
    folders = folders_in(tmp_path_factory.mktemp("runs"))
    history.job(folders, "--scenarios=Offline,SingleStream", "--modes=performance,accuracy", rate=100.0)
    history.job(folders, rate=110.0)
    history.job(folders, "--max_batch=8", rate=200.0)
    history.job(folders, "--scenarios=Server", rate=50.0, log={"result_validity": "INVALID"})
    return all_runs(folders)


@pytest.mark.parametrize(
    ("word", "id_"),
    [
        ("r-0002", "r-0002/Offline"),
        ("2", "r-0002/Offline"),
        ("1/offline", "r-0001/Offline"),
        ("r-0001/Offline/accuracy", "r-0001/Offline/accuracy"),
    ],
)
def test_a_run_is_found_by_what_is_enough(runs: list[Run], word: str, id_: str) -> None:
    assert find(runs, word).id == id_


@pytest.mark.parametrize(
    ("word", "remedy"), [("1", "r-0001/SingleStream"), ("2/Ofline", "'r-0002/Offline'"), ("9", "r-00")]
)
def test_a_wrong_word_names_the_right_ones(runs: list[Run], word: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(runs, word)
    assert remedy in caught.value.remedy


def test_nothing_measured_says_what_to_do() -> None:
    with pytest.raises(UsageError) as caught:
        find([], "1")
    assert "inferdeck demo" in caught.value.remedy


def test_words_filter(runs: list[Run]) -> None:
    folded = fold(runs)
    assert [run.id for run in matching(folded, "max_batch=8")] == ["r-0003/Offline"]
    assert [run.id for run in matching(folded, "OFFLINE -r-0001")] == ["r-0003/Offline", "r-0002/Offline"]
    assert matching(folded, "invalid server")[0].id == "r-0004/Server"
    assert matching(folded, "") == folded


def test_a_word_that_is_a_name_means_that_and_not_a_part_of_another(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    history.job(folders, "--scenarios=Offline,Server", "--sut=demo-offline")
    history.job(folders, "--scenarios=Server", log={"result_validity": "INVALID"})
    folded = fold(all_runs(folders))
    assert [run.id for run in matching(folded, "offline")] == ["r-0001/Offline"]
    assert [run.id for run in matching(folded, "valid server")] == ["r-0001/Server"]
    assert [run.id for run in matching(folded, "-offline valid")] == ["r-0001/Server"]
    assert len(matching(folded, "demo-off")) == 2
    assert matching(folded, "multistream") == []


def test_sorting_puts_the_best_first_and_what_has_no_value_last(runs: list[Run]) -> None:
    folded = fold(runs)
    assert [run.figures["samples_per_second"] for run in ordered(folded, column("samples/s"))] == [
        200,
        110,
        100,
        100,
        50,
    ]
    by_latency = ordered(folded, column("p99"))
    assert [run.scenario for run in by_latency] == ["SingleStream", "Server", "Offline", "Offline", "Offline"]
    assert ordered(folded, column("p99"), reverse=True)[0].scenario == "Server"
    assert ordered(folded, column("when"))[0].job == "r-0004"
    assert ordered(folded, column("run"))[0].job == "r-0001"
    with pytest.raises(UsageError, match="no column 'smples'"):
        column("smples")


def test_every_column_writes_every_run(runs: list[Run]) -> None:
    for one in COLUMNS.values():
        for run in [*runs, Run(id="x", job="x", step="x")]:
            assert isinstance(one.text(run), str)


def test_repeats_are_runs_of_equal_choices(runs: list[Run]) -> None:
    assert [run.job for run in repeats(runs, find(runs, "1/Offline"))] == ["r-0002", "r-0001"]
    assert [run.job for run in repeats(runs, find(runs, "3"))] == ["r-0003"]
    assert repeats(runs, Run(id="x", job="x", step="x")) == []


@pytest.mark.parametrize(
    ("samples", "labelled", "text"), [(0, 0, ""), (18, 0, "18"), (20, 20, "20"), (18, 20, "18 of 20")]
)
def test_an_accuracy_says_of_how_many_samples_it_is(samples: int, labelled: int, text: str) -> None:
    assert COLUMNS["scored"].text(Run(id="x", job="x", step="x", samples=samples, labelled=labelled)) == text
