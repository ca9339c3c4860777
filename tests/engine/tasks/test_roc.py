"""The area under the curve, held against all pairs counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks import roc

predictions = st.lists(st.sampled_from([0.0, -0.0, 0.1, 0.25, 0.5, 1.0, -3.0, 1e-45, 7.5]), min_size=1, max_size=9)


@given(predictions, predictions)
def test_it_is_the_share_of_pairs_in_order(positive: list[float], negative: list[float]) -> None:
    found = roc.area(np.array(positive, np.float32), np.array(negative, np.float32))
    one, other = np.array(positive, np.float32)[:, None], np.array(negative, np.float32)[None]
    assert found == pytest.approx(((one > other) + 0.5 * (one == other)).mean(), abs=1e-12)


def test_chunks_do_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    one, other = (random.random(count).astype(np.float16).astype(np.float32) for count in (700, 900))
    whole = roc.area(one.copy(), other.copy())
    monkeypatch.setattr(roc, "CHUNK", 64)
    assert roc.area(one.copy(), other.copy()) == whole
    assert roc.area(other, one) == pytest.approx(1 - whole, abs=1e-15)
