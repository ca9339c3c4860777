import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.criteo_dictionary import Appeared, Dictionary

KEYS = st.lists(st.integers(0, 19), max_size=30)
ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=20)


@given(st.lists(KEYS, max_size=5))
def test_keys_are_numbered_as_a_dict_in_order_of_insertion_numbers_them(blocks: list[list[int]]) -> None:
    plain: dict[int, int] = {}
    dictionary = Dictionary(20)
    for block in blocks:
        for key in block:
            plain.setdefault(key, len(plain))
        dictionary.add(np.array(block, np.int32))
        assert dictionary.count == len(plain)
        assert dictionary.indices(np.array(block, np.int32)).tolist() == [plain[key] for key in block]
    assert dictionary.indices(np.arange(20)).tolist() == [plain.get(key, -1) for key in range(20)]


@given(st.lists(ROWS, max_size=5))
def test_keys_of_each_column_come_in_the_order_in_which_they_appeared(blocks: list[list[tuple[int, int, int]]]) -> None:
    appeared = Appeared(3, 10)
    for block in blocks:
        appeared.add(np.array(block, np.uint32).reshape(-1, 3))
    every = [row for block in blocks for row in block]
    assert [keys.tolist() for keys in appeared.in_order()] == [
        list(dict.fromkeys(row[column] for row in every)) for column in range(3)
    ]
