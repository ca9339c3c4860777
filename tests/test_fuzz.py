"""A few dozen made-up inputs of each kind; `python -m tests.fuzz` runs thousands."""

from __future__ import annotations

import pytest

from tests.fuzz import case, runner
from tests.fuzz.kinds import faults
from tests.fuzz.worker import Asked

INPUTS = {"commands": 48, "homes": 36, "trees": 24, "profiles": 24, "data": 36, "logs": 36, "keys": 3}


@pytest.mark.slow
def test_no_made_up_input_crashes_hangs_or_reaches_outside() -> None:
    inputs = [(kind, seed) for kind, count in INPUTS.items() for seed in range(count)]
    failures = runner.run(inputs, workers=2)
    assert not failures, "\n\n".join(map(str, failures))


@pytest.mark.parametrize("kind", case.SHARES)
def test_an_input_is_the_same_whenever_its_seed_comes(kind: str) -> None:
    assert [str(part) for part in case.make(kind, 7).parts] == [str(part) for part in case.make(kind, 7).parts]


def test_what_no_input_may_do_is_found_and_made_smaller() -> None:
    seeds: dict[int, int] = {}
    for seed in range(100):
        seeds.setdefault(made("faults", seed).number, seed)
    with runner.Worker() as worker:
        for number, (cause, _) in enumerate(faults.FAULTS):
            found = worker.judge(Asked("faults", seeds[number], seconds=0.5 if cause == "hang" else 5.0), {})
            assert found.cause.startswith(cause)
            assert bool(found.cause) == bool(cause)
            if not cause.startswith("the process"):
                assert found.kept == ([1] if cause else [0, 1, 2])


def made(kind: str, seed: int) -> faults.Fault:
    found = case.make(kind, seed)
    assert isinstance(found, faults.Fault)
    return found
