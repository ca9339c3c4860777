"""Build the rules' RetinaNet with synthetic weights: its exact graph and arithmetic.

Speed depends on the graph and on the number of boxes, so a machine can be measured without the published weights. All
weights are random; each layer is scaled to normalised activations, and the class bias is set so that about as many
boxes are found per image as by a trained network. The detections are meaningless: an accuracy can't be measured.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime

from engine.datasets.scenes import SceneSet
from engine.networks.convnet import fold_batch_norm, model_facts, tensor
from engine.networks.detection_head import DETECTION_OUTPUTS, DetectionLimits, DetectionNet, anchors
from engine.standins.options import SeedOptions
from engine.step import Step
from engine.tasks.image_classification import IMAGENET_DEVIATION, IMAGENET_MEAN

Array = np.ndarray[Any, np.dtype[Any]]
Statistics = Mapping[str, tuple[Array, Array]]

SIZES = tuple((side, int(side * 2 ** (1 / 3)), int(side * 2 ** (2 / 3))) for side in (32, 64, 128, 256, 512))
RATIOS = (0.5, 1.0, 2.0)
ANCHORS = len(SIZES[0]) * len(RATIOS)

RESIDUAL_GAIN = 0.1
"""Scale of the last convolution in each residual branch: with random weights the shortcut must carry the signal (as in
engine.standins.resnet50)."""
BOX_GAIN = 0.2
"""Scale of the box deltas: a box is near its anchor, so that adjacent boxes overlap as in a trained network."""

WANTED = 160
"""Median number of boxes on the images that the bias is chosen with."""
LOOSE = 2.5
"""Standard deviations above the mean from which a class counts while the bias is being chosen."""

EPSILON = 1e-5
CALIBRATION_IMAGES = 8
"""One batch: its activations must fit into memory together, so a quarter of each image is used."""
IMAGES = 8
"""Images to choose the bias with, and as many others to count the resulting boxes."""


@dataclass(frozen=True)
class RetinaNetConfig:
    """Sizes of the network; the defaults are those of the rules' ResNeXt50-32x4d with feature pyramid (torchvision's
    names)."""

    choice: DetectionLimits = field(default_factory=DetectionLimits)
    blocks: Sequence[int] = (3, 4, 6, 3)
    groups: int = 32
    group_width: int = 4
    stem: int = 64
    pyramid: int = 256
    tower: int = 4


def build(step: Step) -> dict[str, Any]:
    """Write `model.onnx`, RetinaNet with the rules' names of inputs and outputs.

    Input `images` float32 [1,3,800,800] in 0...1; outputs `boxes` float32 [n,4] (xmin, ymin, xmax, ymax in 0...800),
    `scores` float32 [n] in descending order, `labels` int64 [n]; n at most 300. Option: `seed`. Additional facts:
    `stand_in`, `parameters` and `detections`, their `least`, `median` and `most` on held-out generated scenes.
    """
    return build_form(step, RetinaNetConfig())


def build_form(step: Step, form: RetinaNetConfig) -> dict[str, Any]:
    """Build a network of other sizes as `build` does."""
    seed = step.read_options(SeedOptions).seed
    step.phase("calibrating the layers")
    statistics = _statistics(form, seed)
    step.phase("choosing the bias of the classes")
    bias = _bias(step, form, seed, statistics)
    net = _RetinaNet(form, seed, statistics, bias)
    path = step.output / "model.onnx"
    onnx.save(net.detector(), path)
    step.phase("counting boxes on other images")
    counts = [len(one) for one in _scores(step, path, SceneSet(seed, IMAGES, "held-out"), form.choice.image_size)]
    facts = model_facts(
        path,
        outputs=DETECTION_OUTPUTS,
        task_options={"image_size": form.choice.image_size},
        weight_transformations="none: a stand-in with random weights",
    )
    detections = {"least": min(counts), "median": float(np.median(counts)), "most": max(counts)}
    return facts | {"stand_in": True, "parameters": net.parameters, "detections": detections}


def images(scenes: SceneSet, image_size: int) -> Iterator[Array]:
    """Yield scenes preprocessed for the rules' RetinaNet, float32 [1,3,S,S], RGB in 0...1."""
    for index in range(scenes.count):
        image = scenes.scene(index).image[..., ::-1].astype(np.float32)
        resized = cv2.resize(image, (image_size, image_size), interpolation=cv2.INTER_LINEAR) / np.float32(255)
        yield np.ascontiguousarray(resized.transpose(2, 0, 1)[None])


