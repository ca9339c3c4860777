"""The benchmark of the search on a made-up table: it finds the front, and claims what is true; and the table's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.explore_replay import measured_table, replay, synthetic_table
from tests.benchmarks.explore_table import rows


@pytest.mark.parametrize(("sampler", "trials"), [("random", 140), ("tpe", 80)])
def test_the_front_is_found_and_claims_are_true(sampler: str, trials: int) -> None:
    """The target of the benchmark, with fewer than 30 % of the 480 trials that measuring everything takes."""
    table = synthetic_table()
    found = [replay(table, sampler, seed, trials * table.seconds) for seed in range(2)]
    assert min(one.share for one in found) >= 0.98
    assert sum(one.false for one in found) <= 0.02 * sum(one.claims for one in found)
    assert all(one.claims > 100 for one in found)


def test_the_share_of_all_points_is_one() -> None:
    table = synthetic_table()
    assert table.share(list(table.figures)) == pytest.approx(1.0)
    assert len(table.figures) == 96


def test_a_table_file_that_was_cut_off(tmp_path: Path) -> None:
    said = {"description": {"processor": "Example", "cores": 2, "seconds_of_a_point": 1.5}}
    point = {"backend": "onnxruntime", "precision": "fp32", "split": "1x1"}
    lines = [
        {
            "round": number,
            **point,
            "batch": batch,
            "samples_per_second": 100.0 + number,
            "mean_ms": 10.0,
            "busy_by_others": 0.02,
        }
        for number in (1, 2)
        for batch in ("1", "16", "2")
    ]
    path = tmp_path / "some.jsonl"
    path.write_text("\n".join(map(json.dumps, [said, *lines])) + '\n{"round": 3, "backe')
    assert len(rows(path)) == 6
    table = measured_table(path)
    assert table.repeats == 2
    assert table.axes[-1].values == ("1", "2", "16")
    assert "Example" in table.name
