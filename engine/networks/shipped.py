"""Takes a trained model out of the package: what is installed must be what was shipped."""

import hashlib
from importlib.resources import as_file, files
from pathlib import Path

from engine.errors import DataError
from engine.step import Step


def copied(step: Step, file: str, sha256: str) -> Path:
    """Write the file of profiles/models as `model.onnx` and return its path. Raises DataError where it is another."""
    path = step.output / "model.onnx"
    path.write_bytes(contents(file, sha256))
    return path


def contents(file: str, sha256: str) -> bytes:
    """Return the file of profiles/models. Raises DataError where it is another than was shipped."""
    with as_file(files("profiles") / "models" / file) as source:
        data = source.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise DataError(f"profiles/models/{file} is damaged: its checksum differs", "install inferdeck again")
    return data
