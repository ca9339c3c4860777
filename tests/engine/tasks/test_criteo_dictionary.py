import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.criteo_dictionary import Dictionary

KEYS = st.lists(st.integers(0, 19), max_size=30)


@given(st.lists(KEYS, max_size=5))
def test_keys_are_numbered_as_a_dict_in_order_of_insertion_numbers_them(blocks: list[list[int]]) -> None:
    plain: dict[int, int] = {}
    dictionary = Dictionary(20)
    for block in blocks:
        known = len(plain)
        for key in block:
            plain.setdefault(key, len(plain))
        fresh = dictionary.add(np.array(block, np.int32))
        assert fresh.tolist() == list(plain)[known:]
        assert dictionary.count == len(plain)
        assert dictionary.indices(np.array(block, np.int32)).tolist() == [plain[key] for key in block]
    assert dictionary.indices(np.arange(20)).tolist() == [plain.get(key, -1) for key in range(20)]
