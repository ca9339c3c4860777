"""Calibration with prepared samples, for tasks without a calibration function of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.backends.base import TensorSpec
from engine.facts import ChosenSamplesFacts, Ragged
from engine.harness.samples import SampleLibrary
from engine.step import Artifact
from engine.store.files import sha256_of
from engine.tasks.base import Array, CalibrationSet


def prepared_samples(chosen: Artifact, _: Mapping[str, Any]) -> CalibrationSet:
    """Return the calibration set of a sample set that was preprocessed as for measuring (ChosenSamplesFacts).

    Raises DataError where its files are not samples.
    """
    known = chosen.read(ChosenSamplesFacts)
    files = [Path(one) if isinstance(one, str) else one for one in known.paths(chosen.folder)]
    library = SampleLibrary(files, 1)
    return CalibrationSet(
        count=library.count,
        text=f"{library.count} {known.what}",
        by_rules=known.by_rules,
        sha256=_digest(files),
        batches=lambda inputs: _batches(library, inputs),
    )


def _batches(library: SampleLibrary, inputs: Sequence[TensorSpec]) -> Iterator[Mapping[str, Array]]:
    library.check(inputs)
    size = inputs[0].shape[0] or 1
    for start in range(0, library.count, size):
        indices = [index % library.count for index in range(start, start + size)]
        library.load(indices)
        outs = [
            np.zeros((size, *_sizes(library, number, indices, spec)), spec.dtype) for number, spec in enumerate(inputs)
        ]
        library.gather(indices, outs)
        yield {spec.name: out for spec, out in zip(inputs, outs, strict=True)}
        del outs
    library.unload()


def _sizes(library: SampleLibrary, number: int, indices: Sequence[int], spec: TensorSpec) -> list[int]:
    """Return the shape of one sample in a batch: the input's own, or that of the largest sample."""
    shapes = [library.sample(number, index).shape for index in indices]
    return [
        max(sizes) if wanted is None else wanted
        for wanted, sizes in zip(spec.shape[1:], zip(*shapes, strict=True), strict=True)
    ]


def _digest(files: Sequence[Path | Ragged]) -> str:
    """Return a SHA-256 over the contents of the files, tensor by tensor."""
    whole = hashlib.sha256()
    for file in files:
        parts = msgspec.structs.astuple(file) if isinstance(file, Ragged) else (file,)
        whole.update("".join(f"{sha256_of(Path(part))}\n" for part in parts if part).encode())
    return whole.hexdigest()
