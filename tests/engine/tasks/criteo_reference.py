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
        rows = [row(line, max_ind_range) for line in day]
        for one in rows:
            for dictionary, key in zip(dictionaries, one[14:], strict=True):
                dictionary.setdefault(key, len(dictionary))
    found = []
    for label, *rest in rows[: math.ceil(len(rows) / 2)]:
        indices = [dictionary[key] for dictionary, key in zip(dictionaries, rest[13:], strict=True)]
        found.append([label, *(max(count, 0) for count in rest[:13]), *indices])
    return np.array(found, np.int32), [len(one) for one in dictionaries]


def row(line: str, max_ind_range: int) -> list[int]:
    """Return label, counts and hashes of a line, the hashes modulo a number."""
    fields = ["0" if field in ("", "\n") else field for field in line.split("\t")]
    return [*map(int, fields[:14]), *(int(field, 16) % max_ind_range for field in fields[14:])]
