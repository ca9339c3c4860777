"""Writes tensors into a file beside an ONNX model, one at a time: none has to stay in memory."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from onnx import TensorProto

from engine.step import Step

Array = np.ndarray[Any, np.dtype[Any]]

WEIGHTS = "model.onnx.data"
"""The usual name of the file."""
ALIGNMENT = 4096
"""Bytes to whose multiple a tensor's place in the file is rounded up, so that it can be mapped into memory."""
CHUNK = 1 << 24
"""Elements that are written at once."""


class Beside:
    """The file, open for writing, whose tensors are float32."""

    def __init__(self, file: BinaryIO, step: Step, parameters: int) -> None:
        """`parameters` is the number of elements expected, for the progress of the step."""
        self._file, self._step, self._parameters = file, step, parameters
        self.written = 0
        """Elements so far."""

    def store(self, name: str, values: Array) -> TensorProto:
        """Append a tensor to the file and return what refers to it."""
        self._file.write(bytes(-self._file.tell() % ALIGNMENT))
        place = self._file.tell()
        flat = values.reshape(-1)
        for start in range(0, flat.size, CHUNK):
            part = flat[start : start + CHUNK]
            part.astype("<f4", copy=False).tofile(self._file)
            self.written += part.size
            self._step.progress(self.written, self._parameters, "weights")
        found = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=values.shape)
        found.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", place), ("length", 4 * values.size)):
            found.external_data.add(key=key, value=str(value))
        return found
