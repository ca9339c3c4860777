"""Run the models that the network modules write."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import onnxruntime

from engine import events
from engine.backends.base import Array
from engine.step import Artifact, Step


def run(model: onnx.ModelProto | Path, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Run a model after the full check of its graph, and return its outputs by name."""
    if isinstance(model, Path):
        model = onnx.load(model)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(feeds)), strict=True))


def step(
    output: Path,
    options: Mapping[str, Any],
    inputs: Mapping[str, Artifact] | None = None,
    said: list[events.AnyEvent] | None = None,
) -> Step:
    """A step that collects its events in `said`."""
    heard: list[events.AnyEvent] = [] if said is None else said
    return Step("step", "Step", options, inputs or {}, output, heard.append)
