"""What a session reports to LoadGen for a batch."""

from typing import Any

import mlperf_loadgen as lg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import RunError
from engine.harness.session import complete
from engine.tasks.base import Responses


def received(ids: list[int], responses: Responses) -> list[tuple[int, bytes]]:
    """Complete a batch and read, from the addresses that LoadGen gets, what it would log."""
    start = responses.data.ctypes.data
    raw = responses.data.tobytes()
    got: list[tuple[int, bytes]] = []

    def note(made: list[Any]) -> None:
        got.extend((one.id, raw[one.data - start : one.data - start + one.size]) for one in made)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lg, "QuerySamplesComplete", note)
        complete(ids, responses)
    return got


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=20))
def test_each_sample_gets_its_own_bytes(answers: list[bytes]) -> None:
    data = np.frombuffer(b"".join(answers), np.uint8)
    ids = list(range(100, 100 + len(answers)))
    responses = Responses(data, [len(answer) for answer in answers])
    assert received(ids, responses) == list(zip(ids, answers, strict=True))


@given(st.integers(1, 8), st.integers(0, 8))
def test_answers_of_one_size_follow_one_another(count: int, size: int) -> None:
    data = np.arange(count * size, dtype=np.uint8)
    expected = [(number, data[number * size : (number + 1) * size].tobytes()) for number in range(count)]
    assert received(list(range(count)), Responses(data, size)) == expected


@pytest.mark.parametrize(
    "responses",
    [
        Responses(np.zeros(3, np.float32), 4),
        Responses(np.zeros(2, np.float64), 4),
        Responses(np.zeros(2, np.float32), [4, 4, 0]),
        Responses(np.zeros(2, np.float32), [8]),
        Responses(np.zeros((2, 2), np.float32)[:, 0], 4),
    ],
)
def test_bytes_that_are_not_one_response_for_each_sample_are_refused(responses: Responses) -> None:
    with pytest.raises(RunError, match="answered 2 samples"):
        complete([1, 2], responses)
