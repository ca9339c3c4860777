"""Image classification: image → tensor, class → response, accuracy log → top-1 accuracy.

Images are processed with OpenCV wherever the rules' reference uses OpenCV: other libraries round and filter
differently, which changes top-1.
"""

import math
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DataError, UsageError, nearest
from engine.mlperf_logs import accuracy_log as accuracy
from engine.step import Artifact
from engine.tasks import image_task
from engine.tasks.base import Array, CalibrationSet, Responses, Score, TaskOptions
from engine.tasks.image_form import ImageForm
from engine.tasks.image_task import Sample
from engine.tasks.labels import read_val_map
from engine.tasks.picture import Panel, Picture, Shown, visible
from engine.text import size as size_text

LABELS = "val_map.txt"

MOST_BYTES = 1 << 28
"""Limit of a scaled image before cropping: an ordinary one has less than a megabyte."""

RESPONSE_BYTES = 4
"""One float32 per sample: the class."""

VGG_MEAN = np.array([123.68, 116.78, 103.94], np.float32)
"""RGB means of the rules' ResNet-50 v1.5."""


IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""RGB mean and standard deviation of ImageNet's images in 0...1, as torchvision's models expect."""


class ClassOptions(TaskOptions, frozen=True):
    """What `respond` needs to know of a model."""

    label_offset: int
    """Class of the model that is label 0: 1 where class 0 is the background."""


OPTIONS = ClassOptions


def samples(labels: Path) -> list[Sample]:
    """Return the images that a val_map.txt names. Raises DataError naming an invalid line."""
    return [Sample(name) for name, _ in read_val_map(labels)]


def keep(labels: Path, indices: Sequence[int], target: Path) -> None:
    """Write a val_map.txt of these lines. Raises DataError for an invalid line."""
    entries = read_val_map(labels)
    target.write_text("".join("{} {}\n".format(*entries[index]) for index in indices), encoding="utf-8")


def preprocess(raw: Path, form: ImageForm, out: Array) -> tuple[int, int]:
    """Preprocess the image `raw` into `out` (shape and dtype of the form), RGB, by the named chain.

    Returns its width and height.

    With dtype uint8 the cropped and resized image is stored unnormalised, for models that subtract the mean themselves.
    Raises DataError naming a file that is not a complete image, UsageError for an unknown chain.
    """
    try:
        frame, normalise = CHAINS[form.preprocessing]
    except KeyError as error:
        raise UsageError(f"preprocessing: unknown chain {error}", nearest(str(error.args[0]), CHAINS)) from error
    whole = image_task.read(raw)
    image = frame(whole, form.image_size)
    for colour, plane in enumerate(form.planes(out)):
        if out.dtype == np.uint8:
            plane[...] = image[..., colour]
        else:
            normalise(image[..., colour], colour, plane)
    return whole.shape[1], whole.shape[0]


def calibration(chosen: Artifact, options: Mapping[str, Any]) -> CalibrationSet:
    """Return the model's calibration images. Options: image_calibration.ChainOptions. Raises DataError."""
    from engine.tasks import image_calibration  # noqa: PLC0415  (a LoadGen run loads this module too)

    return image_calibration.calibration(sys.modules[__name__], chosen, options)


def respond(outputs: Sequence[Array], indices: Sequence[int], model: ClassOptions) -> Responses:
    """Return the class of each sample, minus `label_offset`, as float32.

    The first output is either classes (int64 [N] or [N,1]) or scores ([N,C], argmax).
    """
    classes = outputs[0]
    if classes.ndim == 2 and classes.shape[1] > 1:
        classes = classes.argmax(1)
    return Responses(np.subtract(classes, model.label_offset, dtype=np.float32, casting="unsafe"), RESPONSE_BYTES)


def score(log: Path, labels: Path) -> Score:
    """Return top-1 accuracy as the rules' accuracy-imagenet.py prints it.

    `labels` is a val_map.txt: line number = QSL index. The first answer to a sample counts; the total is the number of
    answered samples. Raises DataError for a malformed log, label or answer.
    """
    truth = [label for _, label in read_val_map(labels)]
    answers: dict[int, int] = {}
    for record in accuracy.records(log):
        index = record.qsl_idx
        if index in answers:
            continue
        if not 0 <= index < len(truth):
            raise DataError(
                f"{log}: sample {index} has no label: {labels} has {len(truth)} lines",
                "score with the labels of the data set that was measured",
            )
        answers[index] = _answer(record.data, index, log)
    if not answers:
        raise DataError(f"{log}: no sample was answered", "run in accuracy mode again")
    known = [(found, truth[index]) for index, found in answers.items()]
    good, total = sum(found == label for found, label in known), len(known)
    share = 100.0 * good / total
    text = f"accuracy={share:.3f}%, good={good}, total={total}\n"
    return Score(text=text, metric="accuracy", value=share, good=good, total=total, warning=_warning(known, good))


def pictures(shown: Shown, labels: Path, log: Path) -> list[Picture]:
    """Return each image with its label and the answer. Raises DataError for a malformed label or answer."""
    truth, found = read_val_map(labels), []
    for index, (sample, data) in shown.items():
        (name, label), answer = truth[index], _answer(data, index, log)
        said = f"label {label}, answer {answer}: {'right' if answer == label else 'wrong'}"
        found.append(Picture(name, [Panel(said, visible(sample))]))
    return found


