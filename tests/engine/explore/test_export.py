"""Exports: the same figures in four formats, and nothing from outside is interpreted as markup or control codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.explore import export
from engine.explore.columns import COLUMNS, FIGURES
from engine.explore.compare import Comparison, compare
from engine.explore.history import all_runs
from engine.explore.runs import Run, find, fold
from tests.engine.explore import history
from tests.helpers import folders_in


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    """Two runs that differ in the batch, one with accuracy, and one that is INVALID for an ugly reason."""
    folders = folders_in(tmp_path)
    history.job(folders, "--modes=performance,accuracy", "--notice=DEMO|x", rate=100.0)
    history.job(folders, "--max_batch=8", rate=150.0)
    ugly = {"result_validity": "INVALID", "result_invalid_reason": "a|b \x1b[31m*c*\u009b2J"}
    history.job(folders, "--scenarios=Server", rate=50.0, log=ugly)
    return fold(all_runs(folders))


@pytest.fixture
def found(runs: list[Run]) -> Comparison:
    """The first two, compared."""
    return compare([find(runs, "1"), find(runs, "2")], runs)


def test_text_is_aligned_and_clean(runs: list[Run]) -> None:
    text = export.listing(runs, "text")
    header, *rows = text.splitlines()[:4]
    place = header.index("state")
    assert [row[place : place + 8].split()[0] for row in rows] == ["INVALID", "VALID", "VALID"]
    assert "\x1b" not in text
    assert "\u009b" not in text
    assert text.splitlines()[-1] == "DEMO|x"


def test_csv_has_every_column_and_whole_figures(runs: list[Run]) -> None:
    rows = list(csv.DictReader(io.StringIO(export.listing(runs, "csv"))))
    assert len(rows) == 3
    assert {column.header for column in COLUMNS.values()} < set(rows[0])
    by_run = {row["run"]: row for row in rows}
    assert float(by_run["r-0002/Offline"]["samples/s"]) == 150.0
    assert float(by_run["r-0003/Server"]["p99 ms"]) == 60.0
    assert by_run["r-0002/Offline"]["p99 ms"] == ""
    assert by_run["r-0002/Offline"]["command"].startswith("inferdeck run --tags=")
    assert "\x1b" not in by_run["r-0003/Server"]["why"]
    assert len({column.header for column in COLUMNS.values()}) == len(COLUMNS)


def test_json_says_units(runs: list[Run]) -> None:
    data = {one["run"]: one for one in json.loads(export.listing(runs, "json"))}
    assert data["r-0003/Server"]["figures"]["latency_p99"] == {"value": pytest.approx(60.0), "unit": "ms"}
    assert data["r-0002/Offline"]["choices"] == {"max_batch": "8"}
    assert data["r-0001/Offline"]["beside"] == {"accuracy": "done"}
    assert data["r-0003/Server"]["state"] == "INVALID"
    assert data["r-0001/Offline"]["notice"] == "DEMO|x"


def test_markdown_takes_nothing_for_its_own(runs: list[Run]) -> None:
    lines = export.listing(runs, "md").splitlines()
    bars = lines[0].count("|")
    assert all(line.replace("\\|", "").count("|") == bars for line in lines[1:5])
    assert "a\\|b" in lines[2]
    assert "\\*c\\*" in lines[2]
    assert lines[-1] == "DEMO\\|x"


@pytest.mark.parametrize("as_", ["text", "csv", "json", "md"])
def test_a_comparison_says_the_same_in_every_form(found: Comparison, as_: export.Format) -> None:
    text = export.comparison(found, as_)
    assert "max" in text
    for word in ("100", "150"):
        assert word in text
    if as_ == "json":
        data = json.loads(text)
        assert data["differs"]["max_batch"] == ["-", "8"]
        rate = next(one for one in data["figures"] if one["metric"] == "samples_per_second")
        assert rate["changes"] == [{"share": 0.5, "points": 50.0, "above_noise": None, "noise": None}]
        assert data["missing"][0]["what"] == "accuracy"
    else:
        assert "+50 %" in text
        assert "noise not known" in text


def test_a_comparison_for_a_person_names_what_is_missing(found: Comparison) -> None:
    text = export.comparison(found, "text")
    assert "r-0002/Offline has no accuracy run: inferdeck run --tags=" in text
    assert "--scenarios=Offline --modes=accuracy" in text
    assert "same: benchmark resnet50" in text


def test_three_runs_name_the_run_of_each_change(runs: list[Run]) -> None:
    three = compare([find(runs, word) for word in ("1", "2", "3")], runs)
    header = export.figure_rows(three)[0]
    assert header[4:] == [
        "change r-0002/Offline",
        "change r-0003/Server",
        "noise r-0002/Offline",
        "noise r-0003/Server",
    ]
    assert all(len(row) == len(header) for row in export.figure_rows(three))


def test_formats_by_their_names() -> None:
    assert export.format_named("markdown") == "md"
    assert set(export.SUFFIX) == {"text", "csv", "json", "md"}
    with pytest.raises(UsageError, match="no format 'cvs'"):
        export.format_named("cvs")


def test_every_figure_has_a_column() -> None:
    assert all(column.number for column in FIGURES)


def test_no_runs_are_no_error() -> None:
    for as_ in export.SUFFIX:
        assert isinstance(export.listing([], as_), str)
