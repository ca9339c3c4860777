"""Runs are filtered by words and by columns; what can't be a filter is a usage error, never an exception."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.explore.filters import matching
from engine.explore.runs import Run

RUNS = [
    Run(
        id=f"r-{number:04d}/{scenario}",
        job=f"r-{number:04d}",
        step="s",
        scenario=scenario,
        mode="performance",
        valid=valid,
        sut="demo-offline",
        backend=backend,
        choices={"workers.seconds": str(number)},
        figures={"latency_p99": number * 1e6, "samples_per_second": 100.0 * number},
        settings={"max_batch": 8.0 * number},
        disturbed="noise" if number == 3 else "",
    )
    for number, (scenario, backend, valid) in enumerate(
        [("Offline", "onnxruntime", True), ("Server", "openvino", False), ("Server", "onnxruntime", True)], start=1
    )
]


def found(words: str) -> list[str]:
    """Return the jobs that match."""
    return [run.job[-1] for run in matching(RUNS, words)]


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        ("", "123"),
        ("scenario:server", "23"),
        ("SCENARIO:Server state:valid", "3"),
        ("state:invalid", "2"),
        ("state:disturbed", "3"),
        ("-scenario:server", "1"),
        ("p99<2.5", "12"),
        ("p99<=2 p99>1", "2"),
        ("samples/s>=200 backend:open", "2"),
        ("max_batch=16", "2"),
        ("-max_batch>8", "1"),
        ("workers.seconds=2", "2"),
        ("system:demo", "123"),
        ("offline", "1"),
        ("accuracy>1", ""),
    ],
)
def test_columns_and_words(words: str, jobs: str) -> None:
    assert "".join(found(words)) == jobs


@pytest.mark.parametrize(
    ("words", "what"),
    [("scenrio:server", "no column 'scenrio'"), ("p99<fast", "'fast' is not a number"), ("scenario<3", "is a text")],
)
def test_what_is_no_filter_is_a_usage_error(words: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        matching(RUNS, words)


@given(st.text(max_size=30))
def test_any_text_filters_or_is_a_usage_error(words: str) -> None:
    with suppress(UsageError):
        assert set(found(words)) <= set("123")