def _warning(known: Sequence[tuple[int, int]], good: int) -> str:
    """Return a warning if the accuracy suggests that the labels are of something else; else empty."""
    kinds = len({label for _, label in known})
    if kinds < 2 or good * kinds > len(known):
        return ""
    warning = f"{good} of {len(known)} right is not more than chance"
    for shift in (1, -1):
        hits = sum(found == label - shift for found, label in known)
        if hits * kinds > len(known) and hits > good:
            return (
                f"{warning}; {hits} are right if {'1 is subtracted from' if shift > 0 else '1 is added to'} each label"
            )
    return (
        f"{warning}: shifted labels or labels of other images, a wrong label_offset or wrong preprocessing cause this"
    )


def _answer(data: bytes, index: int, log: Path) -> int:
    if len(data) != RESPONSE_BYTES:
        raise DataError(
            f"{log}: the answer for sample {index} has {len(data)} bytes, not {RESPONSE_BYTES}",
            "every answer is one float32; an empty one means that the sample failed in the run",
        )
    (value,) = struct.unpack("<f", data)
    if not math.isfinite(value):
        raise DataError(f"{log}: the answer for sample {index} is {value}", "run in accuracy mode again")
    return int(value)


def _frame_vgg(image: Array, size: int) -> Array:
    """Return the centre crop of the image with its short side scaled to size/0.875, truncating as the reference
    does."""
    import cv2  # noqa: PLC0415  (only preprocessing needs it, and a LoadGen run loads this module too)

    height, width = image.shape[:2]
    short, side = int(100.0 * size / 87.5), min(height, width)
    target = int(short * width / side), int(short * height / side)
    _refuse_huge(image, target)
    scaled = cv2.resize(image, target, interpolation=cv2.INTER_AREA)
    left, top = (target[0] - size) // 2, (target[1] - size) // 2
    return scaled[top : top + size, left : left + size]


def _frame_efficientnet_lite(image: Array, size: int) -> Array:
    """Return the central square of size/(size + 32) of the short side, scaled to `size`."""
    import cv2  # noqa: PLC0415  (only preprocessing needs it, and a LoadGen run loads this module too)

    return _square(image, size / (size + 32), size, cv2.INTER_CUBIC)


def _frame_unit(image: Array, size: int) -> Array:
    """Return the largest central square, scaled to `size`."""
    import cv2  # noqa: PLC0415  (only preprocessing needs it, and a LoadGen run loads this module too)

    return _square(image, 1.0, size, cv2.INTER_AREA)


def _frame_torchvision(image: Array, size: int) -> Array:
    """Return the centre crop of the image with its short side scaled to size/0.875 by Pillow, as torchvision does."""
    from PIL import Image  # noqa: PLC0415

    height, width = image.shape[:2]
    short, side = int(size / 0.875), min(height, width)
    target = int(short * width / side), int(short * height / side)
    _refuse_huge(image, target)
    scaled = np.asarray(Image.fromarray(image).resize(target, Image.Resampling.BILINEAR))
    left, top = round((target[0] - size) / 2), round((target[1] - size) / 2)
    return scaled[top : top + size, left : left + size]


def _refuse_huge(image: Array, target: tuple[int, int]) -> None:
    """Raise MemoryError for an image so long and narrow that scaling its short side makes it enormous."""
    needed = 3 * target[0] * target[1]
    if needed > MOST_BYTES:
        height, width = image.shape[:2]
        raise MemoryError(
            f"{width} x {height} scaled to {target[0]} x {target[1]} takes {size_text(needed)} of memory, "
            f"{size_text(MOST_BYTES)} at most"
        )


def _square(image: Array, share: float, size: int, interpolation: int) -> Array:
    import cv2  # noqa: PLC0415  (only preprocessing needs it, and a LoadGen run loads this module too)

    height, width = image.shape[:2]
    side = max(1, int(share * min(height, width)))
    top, left = (height - side + 1) // 2, (width - side + 1) // 2
    return cv2.resize(image[top : top + side, left : left + side], (size, size), interpolation=interpolation)


def _normalise_vgg(pixels: Array, colour: int, out: Array) -> None:
    np.subtract(pixels, VGG_MEAN[colour], out=out)


def _normalise_efficientnet_lite(pixels: Array, _: int, out: Array) -> None:
    np.subtract(pixels, np.float32(127), out=out)
    np.divide(out, np.float32(128), out=out)


def _normalise_torchvision(pixels: Array, colour: int, out: Array) -> None:
    np.divide(pixels, np.float32(255), out=out)
    np.subtract(out, IMAGENET_MEAN[colour], out=out)
    np.divide(out, IMAGENET_DEVIATION[colour], out=out)


def _normalise_unit(pixels: Array, _: int, out: Array) -> None:
    np.divide(pixels, np.float32(255), out=out)


Frame = Callable[[Array, int], Array]
"""Image, RGB uint8 [H,W,3], and size → RGB uint8 [size,size,3]."""
Normalise = Callable[[Array, int, Array], None]
"""Writes one channel: pixels uint8 [size,size], the channel's number, output float32 [size,size]."""

CHAINS: Mapping[str, tuple[Frame, Normalise]] = {
    "vgg": (_frame_vgg, _normalise_vgg),
    "efficientnet-lite": (_frame_efficientnet_lite, _normalise_efficientnet_lite),
    "torchvision": (_frame_torchvision, _normalise_torchvision),
    "unit": (_frame_unit, _normalise_unit),
}
"""Cropping and normalisation by name.

`vgg` is the chain of the rules' ResNet-50; `efficientnet-lite` that of the network's authors; `torchvision` that of its
models (labels from 0); `unit` scales the whole image to 0...1 for a small network.
"""
