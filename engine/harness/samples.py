"""The query sample library: preprocessed samples, in memory while LoadGen may query them.

LoadGen announces before a run which samples it uses. They are copied from the files into one block of memory then, or
made if they are too large to store, so that neither the disk nor a page fault is part of the measurement; in accuracy
mode LoadGen processes the whole data set in such sets, one after another, so that memory is limited by the performance
sample count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from tokenize import TokenError
from typing import Any, Protocol

import numpy as np

from engine.backends.base import Array, TensorSpec
from engine.errors import DataError, RunError
from engine.facts import OnLoad, Ragged
from engine.store.files import open_plain
from engine.system import usable_cores

Make = Callable[[int, Array], None]
"""Writes the sample of a QSL index into an array of its shape. Must be thread-safe."""


class SampleLibrary:
    """Samples by QSL index: one tensor per model input, each fixed or ragged."""

    def __init__(
        self, files: Sequence[Path | Ragged], performance_sample_count: int, on_load: OnLoad | None = None
    ) -> None:
        """Map the files, or use `on_load` for samples that are not stored.

        Raises DataError for an invalid array file, RunError if the count is out of range.
        """
        kept = (_Ragged(one) if isinstance(one, Ragged) else _Stored(one) for one in files)
        self._tensors: tuple[_Tensor, ...] = tuple(kept) if on_load is None else (_Made(on_load),)
        counts = {one.count for one in self._tensors}
        if len(counts) != 1:
            paths = ", ".join(str(one.path) for one in self._tensors)
            raise DataError(
                f"the sample files hold {sorted(counts)} samples: {paths}",
                "each model input needs one file, all with the same number of samples; preprocess again",
            )
        self.count = counts.pop()
        if not 1 <= performance_sample_count <= self.count:
            raise RunError(
                f"{self._tensors[0].path}: the data set has {self.count} samples, performance_sample_count is "
                f"{performance_sample_count}",
                f"set performance_sample_count_override between 1 and {self.count} in user.conf",
            )
        self.performance_count = performance_sample_count
        ragged = next((one for one in self._tensors if isinstance(one, _Ragged)), None)
        self.lengths: Array | None = ragged.lengths if ragged else None
        """Rows of each sample in the first ragged tensor, int64 [N]; None if all samples have one shape."""
        self.shapes: Array | None = ragged.shapes if ragged else None
        """Sizes of each sample in that tensor, int64 [N,k]; None if they have one dimension."""
        self._slots: dict[int, int] = {}

    def check(self, inputs: Sequence[TensorSpec]) -> None:
        """Raise DataError if the samples do not match the model's inputs."""
        if len(inputs) != len(self._tensors):
            names = ", ".join(spec.name for spec in inputs)
            raise DataError(
                f"the model has {len(inputs)} inputs ({names}), there are {len(self._tensors)} sample files",
                "preprocess the data set for this model: one file per input",
            )
        for spec, tensor in zip(inputs, self._tensors, strict=True):
            sizes = tensor.sizes
            fits = len(spec.shape) == 1 + len(sizes) and all(
                want is None or have is None or want == have for want, have in zip(spec.shape[1:], sizes, strict=True)
            )
            if not fits or tensor.dtype != np.dtype(spec.dtype):
                raise DataError(
                    f"{tensor.path}: samples are {tensor.dtype}{list(sizes)}, the model's input '{spec.name}' is "
                    f"{spec.dtype}{list(spec.shape[1:])}",
                    "preprocess the data set in the layout and type of this model",
                )

    def load(self, indices: Sequence[int]) -> None:
        """Copy these samples into memory, replacing those loaded before."""
        self.unload()
        wanted = list(dict.fromkeys(indices))
        for tensor in self._tensors:
            tensor.load(wanted)
        self._slots = {index: slot for slot, index in enumerate(wanted)}

    def unload(self, indices: Sequence[int] = ()) -> None:
        """Free the memory. LoadGen always unloads everything that it loaded, so `indices` is ignored."""
        del indices
        self._slots = {}
        for tensor in self._tensors:
            tensor.unload()

    def gather(self, indices: Sequence[int], outs: Sequence[Array]) -> None:
        """Copy loaded samples into the first rows of `outs`, one array per input; ragged samples are padded with 0.

        KeyError: a sample is not loaded.
        """
        slots = self._slots
        rows = [slots[indices[0]]] if len(indices) == 1 else [slots[index] for index in indices]
        for tensor, out in zip(self._tensors, outs, strict=True):
            tensor.gather(rows, out)

    def sample(self, number: int, index: int) -> Array:
        """Return tensor `number` of a loaded sample in its own shape: a read-only view.

        KeyError: it is not loaded.
        """
        return self._tensors[number].sample(self._slots[index])


class _Tensor(Protocol):
    path: Path
    count: int
    dtype: np.dtype[np.generic]
    sizes: tuple[int | None, ...]
    """Dimensions of one sample; None where they differ."""

    def load(self, indices: list[int]) -> None: ...
    def unload(self) -> None: ...
    def gather(self, slots: list[int], out: Array) -> None: ...
    def sample(self, slot: int) -> Array: ...


