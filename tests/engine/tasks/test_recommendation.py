"""Samples, responses and scores of recommendation, with the bad input that a user can have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine import events
from engine.errors import DataError
from engine.facts import Ragged, SamplesFacts
from engine.harness.samples import SampleLibrary
from engine.mlperf_logs import accuracy_log as accuracy
from engine.step import Artifact
from engine.tasks import criteo_rows
from engine.tasks import recommendation as task
from engine.tasks.base import TaskOptions
from engine.tasks.criteo_files import COUNTS, DENSE, TEST, TRACE
from tests.engine.networks.running import step
from tests.engine.tasks import criteo_cases as cases

Array = np.ndarray[Any, np.dtype[Any]]
ROWS = sum(cases.LENGTHS)


def prepare(
    output: Path, source: Path, said: list[events.AnyEvent] | None = None, **options: Any
) -> tuple[SamplesFacts, SampleLibrary]:
    output.mkdir()
    needs = {"dataset": Artifact(str(source), {"images": ""})}
    made = task.prepare(step(output, {"count": None, "max_ind_range": None} | options, needs, said))
    facts = msgspec.convert(made, SamplesFacts)
    library = SampleLibrary([one for one in facts.paths(output) if isinstance(one, Ragged)], facts.count)
    library.load(range(facts.count))
    return facts, library


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return cases.write(tmp_path / "source", cases.rows(ROWS))


def test_samples_are_the_rows_of_the_trace_with_the_references_arithmetic(tmp_path: Path, source: Path) -> None:
    said: list[events.AnyEvent] = []
    facts, library = prepare(tmp_path / "out", source, said)
    raw, start = cases.rows(ROWS), 0
    assert facts.count == library.count == len(cases.LENGTHS)
    for index, length in enumerate(cases.LENGTHS):
        own = raw[start : start + length]
        dense, sparse, labels = (library.sample(number, index) for number in range(3))
        np.testing.assert_array_equal(dense, np.log(own[:, 1 : 1 + DENSE].astype(np.float32) + 1))
        np.testing.assert_array_equal(sparse, own[:, 1 + DENSE :])
        np.testing.assert_array_equal(labels, own[:, 0].astype(np.float32))
        assert [one.dtype.name for one in (dense, sparse, labels)] == ["float32", "int32", "float32"]
        start += length
    assert [one.done for one in said if isinstance(one, events.Progress)][-1] == ROWS
    costs = task.cost(library, TaskOptions())
    assert costs is not None
    assert costs.tolist() == list(cases.LENGTHS)


def test_many_blocks_give_the_rows_of_one(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path / "one", source)
    monkeypatch.setattr(criteo_rows, "BLOCK", 3)
    prepare(tmp_path / "many", source)
    for name in (task.DENSE, task.SPARSE, task.LABELS, task.OFFSETS):
        assert (tmp_path / "many" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_indices_are_taken_modulo_the_range(tmp_path: Path, source: Path) -> None:
    _, library = prepare(tmp_path / "out", source, max_ind_range=4)
    first = cases.rows(ROWS)[: cases.LENGTHS[0], 1 + DENSE :]
    np.testing.assert_array_equal(library.sample(1, 0), first % 4)


def test_the_first_samples_can_be_had_alone(tmp_path: Path, source: Path) -> None:
    facts, library = prepare(tmp_path / "out", source, count=2)
    assert (facts.count, library.count) == (2, 2)
    assert np.load(tmp_path / "out" / task.LABELS).shape == (sum(cases.LENGTHS[:2]),)


def test_without_a_trace_samples_are_those_that_the_reference_draws(tmp_path: Path) -> None:
    """The first lengths of tools/dist_trace_verification.txt; the last sample is cut."""
    source = cases.write(tmp_path / "source", cases.rows(1234), lengths=None)
    _, library = prepare(tmp_path / "out", source)
    assert library.lengths is not None
    assert library.lengths.sum() == 1234
    drawn = np.array([100] * 2 + [200] * 12 + [300] * 2 + [400, 500, 600, 700])
    random = np.random.RandomState(123)
    expected = [int(drawn[random.randint(low=0, high=20)]) for _ in library.lengths]
    assert library.lengths.tolist()[:-1] == expected[:-1]
    assert 0 < library.lengths[-1] <= expected[-1]


def put(row: int, column: int, value: int) -> Callable[[Path], object]:
    def damage(source: Path) -> None:
        raw = cases.rows(ROWS)
        raw[row, column] = value
        raw.tofile(source / TEST)

    return damage


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (put(5, 0, 2), r"\.bin: row 5: the label is 2, not 0 or 1"),
        (put(6, 3, -1), r"\.bin: row 6: count 3 of 13 is -1"),
        (put(7, 14, 5), r"\.bin: row 7: index 1 of 26 is 5; its dictionary ends with 4"),
        (put(8, 39, -3), r"\.bin: row 8: index 26 of 26 is -3"),
        (
            lambda source: (source / TEST).write_bytes(cases.rows(ROWS).tobytes()[:-3]),
            r"\.bin has 3,197 bytes: 19 rows of 160 and 157 more",
        ),
        (lambda source: (source / TEST).write_bytes(b""), r"\.bin is empty"),
        (lambda source: (source / TEST).unlink(), "source has no terabyte_processed_test.bin"),
        (lambda source: cases.rows(ROWS + 1).tofile(source / TEST), "is of 20 rows, the test set has 21"),
        (lambda source: (source / TRACE).write_text("0, 3, 3\n4, 5, 1\n"), r"samples\.txt:2: rows 4 to 5"),
        (lambda source: (source / TRACE).write_text("0, 3, 3\n3; 5; 2\n"), r"samples\.txt:2: '3; 5; 2'"),
        (lambda source: (source / COUNTS).write_bytes(b"PK"), r"count\.npz has no array 'counts'"),
        (lambda source: np.savez(source / COUNTS, counts=np.ones(25, int)), r"'counts' is int64\[25\], not 26 sizes"),
    ],
)
def test_a_file_that_is_not_the_references_is_named(
    tmp_path: Path, source: Path, damage: Callable[[Path], object], says: str
) -> None:
    damage(source)
    with pytest.raises(DataError, match=says):
        prepare(tmp_path / "out", source)


def test_a_row_is_counted_from_the_start_of_the_file(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(11, 0, 7)(source)
    monkeypatch.setattr(criteo_rows, "BLOCK", 4)
    with pytest.raises(DataError, match="row 11: the label is 7"):
        prepare(tmp_path / "out", source)


def offsets(path: Path, *lengths: int) -> Path:
    np.save(path, np.cumsum([0, *lengths], dtype=np.int64))
    return path


def answer(*pairs: tuple[float, float]) -> bytes:
    return np.array(pairs, np.float32).tobytes()


def test_the_line_is_that_of_the_rules(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    records = [answer((0.9, 1), (0.2, 0)), answer((0.5, 1)), answer((0.4, 1), (0.6, 0), (0.1, 0))]
    accuracy.write_log(log, [accuracy.Record(n, n, data) for n, data in enumerate(records)])
    score = task.score(log, offsets(tmp_path / "offsets.npy", 2, 1, 3))
    # Of 9 pairs of a click and no click, 0.9 is above 3, 0.5 and 0.4 above 2 each; 0.5 rounds to 0.
    assert score.text == "AUC=77.778%, accuracy=50.000%, good=3, total=6, queries=3\n"
    assert (score.metric, score.total, score.unit, score.warning) == ("AUC", 3, "%", "")
    assert score.value == pytest.approx(100 * 7 / 9, abs=1e-12)


def test_the_first_answer_counts_and_a_part_is_scored_alone(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    found = [(2, answer((0.9, 1), (0.1, 0))), (2, answer((0.1, 1), (0.9, 0))), (0, answer((0.3, 0)))]
    accuracy.write_log(log, [accuracy.Record(place, index, data) for place, (index, data) in enumerate(found)])
    score = task.score(log, offsets(tmp_path / "offsets.npy", 1, 5, 2))
    assert score.text == "AUC=100.000%, accuracy=100.000%, good=3, total=3, queries=2\n"


def test_an_order_of_chance_is_doubted(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    accuracy.write_log(log, [accuracy.Record(0, 0, answer((0.2, 1), (0.2, 0)))])
    assert "any order" in task.score(log, offsets(tmp_path / "offsets.npy", 2)).warning


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (accuracy.Record(0, 2, b""), r"sample 2 is not in .*offsets\.npy, which has 2"),
        (accuracy.Record(0, -1, b""), "sample -1 is not in"),
        (accuracy.Record(0, 1, answer((0.5, 1))), "the answer for sample 1 has 8 bytes, 16 are expected"),
        (accuracy.Record(0, 0, answer((float("nan"), 1))), "a prediction that is not finite"),
        (accuracy.Record(0, 0, answer((0.5, 0.5))), "a label that is not 0 or 1"),
        (accuracy.Record(0, 0, answer((0.5, 1))), "all labels are the same"),
    ],
)
def test_a_response_that_cannot_be_is_named(tmp_path: Path, record: accuracy.Record, says: str) -> None:
    log = tmp_path / "log.json"
    accuracy.write_log(log, [record])
    with pytest.raises(DataError, match=rf"log\.json: .*{says}"):
        task.score(log, offsets(tmp_path / "offsets.npy", 1, 2))


def test_a_log_without_answers_is_named(tmp_path: Path) -> None:
    accuracy.write_log(tmp_path / "log.json", [])
    with pytest.raises(DataError, match="no sample was answered"):
        task.score(tmp_path / "log.json", offsets(tmp_path / "offsets.npy", 1))


@pytest.mark.parametrize("content", [b"", b"no array", json.dumps([1]).encode()])
def test_offsets_that_are_none_are_named(tmp_path: Path, content: bytes) -> None:
    accuracy.write_log(tmp_path / "log.json", [])
    (tmp_path / "offsets.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"offsets\.npy"):
        task.score(tmp_path / "log.json", tmp_path / "offsets.npy")
