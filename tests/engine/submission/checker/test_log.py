from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mlperf_logs import detail
from engine.submission.checker import location, log
from engine.submission.checker.check import check
from tests.engine.submission.base_tree import RULES, SYSTEMS, write_system
from tests.engine.submission.loadgen_logs import message

KEYS = ("a", "b", "loaded_qsl_set", "result_validity")

scalars = st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=40)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=60) | st.dictionaries(st.text(max_size=5), inner))
lines = st.builds(
    lambda key, value, is_error: message(key, value, is_error=is_error), st.sampled_from(KEYS), values, st.booleans()
)
others = st.sampled_from([
    "", "finished\n", "  " + message("a", 1), message("a", 2).removeprefix(":::MLLOG "), ":::MLLOG {broken\n",
    ":::MLLOG [1, 2]\n", ':::MLLOG {"key": "a", "value": [1, 2\n', ':::MLLOG {"key": "a"}\n', "\n", ":::MLLOG\n",
    ':::MLLOG {"key": "b", "value": NaN, "metadata": {"is_error": false}}\n',
    ':::MLLOG {"key": "b", "value": [' + "1, " * 90 + '"x], "metadata": {"is_error": false}}\n',
    message("a", ":::MLLOG [1]"), message("a", '\n:::MLLOG {"key": "b"'),
])  # fmt: skip


@given(st.lists(lines | others, max_size=12))
def test_the_fast_way_reads_what_the_slow_way_reads(text: list[str]) -> None:
    data = "".join(text).encode("utf-8", "surrogatepass")
    fast, slow = log.Reader().parse(data), log.slow(data.split(b"\n"))
    assert [one.line for one in fast.malformed] == [one.line for one in slow.malformed]
    errors = [one.value for one in detail.parse(data).errors]
    assert len(fast.errors) == len(errors)
    assert all(said == str(one) for said, one in zip(fast.errors, errors, strict=True) if scalar(one) is not None)
    assert fast.other_lines == slow.other_lines
    for key in KEYS:
        assert repr(scalar(fast.value(key))) == repr(slow.value(key))
        assert repr([scalar(one) for one in fast.values(key)]) == repr(slow.values(key))


def scalar(value: Any) -> Any:
    """Return what the slow reader keeps of a value."""
    return None if isinstance(value, list | dict) else value


def test_lists_are_known_again_only_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LISTS_KEPT", 4)
    reader = log.Reader()
    many = [message("loaded_qsl_set", list(range(first, first + 100))) for first in range(0, 1000, 100)] * 2
    read = reader.parse("".join(many).encode())
    assert len(read.values("loaded_qsl_set")) == 20
    assert len(reader._lists) == 4


@pytest.mark.parametrize("broken", ["[1, 2, x, 3", "[1, 2, , 3", '[1, "2, 3', "[1, 2} 3"])
def test_a_list_must_be_a_list_even_if_another_begins_alike(broken: str) -> None:
    good = message("loaded_qsl_set", [7] * 200)
    bad = good.replace("[7, 7", broken, 1).replace("7, 7]", "7, 8]")
    late = good.replace("7, 7]", "7, x]")
    reader = log.Reader()
    assert not reader.parse(good.encode()).malformed
    for line in (bad, late):
        read = reader.parse((good + line + good).encode())
        assert [one.line for one in read.malformed] == [2]


def test_bytes_that_are_no_text_are_found() -> None:
    data = message("a", "é").replace("\\u00e9", "é").encode("latin-1")
    assert log.Reader().parse(data).malformed
    assert log.Reader().parse(message("a", 1).encode() + message("b", "é").encode()).value("b") == "é"


def test_a_log_too_large_for_memory_is_read_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = SYSTEMS["open-dc"]
    write_system(tmp_path, system)
    run = tmp_path / system.at("results", "bert-99.9", "Server") / "performance" / "run_1" / "mlperf_log_detail.txt"
    before = check(tmp_path, RULES)
    monkeypatch.setattr(location, "SMALL", 1000)
    assert check(tmp_path, RULES) == before
    monkeypatch.setattr(location, "LONGEST", 3000)
    with run.open("a") as file:
        file.write(":::MLLOG " + json.dumps({"key": "x" * 5000}) + "\n")
    found = {finding.rule for finding in check(tmp_path, RULES).findings if finding.severity == "error"}
    assert found == {"performance.line"}


def test_what_a_broken_log_repeats_is_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "KEPT", 5)
    lines = [message("a", number, is_error=True).encode() for number in range(20)] + [b":::MLLOG {"] * 20
    read = log.slow(lines)
    assert read.values("a") == [0, 1, 2, 3, 4]
    assert len(read.errors) == len(read.malformed) == 5
