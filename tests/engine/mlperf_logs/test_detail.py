import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError
from engine.mlperf_logs import detail

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def line(key: str, value: Any, **metadata: Any) -> bytes:
    return b":::MLLOG " + json.dumps({"key": key, "value": value, "metadata": metadata}).encode() + b"\n"


@given(st.lists(st.tuples(st.text(), json_values)))
def test_every_key_and_value_is_kept(pairs: list[tuple[str, Any]]) -> None:
    log = detail.parse(b"".join(line(key, value) for key, value in pairs))
    assert [(message.key, message.value) for message in log.messages] == pairs
    assert [message.line for message in log.messages] == list(range(1, len(pairs) + 1))
    assert not log.malformed


@given(st.lists(st.binary()))
def test_no_bytes_make_it_crash(lines: list[bytes]) -> None:
    data = b"\n".join(b":::MLLOG " + text for text in lines)
    log = detail.parse(data)
    counted = len(log.messages) + len(log.malformed) + log.other_lines
    assert counted == len(data.removesuffix(b"\n").split(b"\n") if data else [])


def test_seeds_are_exact() -> None:
    log = detail.parse(line("effective_qsl_rng_seed", 14284205019438841327) + line("big", 2**64 + 1))
    assert log.value("effective_qsl_rng_seed") == 14284205019438841327
    assert log.value("big") == 2**64 + 1


def test_bare_infinity_and_nan_are_read() -> None:
    log = detail.parse(b':::MLLOG {"key": "a", "value": Infinity}\n:::MLLOG {"key": "b", "value": NaN}')
    assert log.value("a") == float("inf")
    assert log.value("b") != log.value("b")


def test_the_first_value_of_a_key_counts() -> None:
    log = detail.parse(line("result_validity", "VALID") + line("result_validity", "INVALID"))
    assert log.value("result_validity") == "VALID"
    assert log.values("result_validity") == ["VALID", "INVALID"]
    first = log.first("result_validity")
    assert first is not None
    assert first.line == 1
    assert log.first("nothing") is None
    assert log.value("nothing", 7) == 7


def test_errors_and_warnings_are_told_apart() -> None:
    log = detail.parse(line("a", 1, is_error=True) + line("b", 2, is_warning=True) + line("c", 3))
    assert [message.key for message in log.errors] == ["a"]
    assert [message.key for message in log.warnings] == ["b"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"value": 1}',
        b'{"key": 7, "value": 1}',
        b'{"key": "a"}',
        b'{"key": "a", "value": "\xff"}',
        b"[" * 5000,
    ],
)
def test_a_damaged_line_is_data(text: bytes) -> None:
    log = detail.parse(line("before", 1) + b":::MLLOG " + text + b"\n" + line("after", 2))
    assert [message.key for message in log.messages] == ["before", "after"]
    assert [(bad.line, bad.text[:8]) for bad in log.malformed] == [(2, ":::MLLOG")]
    assert log.malformed[0].why


def test_lines_without_the_marker_are_counted() -> None:
    log = detail.parse(b"hello\n" + line("a", 1) + b" :::MLLOG {}\r\n")
    assert (len(log.messages), log.other_lines) == (1, 2)
    assert log.messages[0].line == 2


def test_a_missing_file_is_an_error_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        detail.read(tmp_path / "mlperf_log_detail.txt")
    with pytest.raises(DataError, match="cannot be read"):
        detail.read(Path("/dev/zero"))


def test_published_logs_lose_nothing(published: Mapping[str, bytes]) -> None:
    logs = {name: data for name, data in published.items() if name.endswith("detail.txt")}
    assert len(logs) == 467
    for name, data in logs.items():
        log = detail.parse(data)
        assert not log.malformed, name
        assert not log.other_lines, name
        expected = [json.loads(text.removeprefix(detail.MARKER)) for text in data.splitlines()]
        found = [msgspec.to_builtins(message) for message in log.messages]
        assert [entry.pop("line") for entry in found] == list(range(1, len(found) + 1)), name
        assert found == expected, name
