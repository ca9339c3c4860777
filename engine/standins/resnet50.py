"""Build the rules' ResNet-50 with synthetic weights: its exact graph and arithmetic.

Speed depends on the graph alone, so a machine can be measured without the published weights. The convolutions are
random and only the last layer is fitted, to generated patterns; that gives an accuracy far above chance, which verifies
that images, labels and classes match. It never replaces the real model's accuracy.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime

from engine.datasets import patterns
from engine.networks import ridge
from engine.networks.convnet import ConvNet, fold_batch_norm, model_facts, tensor
from engine.standins.options import SeedOptions
from engine.step import Step
from engine.tasks import image_classification
from engine.tasks.image_form import ImageForm
from engine.tasks.labels import read_val_map

Array = np.ndarray[Any, np.dtype[Any]]
Statistics = Mapping[str, tuple[Array, Array]]

CLASSES = 1001
LABEL_OFFSET = 1
"""Class 0 is the background."""

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Width, blocks and first stride of the four stages (He et al. 2015, table 1)."""

RESIDUAL_GAIN = 0.1
"""Scale of the last normalisation in each residual branch. With random weights the shortcut must carry the signal;
measured on the patterns, 0.1 to 0.2 classify best and 0.4 is worse by 13 points."""

EPSILON = 1e-5
CALIBRATION_IMAGES = 32
HELD_OUT_IMAGES = 400
BATCH = 8
SHARPNESS = 10.0
"""Scale from the fitted scores in 0...1 to logits."""

PREPROCESSING = ImageForm(preprocessing="vgg", layout="NCHW", dtype="float32", image_size=224)


class ClassifierOptions(SeedOptions, frozen=True, kw_only=True):
    """Which weights are made, and the images that the last layer is fitted to."""

    training_pictures: int
    held_out_pictures: int = HELD_OUT_IMAGES


def build(step: Step) -> dict[str, Any]:
    """Write `model.onnx`: ResNet-50 v1.5 with the rules' names of inputs and outputs.

    Input `input_tensor:0` float32 [N,3,224,224]; outputs `ArgMax:0` int64 [N] and `softmax_tensor:0` float32 [N,1001];
    N symbolic. Options: `seed`, `training_pictures` and, if not 400, `held_out_pictures`. Its training images are
    disjoint from those that `patterns.generate` makes for testing. Additional facts: `stand_in`, `held_out_accuracy`
    (per cent) and `parameters` (25.5 million: the rules' 25.6 without the folded normalisations).
    """
    options = step.read_options(ClassifierOptions)
    seed = options.seed
    training = patterns.ImageSet(seed, options.training_pictures, "training")
    held_out = patterns.ImageSet(seed, options.held_out_pictures, "held-out")
    with TemporaryDirectory(dir=step.output) as scratch:
        body = _Body(seed, _calibrate(step, seed, training, Path(scratch)))
        features, labels = _features(step, body, training, Path(scratch))
        step.phase("fitting the last layer")
        weight, bias = ridge.fit(features, labels, training.classes)
        features, labels = _features(step, body, held_out, Path(scratch))
    hits = (features @ weight.T + bias).argmax(1) == labels
    parameters = _write(body, weight, bias, step.output / "model.onnx")
    facts = model_facts(
        step.output / "model.onnx",
        outputs=["ArgMax:0"],
        task_options={"label_offset": LABEL_OFFSET},
        weight_transformations="none: a stand-in with random convolutions and a fitted last layer",
    )
    accuracy = 100.0 * float(hits.mean())
    return facts | {"stand_in": True, "held_out_accuracy": accuracy, "parameters": parameters}


