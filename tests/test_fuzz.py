"""A few dozen made-up inputs of each kind; `python -m tests.fuzz` runs thousands."""

from __future__ import annotations

import pytest

from tests.fuzz import case, runner

INPUTS = {"commands": 60, "homes": 40, "trees": 30, "profiles": 30, "data": 30, "logs": 30, "keys": 6}


@pytest.mark.slow
def test_no_made_up_input_crashes_hangs_or_reaches_outside() -> None:
    inputs = [(kind, seed) for kind, count in INPUTS.items() for seed in range(count)]
    failures = runner.run(inputs, workers=2)
    assert not failures, "\n\n".join(map(str, failures))


@pytest.mark.parametrize("kind", case.SHARES)
def test_an_input_is_the_same_whenever_its_seed_comes(kind: str) -> None:
    assert [str(part) for part in case.make(kind, 7).parts] == [str(part) for part in case.make(kind, 7).parts]
