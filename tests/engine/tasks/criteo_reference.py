"""The arithmetic of the DLRM training code, with which the rules' reference prepares Criteo's days, line by line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def prepare(days: Sequence[Iterable[str]], max_ind_range: int) -> tuple[Array, list[int]]:
    """Return the rows of the test file, int32 [n, 40], and the sizes of the 26 dictionaries."""
    dictionaries: list[dict[int, int]] = [{} for _ in range(26)]
    rows: list[list[int]] = []
    for day in days:
        rows = [_row(line, max_ind_range) for line in day]
        for row in rows:
            for dictionary, key in zip(dictionaries, row[14:], strict=True):
                dictionary.setdefault(key, len(dictionary))
    test = rows[: math.ceil(len(rows) / 2)]
    found = [
        [
            *row[:1],
            *(max(one, 0) for one in row[1:14]),
            *(d[key] for d, key in zip(dictionaries, row[14:], strict=True)),
        ]
        for row in test
    ]
    return np.array(found, np.int32), [len(one) for one in dictionaries]


def _row(line: str, max_ind_range: int) -> list[int]:
    fields = ["0" if field in ("", "\n") else field for field in line.split("\t")]
    return [*map(int, fields[:14]), *(int(field, 16) % max_ind_range for field in fields[14:])]
