"""A small 3-D U-Net for generated abdomens: its form, and the trained weights that come with inferdeck.

With it segmentation runs anywhere at once: nothing to fetch, nothing to train. It is built as the rules' U-Net is, with
the same windows and classes, only narrower and at half the resolution. `tools/train_kidneys_net.py` trains it.
"""

from io import BytesIO
from typing import Any

import numpy as np
import onnx

from engine.errors import DataError
from engine.networks.convnet import model_facts
from engine.networks.shipped import contents
from engine.networks.unet_graph import OUTPUT, UnetConfig, build
from engine.step import Step
from engine.store.files import disk_errors

FORM = UnetConfig(filters=(8, 16, 32), halved=True)

FILE = "kidneys-net.npz"
"""The weights by the names of the form, float16."""
SHA256 = "c2952bcf7b0835baf4a53421c900c063f3a4c8823bca3cc08fb0274d2431c3b6"


def shipped(step: Step) -> dict[str, Any]:
    """Write `model.onnx`: the rules' input and output, `input` float32 [B,1,128,128,128] → `output`, logits of three
    classes; weights float32.

    Raises DataError where the installed file is not the one that was shipped.
    """
    model = step.output / "model.onnx"
    with disk_errors(step.output):
        onnx.save(written(contents(FILE, SHA256)), model)
    facts = model_facts(model, outputs=[OUTPUT], task_options={}, weight_transformations="none")
    return {name: value for name, value in facts.items() if name != "layout"} | {"starting_weights_filename": FILE}


def written(weights: bytes) -> onnx.ModelProto:
    """Return the model with the weights of a .npz file. Raises DataError where it lacks one."""
    with np.load(BytesIO(weights), allow_pickle=False) as arrays:
        missing = [name for name in FORM.shapes() if name not in arrays]
        if missing:
            raise DataError(f"{FILE} lacks the weights {missing[0]}", "train it again: tools/train_kidneys_net.py")
        return build(FORM, lambda name, _: arrays[name].astype(np.float32), name="kidneys-net")
