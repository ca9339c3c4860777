import json
import os
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError
from engine.mlperf import TRUNCATION_MARK
from engine.mlperf_logs import accuracy_log as accuracy
from engine.mlperf_logs.accuracy_log import PIECE, Record

WHOLE = b'[\n{ "seq_id" : 0, "qsl_idx" : 58, "data" : "00006842" },\n{ "seq_id" : 1, "qsl_idx" : 3, "data" : "" }\n]\n'


def render(records: list[Record]) -> bytes:
    """Write a log as LoadGen does."""
    lines = [
        f'{{ "seq_id" : {r.seq_id}, "qsl_idx" : {r.qsl_idx}, "data" : "{r.data.hex().upper()}" }}' for r in records
    ]
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


@given(st.lists(st.builds(Record, st.integers(0, 2**63), st.integers(0, 2**63), st.binary(max_size=40))))
def test_records_come_back_as_they_were_logged(records: list[Record]) -> None:
    assert list(accuracy.parse(render(records).splitlines(keepends=True), "log")) == records


RECORDS = [Record(0, 58, b"\1\2\3\4"), Record(1, 3, b""), Record(2, 7, bytes(100))]


def as_values(records: list[Record]) -> list[dict[str, object]]:
    return [{"seq_id": one.seq_id, "qsl_idx": one.qsl_idx, "data": one.data.hex()} for one in records]


@pytest.mark.parametrize("size", [1, 7, 60, 1 << 20])
@pytest.mark.parametrize("log", [WHOLE, render(RECORDS), render(RECORDS).replace(b"\n", b"\r\n"), render(RECORDS)[:-1]])
def test_a_log_may_come_in_any_pieces(log: bytes, size: int) -> None:
    whole = list(accuracy.parse(log.splitlines(keepends=True), "log"))
    assert len(whole) >= 2
    assert list(accuracy.parse(cut(log, size), "log")) == whole


@pytest.mark.parametrize("size", [1, 7, 60, 1 << 20])
@pytest.mark.parametrize("indent", [None, 0, 2])
def test_json_of_another_layout_is_read_as_well(indent: int | None, size: int) -> None:
    log = json.dumps(as_values(RECORDS), indent=indent).encode()
    assert list(accuracy.parse(cut(log, size), "log")) == RECORDS


@pytest.mark.parametrize("size", [50, 500])
def test_a_damaged_record_is_named_by_its_line(size: int) -> None:
    records = [Record(number, number, bytes(30)) for number in range(9)]
    damaged = render(records).replace(b'"qsl_idx" : 3', b'"qsl_idx" : three')
    reading = accuracy.parse(cut(damaged, size), "log")
    assert [next(reading) for _ in range(3)] == records[:3]
    with pytest.raises(DataError, match="log:5: a line that is cut off or damaged"):
        next(reading)


def cut(log: bytes, size: int) -> Iterator[bytes]:
    return (log[at : at + size] for at in range(0, len(log), size))


def peak_of_reading(log: Path) -> tuple[int, int]:
    """Return how many records a log has and the most memory in bytes that reading them took."""
    tracemalloc.start()
    try:
        count = sum(1 for _ in accuracy.records(log))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("separator", [",\n", ", "], ids=["a line each", "one line"])
def test_memory_does_not_grow_with_the_log(separator: str, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    peaks = []
    for count in (1_000, 6_000):
        lines = (f'{{"seq_id": {n}, "qsl_idx": {n}, "data": "{"A5" * 600}"}}' for n in range(count))
        log.write_text("[" + separator.join(lines) + "]\n")
        found, peak = peak_of_reading(log)
        assert found == count
        peaks.append(peak)
    assert log.stat().st_size > 7_000_000
    assert max(peaks) < 8 * PIECE


def test_a_long_record_takes_a_few_times_its_size(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    records = [Record(number, number, bytes(4_000_000)) for number in range(3)]
    accuracy.write_log(log, records)
    count, peak = peak_of_reading(log)
    assert count == 3
    assert peak < 4 * 8_000_000 < log.stat().st_size + 10_000_000


def test_what_holds_no_record_is_not_collected(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_bytes(b"0" * 6_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=":1: not a record"):
            list(accuracy.records(log))
        assert tracemalloc.get_traced_memory()[1] < 8 * PIECE
    finally:
        tracemalloc.stop()


def test_a_record_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "LONGEST", 1000)
    with pytest.raises(DataError, match="log: a record has more than 1,000 bytes"):
        list(accuracy.parse(cut(render(RECORDS[:1])[:-5] + b"0" * 9000, 100), "log"))


def test_records_are_written_as_loadgen_writes_them(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    accuracy.write_log(log, list(accuracy.parse(WHOLE.splitlines(keepends=True), "log")))
    assert log.read_bytes() == WHOLE
    accuracy.write_log(log, [])
    assert log.read_bytes() == b"[\n]\n"


def test_an_empty_log_has_no_records(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_bytes(b"[\n]\n")
    assert list(accuracy.records(log)) == []
    assert not accuracy.is_truncated(log)


def test_a_log_that_was_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    for cut in range(len(WHOLE) - len(b"]\n")):
        log.write_bytes(WHOLE[:cut])
        with pytest.raises(DataError) as caught:
            list(accuracy.records(log))
        assert str(log) in caught.value.what
        assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nothing of ours\n",
        b'[\n{"seq_id": 0, "qsl_idx": 0, "data": "0"}\n]\n',
        b'[\n{"seq_id": 0, "data": "00"}\n]\n',
        b'[\n{"seq_id": 0, "qsl_idx": 0, "data": "zz"}\n]\n',
        b'{"seq_id": 0, "qsl_idx": 0, "data": "00"}\n',
        b"[\n]\nmore\n",
    ],
)
def test_what_is_no_log_is_refused(text: bytes, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_bytes(text)
    with pytest.raises(DataError):
        list(accuracy.records(log))


def test_a_truncated_log_is_recognised(tmp_path: Path) -> None:
    whole = render([Record(i, i, bytes(1000)) for i in range(100)])
    log = tmp_path / "log.json"
    log.write_bytes(whole)
    assert not accuracy.is_truncated(log)
    log.write_bytes(whole[:4096] + TRUNCATION_MARK + whole[-4096:])
    assert accuracy.is_truncated(log)
    with pytest.raises(DataError, match="truncated"):
        next(accuracy.records(log))
    with pytest.raises(DataError, match="truncated"):
        list(accuracy.parse([b"[\n", b"...\n"], "log"))


def test_a_missing_log_is_an_error_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        list(accuracy.records(tmp_path / "log.json"))


def test_a_pipe_and_an_endless_device_are_no_logs(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    os.mkfifo(log)
    for path in (log, Path("/dev/zero")):
        with pytest.raises(DataError, match="cannot be read"):
            accuracy.is_truncated(path)
        with pytest.raises(DataError, match="cannot be read"):
            list(accuracy.records(path))


def test_published_logs_are_truncated_or_empty(published: Mapping[str, bytes], tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    truncated = 0
    for name, data in published.items():
        if name.endswith("accuracy.json"):
            log.write_bytes(data)
            if accuracy.is_truncated(log):
                truncated += 1
                assert len(data) == 8199, name
            else:
                assert list(accuracy.records(log)) == [] or "/TEST01/performance/" in name, name
    assert truncated >= 110
