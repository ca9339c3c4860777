"""How the rows of the Criteo test set are aggregated to samples.

A sample is 100 to 700 consecutive rows, as if a user were shown that many candidates. The reference draws the lengths
with NumPy's legacy generator from fixed quantiles; of the rules' 89,137,319 rows that makes 330,067 samples.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DataError
from engine.store.files import read_plain, write_atomic
from engine.text import clean

Array = np.ndarray[Any, np.dtype[Any]]

SEED = 123
QUANTILES = np.array([100] * 2 + [200] * 12 + [300] * 2 + [400, 500, 600, 700])

_REMEDY = "delete it: it is written again; or take the file that the rules publish for this test set"


def drawn(samples: int) -> Array:
    """Return the rows of the first so many samples: int64 [samples]."""
    return QUANTILES[np.random.RandomState(SEED).randint(0, len(QUANTILES), samples)]


def lengths(rows: int) -> Array:
    """Return the rows of each sample of a test set of so many rows: int64 [N], the last one cut where the rows end."""
    each = drawn(-(-rows // int(QUANTILES.min())))
    ends = each.cumsum()
    kept = int(np.searchsorted(ends, rows)) + 1 if rows else 0
    each = each[:kept].copy()
    if kept:
        each[-1] -= ends[kept - 1] - rows
    return each


def write(path: Path, each: Array) -> None:
    """Write a trace in the reference's form."""
    ends = each.cumsum()
    lines = (f"{end - rows}, {end}, {rows}\n" for end, rows in zip(ends.tolist(), each.tolist(), strict=True))
    write_atomic(path, "".join(lines).encode("ascii"))


def read(path: Path, rows: int) -> Array:
    """Return the rows of each sample, int64 [N], as a trace states them.

    Raises DataError, with the line, unless its samples are the `rows` rows of the test set, one after another.
    """
    where, end, found = clean(str(path)), 0, []
    for number, line in enumerate(read_plain(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            first, last, count = map(int, line.split(b","))
        except ValueError:
            text = clean(line[:80].decode("ascii", "replace"))
            raise DataError(f"{where}:{number}: '{text}' is not `first, end, rows`", _REMEDY) from None
        if first != end or count < 1 or last - first != count:
            raise DataError(f"{where}:{number}: rows {first} to {last} ({count}) do not follow row {end}", _REMEDY)
        end = last
        found.append(count)
    if end != rows:
        raise DataError(f"{where} is of {end:,} rows, the test set has {rows:,}", _REMEDY)
    return np.array(found, np.int64)