@dataclass(frozen=True)
class _Map:
    """A feature map of the graph: its name, channels, and height (equal to its width)."""

    name: str
    channels: int
    cells: int


class _RetinaNet(DetectionNet):
    """The graph.

    Without statistics each layer computes its own batch's, and `statistics` lists these outputs' names; with statistics
    they are folded into its convolution.
    """

    def __init__(
        self, form: RetinaNetConfig, seed: int, known: Statistics | None = None, class_bias: float = 0.0, batch: int = 1
    ) -> None:
        super().__init__()
        self._form, self._known = form, known
        self._random = np.random.default_rng(seed)
        self.statistics: list[str] = []
        side = form.choice.image_size
        self.input = tensor("images", "float32", [batch, 3, side, side])
        self._levels = self._pyramid(self._backbone(self._prepared(batch)))
        classes, boxes = self._tower("classes"), self._tower("boxes")
        self._logits = self._unit(
            classes, "classes.last", ANCHORS * form.choice.classes, kernel=3, bias=class_bias, relu=False
        )
        self._deltas = self._unit(boxes, "boxes.last", ANCHORS * 4, kernel=3, gain=BOX_GAIN, relu=False)

    def detector(self) -> onnx.ModelProto:
        """Add the postprocessing and return the model."""
        choice = self._form.choice
        around = [
            anchors(choice.image_size, level.cells, sizes, RATIOS)
            for level, sizes in zip(self._levels, SIZES, strict=True)
        ]
        logits = [self.anchor_rows(one.name, one.cells, choice.classes) for one in self._logits]
        deltas = [self.anchor_rows(one.name, one.cells, 4) for one in self._deltas]
        self.detections(logits, deltas, around, choice)
        outputs = [tensor("boxes", "float32", ["n", 4]), tensor("scores", "float32", ["n"])]
        return self.model("retinanet-stand-in", [self.input], [*outputs, tensor("labels", "int64", ["n"])])

    def _prepared(self, batch: int) -> _Map:
        """Add the rules' model's own preprocessing; the new size equals the old one, and is computed all the same."""
        mean, deviation = (
            self._constant(name, values.reshape(1, 3, 1, 1))
            for name, values in (("colour.mean", IMAGENET_MEAN), ("colour.deviation", IMAGENET_DEVIATION))
        )
        x = self.node("Div", [self.node("Sub", ["images", mean], "centred"), deviation], "normal")
        side = self._form.choice.image_size
        how = {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}
        return _Map(self.node("Resize", [x, "", "", self.whole(batch, 3, side, side)], "resized", **how), 3, side)

    def _backbone(self, x: _Map) -> list[_Map]:
        """Add ResNeXt (Xie et al. 2017) and return the maps of its last three stages."""
        form = self._form
        [x] = self._unit([x], "stem", form.stem, kernel=7, stride=2)
        pooled = self.node("MaxPool", [x.name], "stem.pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        x, stages = _Map(pooled, x.channels, -(-x.cells // 2)), []
        for stage, blocks in enumerate(form.blocks):
            for block in range(blocks):
                x = self._block(x, f"stage{stage}.block{block}", stage, 2 if stage and not block else 1)
            stages.append(x)
        return stages[-3:]

    def _block(self, x: _Map, name: str, stage: int, stride: int) -> _Map:
        form = self._form
        inner, outer = form.groups * form.group_width * 2**stage, 4 * form.stem * 2**stage
        ys = self._unit([x], f"{name}.reduce", inner)
        ys = self._unit(ys, f"{name}.spatial", inner, kernel=3, stride=stride, groups=form.groups)
        [y] = self._unit(ys, f"{name}.expand", outer, gain=RESIDUAL_GAIN, relu=False)
        if x.channels != outer:
            [x] = self._unit([x], f"{name}.shortcut", outer, stride=stride, relu=False, bounded=True)
        return self._relu(replace(y, name=self.node("Add", [y.name, x.name], f"{name}.sum")))

    def _pyramid(self, stages: Sequence[_Map]) -> list[_Map]:
        """Add the feature pyramid (Lin et al. 2017) and return its five levels, the finest first."""
        wide = self._form.pyramid
        coarse: _Map | None = None
        levels: list[_Map] = []
        for number, stage in reversed(list(enumerate(stages, start=3))):
            [x] = self._unit([stage], f"side{number}", wide, relu=False)
            if coarse is not None:
                shape = self.node("Shape", [x.name], f"side{number}.shape")
                how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
                larger = self.node("Resize", [coarse.name, "", "", shape], f"side{number}.larger", **how)
                x = replace(x, name=self.node("Add", [x.name, larger], f"side{number}.sum"))
            coarse = x
            levels = self._unit([x], f"level{number}", wide, kernel=3, relu=False) + levels
        levels += self._unit(levels[-1:], "level6", wide, kernel=3, stride=2, relu=False)
        return levels + self._unit([self._relu(levels[-1])], "level7", wide, kernel=3, stride=2, relu=False)

    def _tower(self, name: str) -> list[_Map]:
        """Add the layers of a head, which has the same weights at each level."""
        xs = self._levels
        for number in range(self._form.tower):
            xs = self._unit(xs, f"{name}.{number}", self._form.pyramid, kernel=3)
        return xs

    def _unit(
        self,
        xs: Sequence[_Map],
        name: str,
        width: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        gain: float = 1.0,
        bias: float = 0.0,
        relu: bool = True,
        bounded: bool = False,
    ) -> list[_Map]:
        """Add a convolution of each map by shared weights, whose outputs have mean `bias` and standard deviation
        `gain`.

        The weights are random after He et al. (variance 2 / fan-in). With `bounded` all are negative and few matter:
        with non-negative inputs no output exceeds that of an empty input. The shortcuts need it. Without, the number of
        boxes depends on the image's contrast, and the hundredth best of a busy scene scores as many deviations above
        the mean as would let thousands through on a plain one.
        """
        shape = (width, xs[0].channels // groups, kernel, kernel)
        weight = self._random.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        if bounded:
            weight = -np.exp(2 * weight / weight.std())
        gamma, beta = np.full(width, gain, np.float32), np.full(width, bias, np.float32)
        if self._known is not None:
            weight, beta = fold_batch_norm(weight, gamma, beta, *self._known[name], EPSILON)
        weights = [self.weight(f"{name}.weight", weight)]
        if self._known is not None:
            weights.append(self.weight(f"{name}.bias", beta))
        how = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [kernel // 2] * 4, "group": groups}
        ys = [
            _Map(self.node("Conv", [x.name, *weights], f"{x.name}>{name}", **how), width, -(-x.cells // stride))
            for x in xs
        ]
        if self._known is None:
            ys = self._normalised(ys, name, gain, bias)
        return [self._relu(y) for y in ys] if relu else ys

    def _relu(self, x: _Map) -> _Map:
        return replace(x, name=self.node("Relu", [x.name], f"{x.name}.relu"))

    def _normalised(self, xs: Sequence[_Map], name: str, gain: float, bias: float) -> list[_Map]:
        """Add a normalisation by mean and variance of each channel over all maps, and list these in `statistics`."""
        mean = self._mean(xs, f"{name}.mean")
        squares = [replace(x, name=self.node("Mul", [x.name, x.name], f"{x.name}.square")) for x in xs]
        square = self.node("Mul", [mean, mean], f"{name}.mean.square")
        variance = self.node("Sub", [self._mean(squares, f"{name}.square"), square], f"{name}.variance")
        self.statistics += [mean, variance]
        safe = self.node("Add", [variance, self.number(EPSILON)], f"{name}.safe")
        deviation = self.node("Sqrt", [safe], f"{name}.deviation")
        scale = self.node("Div", [self.number(gain), deviation], f"{name}.scale")
        shift = self.node(
            "Sub", [self.number(bias), self.node("Mul", [mean, scale], f"{name}.scaled.mean")], f"{name}.shift"
        )
        scaled = [self.node("Mul", [x.name, scale], f"{x.name}.scaled") for x in xs]
        return [
            replace(x, name=self.node("Add", [one, shift], f"{x.name}.normal"))
            for x, one in zip(xs, scaled, strict=True)
        ]

    def _mean(self, xs: Sequence[_Map], name: str) -> str:
        """Add the mean [1,C,1,1] over images and cells of all maps."""
        total = sum(x.cells**2 for x in xs)
        parts = [
            self.node(
                "Mul",
                [self.node("ReduceMean", [x.name], f"{x.name}.mean", axes=[0, 2, 3]), self.number(x.cells**2 / total)],
                f"{x.name}.part",
            )
            for x in xs
        ]
        return self.node("Sum", parts, name)


def _statistics(form: RetinaNetConfig, seed: int) -> Statistics:
    """Return mean and variance of every layer's outputs by name, all computed in one pass over image centres."""
    side = form.choice.image_size // 2
    middle = slice(side // 2, side // 2 + side)
    scenes = SceneSet(seed, CALIBRATION_IMAGES, "calibration")
    few = np.concatenate([one[:, :, middle, middle] for one in images(scenes, form.choice.image_size)])
    form = replace(form, choice=replace(form.choice, image_size=side))
    net = _RetinaNet(form, seed, batch=len(few))
    model = net.model("calibration", [net.input], [tensor(name, "float32", None) for name in net.statistics])
    values = iter(_session(model.SerializeToString()).run(net.statistics, {"images": few}))
    names = (name.removesuffix(".mean") for name in net.statistics[::2])
    return {name: (next(values).ravel(), next(values).ravel()) for name in names}


def _bias(step: Step, form: RetinaNetConfig, seed: int, statistics: Statistics) -> float:
    """Return the class bias with which the median image has WANTED boxes.

    Suppression goes from the best box to the worst, so a bias only decides where it ends: one run with a bias that lets
    far too many boxes through is sufficient.
    """
    threshold = log(form.choice.least_score / (1 - form.choice.least_score))
    everything = replace(form.choice, most=form.choice.most_of_level * len(SIZES))
    loose = _RetinaNet(replace(form, choice=everything), seed, statistics, threshold - LOOSE).detector()
    scenes = SceneSet(seed, IMAGES, "training")
    ends = []
    for scores in _scores(step, loose.SerializeToString(), scenes, form.choice.image_size):
        last = float(scores[min(WANTED, len(scores) - 1)])
        ends.append(log(last / (1 - last)) - threshold)
    return threshold - LOOSE - float(np.median(ends))


def _scores(step: Step, model: bytes | Path, scenes: SceneSet, image_size: int) -> Iterator[Array]:
    """Yield the scores of the boxes on each image, in descending order."""
    session = _session(model)
    for done, image in enumerate(images(scenes, image_size), start=1):
        [scores] = session.run(["scores"], {"images": image})
        yield scores
        step.progress(done, scenes.count, "images")


def _session(model: bytes | Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
