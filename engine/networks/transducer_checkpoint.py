"""Turns the rules' RNN-T, which is published as a PyTorch checkpoint only, into ONNX graphs.

The checkpoint is what the training saved: the epoch, the state of the optimiser, and under `state_dict` the weights.
PyTorch isn't needed to read it (engine.formats.torch_pickle).
"""

from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DataError
from engine.formats.torch_pickle import read_state_dict
from engine.networks.transducer import TransducerConfig, build, checked, save
from engine.step import Options, Step

Array = np.ndarray[Any, np.dtype[Any]]

STATE_DICT = "state_dict"
LEFT_OUT = ("audio_preprocessor.featurizer.fb", "audio_preprocessor.featurizer.window")
"""Tensors of the feature extraction, which are no weights; the rules' reference leaves them out, too."""
RENAMED = ("joint_net.", "joint.net.")
"""What the names of the joint network begin with, in the checkpoint and in the rules' reference."""


class TransducerCheckpointOptions(Options, frozen=True, kw_only=True):
    """Which file of the need `checkpoint` has the weights, and where it is published."""

    filename: str
    starting_weights: str


def convert(step: Step) -> dict[str, Any]:
    """Write the three graphs of engine.networks.transducer from the checkpoint in the need `checkpoint`.

    Facts: those of a model with the graphs encoder, prediction and joint, and `parameters`. Raises DataError where the
    file is damaged, asks for anything but tensors and plain values, or has other tensors than the rules' RNN-T.
    """
    return convert_form(step, TransducerConfig())


def convert_form(step: Step, form: TransducerConfig) -> dict[str, Any]:
    """Do what `convert` says with a network of other sizes."""
    options = step.read_options(TransducerCheckpointOptions)
    step.phase("reading the checkpoint")
    weights = read(step.inputs["checkpoint"].folder / options.filename, form)
    step.phase("writing the graphs")
    return {
        **save(build(form, weights, name="rnnt"), step.output),
        "starting_weights_filename": options.starting_weights,
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
        "weight_transformations": "PyTorch weights written as ONNX, gates in ONNX's order",
        "parameters": sum(values.size for values in weights.values()),
    }


def read(path: Path, form: TransducerConfig) -> dict[str, Array]:
    """Return the weights of a checkpoint, float32, by the names of `form.shapes()`. Raises DataError as `convert`."""
    found = read_state_dict(path, within=STATE_DICT)
    kept = {name.replace(*RENAMED, 1): values for name, values in found.items() if name not in LEFT_OUT}
    try:
        return checked(kept, form)
    except DataError as error:
        raise DataError(f"{path}: {error.what}", error.remedy) from None
