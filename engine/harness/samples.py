"""The query sample library: the preprocessed samples that LoadGen asks for, in memory while a query may use them.

LoadGen says before a run which samples it is going to use. They are copied from the files into one block of memory
then, so that neither the disk nor a page fault is in the measurement; in accuracy mode LoadGen goes through the whole
data set in such sets, one after another, so that memory stays bounded by the performance sample count.
"""

from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError

import numpy as np

from engine.backends.base import Array, TensorSpec
from engine.errors import DataError, RunError
from engine.store.files import open_plain


class SampleLibrary:
    """Samples by QSL index: one array per model input, first dimension the samples."""

    def __init__(self, paths: Sequence[Path], performance_sample_count: int) -> None:
        """Map the files. Raises DataError where one is not such an array, RunError where the count is out of range."""
        self._files = tuple(_mapped(path) for path in paths)
        self._paths = tuple(paths)
        counts = {len(array) for array in self._files}
        if len(counts) != 1:
            raise DataError(
                f"the sample files hold {sorted(counts)} samples: {', '.join(map(str, paths))}",
                "each model input needs one file, all with the same number of samples; preprocess again",
            )
        self.count = counts.pop()
        if not 1 <= performance_sample_count <= self.count:
            raise RunError(
                f"{paths[0]}: the data set has {self.count} samples, performance_sample_count is "
                f"{performance_sample_count}",
                f"set performance_sample_count_override between 1 and {self.count} in user.conf",
            )
        self.performance_count = performance_sample_count
        self._loaded: tuple[Array, ...] = ()
        self._slots: dict[int, int] = {}

    def check(self, inputs: Sequence[TensorSpec]) -> None:
        """Raise DataError where the samples do not fit the model's inputs."""
        if len(inputs) != len(self._files):
            names = ", ".join(spec.name for spec in inputs)
            raise DataError(
                f"the model has {len(inputs)} inputs ({names}), there are {len(self._files)} sample files",
                "preprocess the data set for this model: one file per input",
            )
        for spec, array, path in zip(inputs, self._files, self._paths, strict=True):
            sizes = zip(spec.shape[1:], array.shape[1:], strict=False)
            fits = len(spec.shape) == array.ndim and all(want in {None, have} for want, have in sizes)
            if not fits or array.dtype != np.dtype(spec.dtype):
                raise DataError(
                    f"{path}: samples are {array.dtype}{list(array.shape[1:])}, the model's input '{spec.name}' is "
                    f"{spec.dtype}{list(spec.shape[1:])}",
                    "preprocess the data set in the layout and type of this model",
                )

    def load(self, indices: Sequence[int]) -> None:
        """Copy these samples into memory in place of those that are there."""
        self.unload()
        wanted = list(dict.fromkeys(indices))
        self._loaded = tuple(_copied(array, wanted) for array in self._files)
        self._slots = {index: slot for slot, index in enumerate(wanted)}

    def unload(self, indices: Sequence[int] = ()) -> None:
        """Give the memory back. LoadGen always unloads the whole of what it had loaded, so `indices` is not read."""
        del indices
        self._slots = {}
        self._loaded = ()

    def gather(self, indices: Sequence[int], outs: Sequence[Array]) -> None:
        """Copy loaded samples into the first rows of `outs`, one array per input. KeyError: a sample is not loaded."""
        slots = self._slots
        if len(indices) == 1:
            slot = slots[indices[0]]
            for array, out in zip(self._loaded, outs, strict=True):
                out[0] = array[slot]
            return
        rows = [slots[index] for index in indices]
        for array, out in zip(self._loaded, outs, strict=True):
            # 'clip' copies straight into `out`; the other modes go through a buffer. No row is out of range.
            array.take(rows, axis=0, out=out[: len(rows)], mode="clip")


def _mapped(path: Path) -> Array:
    try:
        open_plain(path).close()
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError, TokenError) as error:
        raise DataError(f"{path}: the samples cannot be read: {error}", "preprocess the data set again") from error
    if not isinstance(array, np.ndarray) or array.ndim == 0 or len(array) == 0:
        raise DataError(f"{path}: the file holds no samples", "preprocess the data set again")
    return array


def _copied(array: Array, indices: list[int]) -> Array:
    copy = np.empty((len(indices), *array.shape[1:]), array.dtype)
    array.take(indices, axis=0, out=copy, mode="clip")
    return copy