class _Body(ConvNet):
    """The graph up to the vector of 2048 features.

    Without statistics each normalisation computes its own batch's, and `statistics` lists these outputs' names; with
    statistics it is folded into its convolution.
    """

    def __init__(self, seed: int, statistics: Statistics | None = None) -> None:
        super().__init__()
        self._random = np.random.default_rng(seed)
        self._known = statistics
        self.statistics: list[str] = []
        self.input = tensor("input_tensor:0", "float32", ["N", 3, 224, 224])
        x = self._relu(self._unit("input_tensor:0", "stem", 3, 64, kernel=7, stride=2))
        x = self.node("MaxPool", [x], "stem.pool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
        channels = 64
        for stage, (width, blocks, first_stride) in enumerate(STAGES):
            for block in range(blocks):
                x = self._block(x, f"stage{stage}.block{block}", channels, width, 1 if block else first_stride)
                channels = 4 * width
        self.features = self.pool_to_vector(x)

    def _block(self, x: str, name: str, channels: int, width: int, stride: int) -> str:
        """Add a bottleneck block; v1.5 has its stride in the 3x3 convolution."""
        y = self._relu(self._unit(x, f"{name}.reduce", channels, width))
        y = self._relu(self._unit(y, f"{name}.spatial", width, width, kernel=3, stride=stride))
        y = self._unit(y, f"{name}.expand", width, 4 * width, gain=RESIDUAL_GAIN)
        if channels != 4 * width:
            x = self._unit(x, f"{name}.shortcut", channels, 4 * width, stride=stride)
        return self._relu(self.node("Add", [y, x], f"{name}.sum"))

    def _relu(self, x: str) -> str:
        return self.node("Relu", [x], f"{x}.relu")

    def _unit(
        self, x: str, name: str, channels: int, width: int, *, kernel: int = 1, stride: int = 1, gain: float = 1.0
    ) -> str:
        """Add a convolution with weights after He et al. (variance 2 / fan-in) and its batch normalisation."""
        shape = (width, channels, kernel, kernel)
        weight = self._random.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / (channels * kernel**2)))
        gamma, beta = np.full(width, gain, np.float32), np.zeros(width, np.float32)
        if self._known is not None:
            weight, beta = fold_batch_norm(weight, gamma, beta, *self._known[name], EPSILON)
        x = self.convolution(x, name, weight, beta, stride=stride, padding=kernel // 2)
        return x if self._known is not None else self._normalise(x, name, gamma)

    def _normalise(self, x: str, name: str, gamma: Array) -> str:
        mean = self.node("ReduceMean", [x], f"{name}.mean", axes=[0, 2, 3])
        centred = self.node("Sub", [x, mean], f"{name}.centred")
        square = self.node("Mul", [centred, centred], f"{name}.square")
        variance = self.node("ReduceMean", [square], f"{name}.variance", axes=[0, 2, 3])
        self.statistics += [mean, variance]
        safe = self.node(
            "Add", [variance, self.weight(f"{name}.epsilon", np.array(EPSILON, np.float32))], f"{name}.safe"
        )
        unit = self.node("Div", [centred, self.node("Sqrt", [safe], f"{name}.deviation")], f"{name}.unit")
        return self.node("Mul", [unit, self.weight(f"{name}.gamma", gamma.reshape(-1, 1, 1))], f"{name}.normal")


def _calibrate(step: Step, seed: int, training: patterns.ImageSet, scratch: Path) -> Statistics:
    """Return mean and variance of every normalisation's input by name, all computed in one pass."""
    step.phase("calibrating the normalisations")
    few = patterns.ImageSet(seed, min(CALIBRATION_IMAGES, training.count), training.purpose)
    folder = scratch / "calibration"
    folder.mkdir()
    list(patterns.write(few, folder))
    images = np.concatenate([batch for batch, _ in _batches(few, folder)])
    body = _Body(seed)
    model = body.model("calibration", [body.input], [tensor(name, "float32", None) for name in body.statistics])
    values = iter(_session(model).run(body.statistics, {"input_tensor:0": images}))
    names = (name.removesuffix(".mean") for name in body.statistics[::2])
    return {name: (next(values).ravel(), next(values).ravel()) for name in names}


def _features(step: Step, body: _Body, images: patterns.ImageSet, scratch: Path) -> tuple[Array, Array]:
    """Return features float32 [count, 2048] and labels int64 [count] of a set of images, which it generates."""
    step.phase(f"generating {images.purpose} images")
    folder = scratch / images.purpose
    folder.mkdir()
    for done in patterns.write(images, folder):
        step.progress(done, images.count, "images")
    step.phase(f"features of the {images.purpose} images")
    model = body.model("features", [body.input], [tensor(body.features, "float32", None)])
    session, found, labels = _session(model), [], []
    for batch, classes in _batches(images, folder):
        found.append(session.run([body.features], {"input_tensor:0": batch})[0])
        labels += classes
        step.progress(len(labels), images.count, "images")
    return np.concatenate(found), np.array(labels)


def _batches(images: patterns.ImageSet, folder: Path) -> Iterator[tuple[Array, list[int]]]:
    """Yield batches of preprocessed images, float32 [n,3,224,224], with their labels."""
    entries = read_val_map(folder / patterns.VAL_MAP)
    for start in range(0, images.count, BATCH):
        chosen = entries[start : start + BATCH]
        batch = np.empty((len(chosen), *PREPROCESSING.shape), PREPROCESSING.dtype)
        for slot, (name, _) in zip(batch, chosen, strict=True):
            image_classification.preprocess(folder / name, PREPROCESSING, slot)
        yield batch, [label for _, label in chosen]


def _write(body: _Body, weight: Array, bias: Array, path: Path) -> int:
    """Write the complete model and return its number of parameters. Unused classes get a logit out of reach."""
    classes = slice(LABEL_OFFSET, LABEL_OFFSET + len(weight))
    all_weights = np.zeros((CLASSES, weight.shape[1]), np.float32)
    all_biases = np.full(CLASSES, -SHARPNESS, np.float32)
    all_weights[classes], all_biases[classes] = SHARPNESS * weight, SHARPNESS * bias
    logits = body.dense(body.features, "logits", all_weights, all_biases)
    body.node("Softmax", [logits], "softmax_tensor:0", axis=1)
    body.node("ArgMax", [logits], "ArgMax:0", axis=1, keepdims=0)
    outputs = [tensor("ArgMax:0", "int64", ["N"]), tensor("softmax_tensor:0", "float32", ["N", CLASSES])]
    onnx.save(body.model("resnet50-stand-in", [body.input], outputs), path)
    return body.parameters


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
