"""Draws rows in the form of Criteo's test file, with indices over the whole tables of the rules' model.

They are for speed: a table is read where the real rows might read it, often near its beginning, since frequent values
appear first, and all over it for the rest. There is nothing to learn in them: labels are independent of the features.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.step import Options, Step
from engine.store.files import disk_errors
from engine.tasks import criteo_trace
from engine.tasks.criteo_files import BINARY_COLUMNS, COUNTS, DENSE, TEST
from engine.tasks.dlrm_form import TABLES

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK = 1 << 16
"""Rows that are drawn at once; a larger set begins with the smaller one."""
CLICKED = 0.034
"""Share of the labels that are 1, about that of day_23."""


class DrawnOptions(Options, frozen=True, kw_only=True):
    """Which rows."""

    count: int
    """Samples."""
    seed: int
    max_ind_range: int


def generate(step: Step) -> dict[str, Any]:
    """Write TEST and COUNTS for `count` samples of the reference's trace. Facts: `images`, `count`."""
    options = step.read_options(DrawnOptions)
    tables = np.array(TABLES[options.max_ind_range])
    rows = int(criteo_trace.drawn(options.count).sum())
    with disk_errors(step.output), (step.output / TEST).open("wb") as file:
        for start in range(0, rows, BLOCK):
            drawn(options.seed, start // BLOCK, tables)[: rows - start].tofile(file)
            step.progress(min(start + BLOCK, rows), rows, "rows")
    np.savez(step.output / COUNTS, counts=tables)
    return {"images": "", "count": options.count}


def drawn(seed: int, block: int, tables: Array) -> Array:
    """Return BLOCK rows in the form of TEST, int32 [BLOCK,COLUMNS]."""
    random = np.random.default_rng([seed, block])
    found = np.empty((BLOCK, BINARY_COLUMNS), "<i4")
    found[:, 0] = random.random(BLOCK) < CLICKED
    found[:, 1 : 1 + DENSE] = np.exp(3 * random.standard_normal((BLOCK, DENSE), np.float32)).clip(0, 1e6)
    # Log-uniform: the n-th value to appear is as frequent as 1/n (Zipf 1949).
    found[:, 1 + DENSE :] = np.exp(random.random((BLOCK, len(tables))) * np.log(tables + 0.999)) - 1
    return found
