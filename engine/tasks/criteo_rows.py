"""Reads Criteo's test rows and the trace that groups them into samples, in the files of the rules' reference.

The arithmetic is that of the reference's reader (`data_loader_terabyte.CriteoBinDataset` of the DLRM training code):
counts become log(count + 1) in float32, and indices the rest of a division by `max_ind_range`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from engine.errors import DataError
from engine.store.files import open_plain
from engine.tasks import criteo_trace
from engine.tasks.criteo_files import BINARY_COLUMNS, CATEGORICAL, COUNTS, DENSE, ROW_BYTES, TRACE
from engine.tasks.criteo_survey import ROWS, SAMPLES, binary
from engine.tasks.listing import readable
from engine.text import clean

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK = 1 << 17
"""Rows that are read at once: 21 MB."""

_AGAIN = "write the file again with the reference, or copy it again"


class Block(NamedTuple):
    """Some rows, as they are measured."""

    dense: Array
    """log(count + 1), float32 [n,DENSE]."""
    sparse: Array
    """Indices, int32 [n,CATEGORICAL]."""
    labels: Array
    """0 or 1, float32 [n]."""


def offsets(folder: Path, rows: int) -> Array:
    """Return where the samples of a folder's rows begin and end: int64 [N+1].

    By the folder's TRACE; without one, as the reference draws them. Raises DataError that names the file and the line:
    no trace, another number of rows, or of the rules' rows another trace than theirs.
    """
    path = folder / TRACE
    with readable(path):
        lengths = criteo_trace.read(path, rows) if path.exists() else criteo_trace.lengths(rows)
    if rows == ROWS and not np.array_equal(lengths, criteo_trace.lengths(rows)):
        raise DataError(
            f"{clean(str(path))} is not the trace of the rules for {ROWS:,} rows, which has {SAMPLES:,} samples",
            "remove the file, and it is drawn as the reference draws it",
        )
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))


def count_rows(folder: Path) -> int:
    """Return the rows of a folder's TEST. Raises DataError: missing, empty, or cut within a row."""
    path = binary(folder)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{clean(str(path))} cannot be read: {error.strerror}", "check the file") from None
    rows, rest = divmod(size, ROW_BYTES)
    if rest or not rows:
        what = f"has {size:,} bytes: {rows:,} rows of {ROW_BYTES} and {rest} more" if rest else "is empty"
        raise DataError(f"{clean(str(path))} {what}", _AGAIN)
    return rows


def sizes(folder: Path) -> Array | None:
    """Return the sizes of the dictionaries, int64 [CATEGORICAL], from a folder's COUNTS; None without that file.

    Raises DataError: no such array in it.
    """
    path = folder / COUNTS
    if not path.exists():
        return None
    try:
        with open_plain(path) as file, np.load(file, allow_pickle=False) as arrays:
            found = np.asarray(arrays["counts"])
    except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
        what = f"{clean(str(path))} has no array 'counts': {clean(str(error))}"
        raise DataError(what, "write it again with the reference, or remove it") from None
    if found.shape != (CATEGORICAL,) or found.dtype.kind not in "iu" or found.min() < 1:
        what = f"{clean(str(path))}: 'counts' is {found.dtype}{list(found.shape)}, not {CATEGORICAL} sizes"
        raise DataError(what, "write it again with the reference, or remove it")
    return found.astype(np.int64)


def blocks(folder: Path, rows: int, max_ind_range: int | None, tables: Array | None = None) -> Iterator[Block]:
    """Yield the first `rows` rows of a folder's TEST in blocks.

    Raises DataError that names the file and the row: a label that is not 0 or 1, a negative number, an index that is
    not in its dictionary of `tables` entries.
    """
    path = binary(folder)
    try:
        with open_plain(path) as file:
            for start in range(0, rows, BLOCK):
                count = min(BLOCK, rows - start)
                raw = np.fromfile(file, "<i4", count * BINARY_COLUMNS)
                if len(raw) != count * BINARY_COLUMNS:
                    raise DataError(f"{clean(str(path))} ends in row {start + len(raw) // BINARY_COLUMNS:,}", _AGAIN)
                found = raw.reshape(count, BINARY_COLUMNS)
                _refuse(found, start, path, tables)
                yield _block(found, max_ind_range)
    except OSError as error:
        raise DataError(f"{clean(str(path))} cannot be read: {error.strerror}", "check the file") from None


def _block(raw: Array, max_ind_range: int | None) -> Block:
    sparse = raw[:, 1 + DENSE :]
    return Block(
        dense=np.log(raw[:, 1 : 1 + DENSE].astype(np.float32) + np.float32(1)),
        sparse=sparse % np.int32(max_ind_range) if max_ind_range else sparse,
        labels=raw[:, 0].astype(np.float32),
    )


def _refuse(raw: Array, start: int, path: Path, tables: Array | None) -> None:
    """Raise DataError for the first row that no reader of the reference could have written."""
    if raw.min() >= 0 and raw[:, 0].max() <= 1 and (tables is None or (raw[:, 1 + DENSE :].max(0) < tables).all()):
        return
    most = np.full(BINARY_COLUMNS, np.iinfo(np.int32).max, np.int64)
    most[0] = 1
    if tables is not None:
        most[1 + DENSE :] = tables - 1
    row, column = (int(one) for one in np.argwhere((raw < 0) | (raw > most))[0])
    value, limit = int(raw[row, column]), int(most[column])
    what = _named(column, value, limit)
    raise DataError(f"{clean(str(path))}: row {start + row:,}: {what}", _AGAIN)


def _named(column: int, value: int, limit: int) -> str:
    """Return what is wrong with a value."""
    if column == 0:
        return f"the label is {value}, not 0 or 1"
    if column <= DENSE:
        return f"count {column} of {DENSE} is {value}: the reference's are not negative"
    return f"index {column - DENSE} of {CATEGORICAL} is {value}; its dictionary ends with {limit}"


def row_bytes(labels: Sequence[int] | Array, counts: Array, indices: Array) -> bytes:
    """Return rows in the form of TEST. `counts` int [n,DENSE], `indices` int [n,CATEGORICAL]."""
    whole = np.empty((len(labels), BINARY_COLUMNS), "<i4")
    whole[:, 0], whole[:, 1 : 1 + DENSE], whole[:, 1 + DENSE :] = labels, counts, indices
    return whole.tobytes()
