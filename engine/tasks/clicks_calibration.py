"""Calibration of a deep learning recommendation model with prepared samples, one a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.base import TensorSpec
from engine.facts import ChosenSamplesFacts, Ragged
from engine.step import Artifact
from engine.store.files import digest, sha256_of
from engine.tasks.base import Array, CalibrationSet
from engine.tasks.dlrm_program import Inputs


def calibration(chosen: Artifact, _: Mapping[str, Any]) -> CalibrationSet:
    """Return the calibration set of samples that were prepared as for measuring (ChosenSamplesFacts)."""
    known = chosen.read(ChosenSamplesFacts)
    files = [one for one in known.paths(chosen.folder) if isinstance(one, Ragged)]
    names = sorted({name for one in files for name in (one.values, one.offsets)})
    return CalibrationSet(
        count=known.count,
        text=f"{known.count} {known.what}",
        by_rules=known.by_rules,
        sha256=digest("\n".join(f"{Path(name).name} {sha256_of(Path(name))}" for name in names)),
        batches=lambda inputs: _batches(files, known.count, inputs),
    )


def _batches(files: Sequence[Ragged], count: int, inputs: Sequence[TensorSpec]) -> Iterator[Mapping[str, Array]]:
    values = [np.load(one.values, mmap_mode="r") for one in files]
    ends = np.load(files[0].offsets)
    rows = Inputs(inputs)

    def sample(number: int, index: int) -> Array:
        own: Array = values[number][ends[index] : ends[index + 1]]
        return own

    for index in range(count):
        shapes = rows.shapes(int(ends[index + 1] - ends[index]))
        arrays = [np.empty(shape, spec.dtype) for spec, shape in zip(inputs, shapes, strict=True)]
        rows.fill(arrays, sample, [index])
        yield {spec.name: array for spec, array in zip(inputs, arrays, strict=True)}
