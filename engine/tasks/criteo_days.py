"""Makes the rules' test file of Criteo's days, as the training code of the rules' reference does.

A categorical value is its hash modulo `max_ind_range`, numbered by its first appearance in all days, one after another.
A day is read on its own: what is kept of it are its values in the order in which they appear there. These are merged in
the order of the days. So days are read side by side, in any order, and one that was read is not read again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engine.store.files import new_beside
from engine.tasks import criteo_lines, criteo_trace
from engine.tasks.criteo_dictionary import Appeared, Dictionary
from engine.tasks.criteo_files import BINARY_COLUMNS, CATEGORICAL, COUNTS, DAYS, DENSE, ROW_BYTES, TEST, TRACE

Array = np.ndarray[Any, np.dtype[Any]]
Report = Callable[[int], None]

LAST = DAYS - 1
BLOCK = 1 << 16
"""Rows of the test file that are written at once."""
_KEYS = "day_{}.keys.npz"
"""Of a day that was read: the values of each column, uint32 in the order in which they appear."""
_ROWS = "day_23.rows"
"""The last day's rows in the form of TEST, with values in place of indices; once it was read, the first half."""


def is_read(folder: Path, day: int) -> bool:
    """Return whether a day was read."""
    return (folder / _KEYS.format(day)).exists()


def read_day(source: Path, day: int, max_ind_range: int, folder: Path, read: Report) -> None:
    """Read a day and keep in `folder` what the test file needs of it.

    `read` is called with the place in the file, in bytes. Memory: a byte for each of 26 times `max_ind_range` values,
    1 GB for the rules', and 8 for each that appears. Raises DataError that names file and line, and OSError.
    """
    appeared = Appeared(CATEGORICAL, max_ind_range)
    rows = hashed(source, max_ind_range, appeared, read)
    if day == LAST:
        with (folder / _ROWS).open("wb") as file:
            _write_first_half(rows, file)
    else:
        for _ in rows:
            pass
    with new_beside(folder / _KEYS.format(day)) as file:
        np.savez(file, *appeared.in_order())


def hashed(source: Path, max_ind_range: int, appeared: Appeared, read: Report) -> Iterator[criteo_lines.Rows]:
    """Yield the rows of a day, hashes modulo `max_ind_range`, and note them in `appeared`."""
    for numbers, hashes in criteo_lines.rows(source, read):
        keys = hashes % np.uint32(max_ind_range)
        appeared.add(keys)
        yield criteo_lines.Rows(numbers, keys)


def _write_first_half(rows: Iterator[criteo_lines.Rows], file: BinaryIO) -> None:
    """Write rows in the form of TEST, values in place of indices; of an odd number the larger half."""
    count = 0
    for numbers, keys in rows:
        block = np.empty((len(keys), BINARY_COLUMNS), "<i4")
        block[:, : 1 + DENSE] = np.maximum(numbers, 0)
        block[:, 1 + DENSE :] = keys
        file.write(block.data)
        count += len(block)
    file.truncate((count + 1) // 2 * ROW_BYTES)
    file.flush()
    os.fsync(file.fileno())


def merge(folder: Path, max_ind_range: int, output: Path, report: Callable[[int, int], None]) -> int:
    """Write TEST, COUNTS and TRACE of the days that were read, and return the number of samples.

    `report` is called with the rows that are written, and those in all. Memory: 4 bytes for each of 26 times
    `max_ind_range` values, 4.2 GB for the rules'. Raises OSError.
    """
    tables = [_table(folder, column, max_ind_range) for column in range(CATEGORICAL)]
    rows = (folder / _ROWS).stat().st_size // ROW_BYTES
    with new_beside(output / TEST) as target, (folder / _ROWS).open("rb") as source:
        for start in range(0, rows, BLOCK):
            block = np.fromfile(source, "<i4", BLOCK * BINARY_COLUMNS).reshape(-1, BINARY_COLUMNS)
            for column, table in enumerate(tables, start=1 + DENSE):
                block[:, column] = table.indices(block[:, column])
            target.write(block.data)
            report(start + len(block), rows)
    np.savez(output / COUNTS, counts=np.array([table.count for table in tables], np.int32))
    lengths = criteo_trace.lengths(rows)
    criteo_trace.write(output / TRACE, lengths)
    return len(lengths)


def _table(folder: Path, column: int, max_ind_range: int) -> Dictionary:
    table = Dictionary(max_ind_range)
    for day in range(DAYS):
        with np.load(folder / _KEYS.format(day)) as file:
            table.add(file[f"arr_{column}"])
    return table
