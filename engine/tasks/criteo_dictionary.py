"""Categorical values numbered by their first appearance, as the rules' reference numbers the rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Dictionary:
    """The dictionary of one column. Keys are below `size`; memory is at most 4 bytes for each of those.

    The table is looked up by key and never searched. Its pages take memory only once a key in them has appeared.
    """

    def __init__(self, size: int) -> None:
        self._numbers = np.zeros(size, np.int32)  # from 1; 0 has not appeared
        self.count = 0

    def add(self, keys: Array) -> Array:
        """Number the keys that have not appeared before, and return them in the order in which they appear."""
        unknown = keys[self._numbers[keys] == 0]
        places = np.arange(1, len(unknown) + 1, dtype=np.int32)
        self._numbers[unknown[::-1]] = places[::-1]  # of several writes to one place the last one stays
        fresh: Array = unknown[self._numbers[unknown] == places]
        self._numbers[fresh] = np.arange(self.count + 1, self.count + len(fresh) + 1, dtype=np.int32)
        self.count += len(fresh)
        return fresh

    def indices(self, keys: Array) -> Array:
        """Return the numbers of keys, from 0: int32. A key that has not appeared has -1."""
        return self._numbers[keys] - np.int32(1)
