"""Rows in the form of the reference's test file, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.tasks import criteo_trace
from engine.tasks.criteo_files import BINARY_COLUMNS, CATEGORICAL, COUNTS, DENSE, TEST, TRACE

Array = np.ndarray[Any, np.dtype[Any]]

TABLES = np.array([*range(5, 5 + CATEGORICAL)])
"""Sizes of the dictionaries."""
LENGTHS = (3, 1, 7, 4, 2, 3)
"""Rows of each sample."""


def rows(count: int, seed: int = 0, tables: Array = TABLES) -> Array:
    """Return rows, int32 [count, COLUMNS]."""
    random = np.random.default_rng(seed)
    found = np.empty((count, BINARY_COLUMNS), "<i4")
    found[:, 0] = random.integers(0, 2, count)
    found[:, 1 : 1 + DENSE] = random.integers(0, 3000, (count, DENSE))
    found[:, 1 + DENSE :] = random.integers(0, tables, (count, CATEGORICAL))
    return found


def write(folder: Path, made: Array, lengths: tuple[int, ...] | None = LENGTHS, tables: Array | None = TABLES) -> Path:
    """Write a folder as the reference does; without lengths there is no trace."""
    folder.mkdir(parents=True, exist_ok=True)
    made.tofile(folder / TEST)
    if lengths is not None:
        criteo_trace.write(folder / TRACE, np.array(lengths))
    if tables is not None:
        np.savez(folder / COUNTS, counts=tables)
    return folder
