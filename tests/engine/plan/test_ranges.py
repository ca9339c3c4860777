"""Numeric options: values out of range are refused, and the range is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.plan.selection_syntax import selection_of
from engine.profile.component import Option
from engine.profile.values import coerce
from engine.survey.prepare import Workplace, resolved
from tests.engine.explore import history
from tests.helpers import folders_in


def plan_of(word: str) -> None:
    """Resolve the application with an option of the command line."""
    selection, _ = selection_of(("run", history.TAGS, word))
    resolved(Workplace(folders_in(Path("/nowhere")), history.our_catalog()), selection)


@pytest.mark.parametrize("value", ["nan", "1e400", "0"])
@pytest.mark.parametrize(
    "option",
    [
        "--target_latency_ms",
        "--singlestream_target_latency_ms",
        "--multistream_target_latency_ms",
        "--target_qps",
        "--server_target_qps",
        "--offline_target_qps",
        "--adr.workers.seconds",
    ],
)
def test_a_figure_out_of_range_is_refused_with_the_range(option: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan_of(f"{option}={value}")
    assert option.rpartition(".")[2].lstrip("-") in caught.value.what
    assert "at least" in caught.value.remedy
    assert "at most" in caught.value.remedy


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("queue_wait_us", "99999999999999999999999"),
        ("min_duration_ms", "99999999999999999999"),
        ("min_query_count", "1" + "0" * 23),
        ("max_query_count", "1" + "0" * 23),
        ("performance_sample_count", "1" + "0" * 23),
        ("sessions", "1000000"),
        ("max_batch", "10000000"),
    ],
)
def test_a_whole_number_out_of_range_is_refused_with_the_range(option: str, value: str) -> None:
    with pytest.raises(UsageError, match=rf"too large for '{option}'"):
        plan_of(f"--{option}={value}")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "-inf", "9" * 400, 10**400, True])
def test_an_option_without_a_range_takes_finite_numbers_only(value: object) -> None:
    with pytest.raises(UsageError, match="'x'"):
        coerce(Option("x", "float"), value, "here")
