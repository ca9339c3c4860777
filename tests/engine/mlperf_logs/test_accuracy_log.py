import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError
from engine.mlperf_logs import accuracy_log as accuracy
from engine.mlperf_logs.accuracy_log import Record

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


def test_records_are_written_as_loadgen_writes_them(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    accuracy.write(log, list(accuracy.parse(WHOLE.splitlines(keepends=True), "log")))
    assert log.read_bytes() == WHOLE
    accuracy.write(log, [])
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
    log.write_bytes(whole[:4096] + accuracy.TRUNCATION_MARK + whole[-4096:])
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
