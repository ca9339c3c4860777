"""Which benchmark `inferdeck demo --model=NAME` shows."""

from __future__ import annotations

import pytest

from engine.cli.demo import benchmark
from engine.errors import UsageError
from engine.profile.catalog import load


@pytest.mark.parametrize(
    ("model", "name"),
    [("bert", "bert-99"), ("bert-99", "bert-99"), ("bert-99.9", "bert-99.9"), ("resnet50", "resnet50")],
)
def test_a_family_is_its_first_benchmark(model: str, name: str) -> None:
    assert benchmark(model, load([]).benchmarks) == name


@pytest.mark.parametrize("model", ["brt", "bert-9", ""])
def test_what_is_neither_is_refused(model: str) -> None:
    with pytest.raises(UsageError, match=f"no demonstration of '{model}'"):
        benchmark(model, load([]).benchmarks)
