"""Convert the brain mask network in the package deepbrain (a frozen TensorFlow graph) to ONNX.

It is a real 3-D U-Net, trained on scans of heads, in a package index. It takes a whole head, fitted to 128 voxels along
each axis and divided by its greatest voxel, channels last, and gives the probability of each voxel to be of the brain.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from engine.errors import DataError
from engine.facts import PackageFacts
from engine.formats import tensorflow_constants
from engine.networks.convnet import ConvNet, model_facts, tensor
from engine.step import Options, Step
from engine.store.files import disk_errors

Array = np.ndarray[Any, np.dtype[Any]]

GRAPH = "graph.pb"
INPUT, OUTPUT = "img", "prob"
"""The names of the published graph."""
SIDE = 128
_PACKAGE = "give the package deepbrain 0.1"


class BrainOptions(Options, frozen=True, kw_only=True):
    """What the program is told of the model (engine.tasks.window_program.WindowOptions)."""

    channels: str
    threshold: float


def convert(step: Step) -> dict[str, Any]:
    """Write `model.onnx` from the need `package`: `img` float32 [N,128,128,128,1] → `prob` of the same shape.

    Options: `channels` and `threshold`, for the task. Raises DataError if the package's network is another one.
    """
    package, options = step.inputs["package"], step.read_options(BrainOptions)
    files = [package.folder / name for name in package.read(PackageFacts).files if Path(name).name == GRAPH]
    step.phase("converting")
    try:
        [file] = files
        model = build(tensorflow_constants.read(file.read_bytes()))
    except (KeyError, ValueError) as error:
        raise DataError(f"{package.path}: no brain mask network: {error}", _PACKAGE) from error
    target = step.output / "model.onnx"
    with disk_errors(step.output):
        onnx.save(model, target)
    facts = model_facts(
        target,
        outputs=[OUTPUT],
        task_options={"window": None, "channels": options.channels, "threshold": options.threshold},
        weight_transformations="TensorFlow graph written as ONNX; its layers that only training uses left out",
    )
    return {name: value for name, value in facts.items() if name != "layout"} | {"starting_weights_filename": GRAPH}


def build(constants: Mapping[str, Array]) -> onnx.ModelProto:
    """Return the model. Raises KeyError for a missing constant, ValueError for one of another shape."""
    net = _BrainNet(constants)
    x = net.node("Transpose", [INPUT], "channels.first", perm=[0, 4, 1, 2, 3])
    ways = []
    for number, width in enumerate((8, 16, 32)):
        x = net.layer(net.layer(x, 2 * number, width), 2 * number + 1, width)
        ways.append(x)
        x = net.node("MaxPool", [x], f"halved.{number}", kernel_shape=[2] * 3, strides=[2] * 3)
    for number, way in enumerate(reversed(ways)):
        width = 32 >> number
        x = net.node("Concat", [net.doubled(x, number, width), way], f"joined.{number}", axis=1)
        x = net.layer(x, 6 + number, width)
    x = net.node("Sigmoid", [net.convolved(x, 9, 1)], "probability")
    net.node("Transpose", [x], OUTPUT, perm=[0, 2, 3, 4, 1])
    shape: list[int | str] = ["batch", SIDE, SIDE, SIDE, 1]
    return net.model("deepbrain", [tensor(INPUT, "float32", shape)], [tensor(OUTPUT, "float32", shape)])


class _BrainNet(ConvNet):
    """The graph under construction.

    TensorFlow's kernels are [D,H,W,I,O]; those of a transposed convolution, [D,H,W,O,I].
    """

    def __init__(self, constants: Mapping[str, Array]) -> None:
        super().__init__()
        self._constants = constants

    def layer(self, x: str, number: int, width: int) -> str:
        """Add a convolution with padding and a ReLU."""
        name = self.convolved(x, number, width)
        return self.node("Relu", [name], f"{name}.relu")

    def convolved(self, x: str, number: int, width: int) -> str:
        """Add a convolution that keeps the size."""
        name = f"conv3d_{number}" if number else "conv3d"
        kernel, bias = self._kernel(f"{name}/kernel"), self._constants[f"{name}/bias"]
        if kernel.shape[0] != width or bias.shape != (width,):
            raise ValueError(f"{name} has {kernel.shape[0]} outputs, not {width}")
        inputs = [x, self.weight(f"{name}.weight", kernel), self.weight(f"{name}.bias", bias)]
        side = kernel.shape[2]
        return self.node("Conv", inputs, name, kernel_shape=[side] * 3, pads=[side // 2] * 6)

    def doubled(self, x: str, number: int, width: int) -> str:
        """Add a transposed convolution of 3x3x3, padded as TensorFlow pads: one voxel, at the end."""
        name = f"conv3d_transpose_{number}" if number else "conv3d_transpose"
        kernel = self._kernel(f"{name}/kernel")
        if kernel.shape[1:] != (width, 3, 3, 3):
            raise ValueError(f"{name} has the kernel {list(kernel.shape)}")
        shape = {"kernel_shape": [3] * 3, "strides": [2] * 3, "pads": [0] * 3 + [1] * 3}
        return self.node("ConvTranspose", [x, self.weight(f"{name}.weight", kernel)], name, **shape)

    def _kernel(self, name: str) -> Array:
        kernel = self._constants[name]
        if kernel.ndim != 5 or len(set(kernel.shape[:3])) != 1:
            raise ValueError(f"{name} has the shape {list(kernel.shape)}")
        return kernel.transpose(4, 3, 0, 1, 2)