class _Fixed:
    """Samples of one shape; the loaded ones are in one array."""

    def __init__(self, path: Path, count: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.path = path
        self.count = count
        self.dtype = dtype
        self.sizes: tuple[int | None, ...] = shape
        self._nothing = np.empty((0, *shape), dtype)
        self._loaded = self._nothing

    def load(self, indices: list[int]) -> None:
        self._loaded = np.empty((len(indices), *self._nothing.shape[1:]), self.dtype)
        self._fill(indices, self._loaded)

    def _fill(self, indices: list[int], out: Array) -> None:
        raise NotImplementedError

    def unload(self) -> None:
        self._loaded = self._nothing

    def gather(self, slots: list[int], out: Array) -> None:
        if len(slots) == 1:
            out[0] = self._loaded[slots[0]]
        else:  # 'clip' copies directly into `out`; the other modes use a buffer. No row is out of range.
            self._loaded.take(slots, axis=0, out=out[: len(slots)], mode="clip")

    def sample(self, slot: int) -> Array:
        one: Array = self._loaded[slot]
        return one


class _Stored(_Fixed):
    """Samples in a file."""

    def __init__(self, path: Path) -> None:
        self._file = _mapped(path)
        super().__init__(path, len(self._file), self._file.shape[1:], self._file.dtype)

    def _fill(self, indices: list[int], out: Array) -> None:
        self._file.take(indices, axis=0, out=out, mode="clip")


class _Made(_Fixed):
    """Samples that are made when they are loaded, on all cores."""

    def __init__(self, how: OnLoad) -> None:
        super().__init__(Path(how.folder), how.count, how.shape, np.dtype(how.dtype))
        module, _, function = how.maker.partition(":")
        self._make: Make = getattr(import_module(module), function)(self.path, how.options)

    def _fill(self, indices: list[int], out: Array) -> None:
        with ThreadPoolExecutor(usable_cores()) as pool:
            for _ in pool.map(self._make, indices, out):
                pass


class _Ragged:
    """Samples of different lengths, concatenated in one array."""

    def __init__(self, files: Ragged) -> None:
        self.path = Path(files.values)
        self._values = _mapped(self.path)
        self._offsets = _mapped(Path(files.offsets))
        self.shapes = _mapped(Path(files.shapes)) if files.shapes else None
        self.count = len(self._offsets) - 1
        self.dtype = self._values.dtype
        self.lengths = self._checked(files)
        own = self.shapes.shape[1] if self.shapes is not None else 1
        self.sizes: tuple[int | None, ...] = (*(None,) * own, *self._values.shape[1:])
        self._loaded: list[Array] = []

    def _checked(self, files: Ragged) -> Array:
        """Return the lengths. Raises DataError if offsets, shapes and values are inconsistent."""
        offsets, shapes = np.asarray(self._offsets), self.shapes
        if offsets.dtype != np.int64 or offsets.ndim != 1 or self.count < 1:
            raise DataError(f"{files.offsets}: no int64 offsets", "preprocess the data set again")
        lengths: Array = np.diff(offsets)
        if offsets[0] != 0 or offsets[-1] != len(self._values) or lengths.min() < 0:
            raise DataError(
                f"{files.offsets}: the offsets end with {offsets[-1]}, {files.values} has {len(self._values)} rows",
                "preprocess the data set again",
            )
        if shapes is not None and (shapes.shape[:1] != (self.count,) or (shapes.prod(axis=1) != lengths).any()):
            raise DataError(f"{files.shapes}: the shapes are not those of the samples", "preprocess the data set again")
        return lengths

    def load(self, indices: list[int]) -> None:
        starts = np.concatenate(([0], np.cumsum(self.lengths[indices])))
        block = np.empty((int(starts[-1]), *self._values.shape[1:]), self.dtype)
        self._loaded = []
        for slot, index in enumerate(indices):
            own = block[starts[slot] : starts[slot + 1]]
            own[...] = self._values[self._offsets[index] : self._offsets[index + 1]]
            if self.shapes is not None:
                own = own.reshape((*self.shapes[index], *self._values.shape[1:]))
            self._loaded.append(own)

    def unload(self) -> None:
        self._loaded = []

    def gather(self, slots: list[int], out: Array) -> None:
        for row, slot in enumerate(slots):
            own = self._loaded[slot]
            out[row, : len(own)] = own
            out[row, len(own) :] = 0

    def sample(self, slot: int) -> Array:
        return self._loaded[slot]


def _mapped(path: Path) -> Array:
    try:
        open_plain(path).close()
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError, TokenError) as error:
        raise DataError(f"{path}: the samples cannot be read: {error}", "preprocess the data set again") from error
    if not isinstance(array, np.ndarray) or array.ndim == 0 or len(array) == 0:
        raise DataError(f"{path}: the file holds no samples", "preprocess the data set again")
    return array


def typical(costs: Array | None, count: int, most: int) -> list[int]:
    """Return at most `most` of the QSL indices 0...`count` - 1, those with a cost nearest to the mean first."""
    if costs is None:
        return list(range(min(count, most)))
    nearest: list[int] = np.argsort(np.abs(costs - costs.mean()), kind="stable")[:most].tolist()
    return nearest
