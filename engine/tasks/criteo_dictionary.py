"""Categorical values numbered by their first appearance, as the rules' reference numbers the rows of a table.

Tables are looked up by key and never searched: they take memory for every key that there may be.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Dictionary:
    """The dictionary of one column: 4 bytes for each key that there may be."""

    def __init__(self, size: int) -> None:
        """Keys are below `size`."""
        self._numbers = np.zeros(size, np.int32)  # from 1; 0 has not appeared
        self.count = 0

    def add(self, keys: Array) -> None:
        """Number the keys that have not appeared before."""
        unknown = keys[self._numbers.take(keys) == 0]
        places = np.arange(len(unknown), 0, -1, dtype=np.int32)
        self._numbers[unknown[::-1]] = places  # of several writes to one place the last one stays
        fresh = unknown[self._numbers[unknown] == places[::-1]]
        self._numbers[fresh] = np.arange(self.count + 1, self.count + len(fresh) + 1, dtype=np.int32)
        self.count += len(fresh)

    def indices(self, keys: Array) -> Array:
        """Return the numbers of keys, from 0: int32. A key that has not appeared has -1."""
        numbers: Array = self._numbers.take(keys)
        return numbers - np.int32(1)


class Appeared:
    """Which keys of several columns have appeared: one byte for each key that there may be in a column."""

    def __init__(self, columns: int, size: int) -> None:
        """Keys are below `size`."""
        self._size = size
        self._begins = np.arange(columns, dtype=np.uint32) * np.uint32(size)
        self._appeared = np.zeros(columns * size, bool)
        self._fresh: list[Array] = []

    def add(self, keys: Array) -> None:
        """Note the keys of some rows: uint32 [n, columns]."""
        places = (keys + self._begins).ravel()
        unknown = places[~self._appeared.take(places)]
        if len(unknown):
            _, first = np.unique(unknown, return_index=True)
            fresh = unknown[np.sort(first)]
            self._appeared[fresh] = True
            self._fresh.append(fresh)

    def in_order(self) -> list[Array]:
        """Return the keys of each column in the order in which they appeared: uint32."""
        fresh = np.concatenate([*self._fresh, np.empty(0, np.uint32)])
        return [fresh[(fresh >= begin) & (fresh - begin < self._size)] - begin for begin in self._begins]
