"""Writes generated impressions and clicks as files: days as Criteo publishes them, or the rules' test file.

The test file is what preparing the days gives, byte for byte, without writing the days.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine.datasets.clicks import DAY_ROWS, LAST_DAY, ClickSet, Impressions, hashes, other_days
from engine.datasets.patterns import Purpose
from engine.step import Options, Step
from engine.store.files import disk_errors
from engine.tasks import criteo_trace
from engine.tasks.criteo_dictionary import Dictionary
from engine.tasks.criteo_files import BINARY_COLUMNS, COUNTS, DAYS, DENSE, TEST, TRACE

Array = np.ndarray[Any, np.dtype[Any]]


class ClickOptions(Options, frozen=True, kw_only=True):
    """Which impressions."""

    count: int
    """Samples of 100 to 700 rows."""
    seed: int
    max_ind_range: int
    """Hashes are taken modulo this number, so that no table has more rows."""
    purpose: Purpose = "test"


def generate(step: Step) -> dict[str, Any]:
    """Write TEST, and the TRACE and COUNTS that belong to it. Facts: `images`, `labels` (TEST), `count` (samples)."""
    options = step.read_options(ClickOptions)
    lengths = criteo_trace.drawn(options.count)
    rows, done = int(lengths.sum()), 0
    tables = Tables(options.max_ind_range)
    with disk_errors(step.output), (step.output / TEST).open("wb") as file:
        for block in ClickSet(options.seed, options.purpose).rows(LAST_DAY, rows):
            file.write(tables.rows(block).tobytes())
            done += len(block.labels)
            step.progress(done, rows, "rows")
        np.savez(step.output / COUNTS, counts=tables.counts)
    criteo_trace.write(step.output / TRACE, lengths)
    return {"images": "", "labels": TEST, "count": options.count}


class DayOptions(Options, frozen=True, kw_only=True):
    """Which days."""

    count: int
    """Samples in the first half of the last day."""
    seed: int


def generate_days(step: Step) -> dict[str, Any]:
    """Write day_0 to day_23 as Criteo publishes them. Facts: `images`, `count` (samples)."""
    options = step.read_options(DayOptions)
    rows = 2 * int(criteo_trace.drawn(options.count).sum())
    for day in range(DAYS):
        write_day(step.output / f"day_{day}", ClickSet(options.seed).rows(day, rows if day == LAST_DAY else DAY_ROWS))
        step.progress(day + 1, DAYS, "days")
    return {"images": "", "count": options.count}


class Tables:
    """Which row of the embedding tables each generated value has: numbered by first appearance, from day 0 on."""

    def __init__(self, max_ind_range: int) -> None:
        # Dictionaries need small numbers, not many: hashes that fall together get one, without gaps.
        found = [np.unique(one % max_ind_range, return_inverse=True) for one in hashes()]
        self._keys = [keys.astype(np.int32) for _, keys in found]
        self._columns = [Dictionary(len(different)) for different, _ in found]
        self.sizes = tuple(len(different) for different, _ in found)
        """Rows that the tables may have, whatever appears."""
        for block in other_days():
            self._indices(block.values)

    @property
    def counts(self) -> Array:
        """Rows of each table, so far: int32 [26]."""
        return np.array([column.count for column in self._columns], np.int32)

    def rows(self, block: Impressions) -> Array:
        """Return rows of TEST, int32 [n, 40], numbering what appears in them for the first time."""
        rows = np.empty((len(block.labels), BINARY_COLUMNS), "<i4")
        rows[:, 0] = block.labels
        rows[:, 1 : 1 + DENSE] = np.maximum(block.dense, 0).T
        rows[:, 1 + DENSE :] = self._indices(block.values).T
        return rows

    def _indices(self, values: Array) -> Array:
        return np.stack([_indices(*one) for one in zip(self._columns, self._keys, values, strict=True)])


def _indices(column: Dictionary, keys: Array, values: Array) -> Array:
    found = keys.take(values)
    column.add(found)
    return column.indices(found)


def write_day(path: Path, blocks: Iterable[Impressions]) -> None:
    """Write a day as Criteo publishes it."""
    with disk_errors(path), path.open("wb") as file:
        file.writelines(_lines(blocks))


def _lines(blocks: Iterable[Impressions]) -> Iterator[bytes]:
    """Yield label, counts and hashes between tabs, missing ones empty."""
    words = [np.array([b"%08x" % one if one else b"" for one in column.tolist()], object) for column in hashes()]
    for block in blocks:
        dense = [
            np.where(absent, b"", counts.astype("S11").astype(object))
            for counts, absent in zip(block.dense, block.absent, strict=True)
        ]
        categorical = [column.take(values) for column, values in zip(words, block.values, strict=True)]
        columns = (block.labels.astype("S1").astype(object), *dense, *categorical)
        yield b"".join(b"\t".join(row) + b"\n" for row in zip(*columns, strict=True))
