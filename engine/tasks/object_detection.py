"""Object detection: image → tensor, boxes → response, accuracy log → mean average precision (mAP).

A detector outputs boxes that its own graph has decoded and suppressed, so one module serves all of them. Images are
processed with OpenCV wherever the rules' reference uses OpenCV.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DataError, RunError, UsageError, nearest
from engine.mlperf_logs import accuracy_log as accuracy
from engine.step import Artifact
from engine.tasks import coco_boxes, coco_eval, image_task
from engine.tasks.base import Array, CalibrationSet, Responses, Score, TaskOptions
from engine.tasks.image_form import ImageForm
from engine.tasks.image_task import Sample
from engine.tasks.picture import Box, Panel, Picture, Shown, visible

LABELS = "annotations.json"

FIELDS = 7
"""float32 per detection: QSL index, top, left, bottom, right (all four of 0...1), score, category."""
DETECTION_BYTES = 4 * FIELDS

LEAST_SCORE = 0.05
"""The first detection below it ends the response."""

SURE = 0.3
"""Score from which a detection is drawn in a picture."""

_TOP_LEFT_BOTTOM_RIGHT = np.array([1, 0, 3, 2])
"""Indices of a model's box (left, top, right, bottom) in the response's order."""

_MEASURED = "score with the annotations of the data set that was measured"


class DetectorOptions(TaskOptions, frozen=True):
    """What `respond` needs to know of a model."""

    image_size: int
    """Side of the square image in which the model states its boxes, in pixels."""


OPTIONS = DetectorOptions


def samples(labels: Path) -> list[Sample]:
    """Return the images that an annotations file names. Raises DataError for an invalid file."""
    known = coco_boxes.read(labels)
    _refuse_boxless(known, range(len(known.images)), labels)
    return [Sample(image.file_name, (image.width, image.height)) for image in known.images]


def keep(labels: Path, indices: Sequence[int], target: Path) -> None:
    """Write the annotations of these images. Raises DataError for an invalid file or images without any box."""
    _refuse_boxless(coco_boxes.read(labels), indices, labels)
    coco_boxes.keep(labels, indices, target)


def _refuse_boxless(known: coco_boxes.Boxes, indices: Sequence[int], labels: Path) -> None:
    """Raise DataError if no image has a box, before anything is measured: there would be no mAP."""
    if not np.isin(known.image[~known.crowd], np.asarray(indices, np.int64)).any():
        raise DataError(
            f"{labels}: none of the {len(indices)} images has a box that is scored (found {len(known.image)} boxes, "
            f"{int(known.crowd.sum())} of them with iscrowd 1): there would be no mAP",
            "take annotations with boxes of single objects, or more of the images",
        )


def preprocess(raw: Path, form: ImageForm, out: Array) -> tuple[int, int]:
    """Preprocess the whole image `raw` into `out` (shape and dtype of the form), RGB, by the named chain.

    Its aspect ratio is not kept. Returns its width and height. With dtype uint8 the resized image is stored
    unnormalised. Raises DataError naming a file that is not a complete image, UsageError if the chain is unknown or has
    no such form.
    """
    name = form.preprocessing
    if name not in CHAINS:
        raise UsageError(f"preprocessing: unknown chain '{name}'", nearest(str(name), CHAINS))
    resize, normalise = CHAINS[name]
    if out.dtype == np.uint8 and resize is _resize_exact:
        raise UsageError(f"preprocessing: chain '{name}' gives fractional pixel values", "ask for dtype float32")
    whole = image_task.read(raw)
    image = resize(whole, form.image_size)
    for colour, plane in enumerate(form.planes(out)):
        if out.dtype == np.uint8:
            plane[...] = image[..., colour]
        else:
            normalise(image[..., colour], plane)
    return whole.shape[1], whole.shape[0]


def calibration(chosen: Artifact, options: Mapping[str, Any]) -> CalibrationSet:
    """Return the model's calibration images. Options: image_calibration.ChainOptions. Raises DataError."""
    from engine.tasks import image_calibration  # noqa: PLC0415  (a LoadGen run loads this module too)

    return image_calibration.calibration(sys.modules[__name__], chosen, options)


def respond(outputs: Sequence[Array], indices: Sequence[int], model: DetectorOptions) -> Responses:
    """Return one image's detections, float32 [n,7] with the fields of FIELDS, in the model's order.

    Outputs: boxes float32 [m,4] (left, top, right, bottom in 0...image_size), scores float32 [m], descending, and
    labels [m], which are category ids of the annotations. Raises RunError for other outputs, or a larger batch.
    """
    if len(indices) != 1 or len(outputs) != 3:
        raise RunError(
            f"{len(outputs)} outputs for {len(indices)} samples: a detector gives boxes, scores and labels of one",
            "name these three outputs in this order, and run with a batch of 1",
        )
    boxes, scores, labels = outputs
    if scores.ndim != 1 or boxes.shape != (len(scores), 4) or labels.shape != scores.shape:
        raise RunError(
            f"boxes, scores and labels are of the shapes {boxes.shape}, {scores.shape} and {labels.shape}",
            "they must be [n,4], [n] and [n]: check the names of the outputs and their order",
        )
    low = scores < LEAST_SCORE
    count = int(low.argmax()) if low.any() else len(scores)
    answer = np.empty((count, FIELDS), np.float32)
    answer[:, 0] = indices[0]
    np.divide(boxes[:count].take(_TOP_LEFT_BOTTOM_RIGHT, 1), model.image_size, out=answer[:, 1:5])
    answer[:, 5] = scores[:count]
    answer[:, 6] = labels[:count]
    return Responses(answer, count * DETECTION_BYTES)


def score(log: Path, labels: Path) -> Score:
    """Return mAP as the rules' accuracy-openimages.py prints it, over the answered images.

    The first answer to a sample counts. An empty answer is an image without detections. Boxes that leave their image
    are scored unchanged. If a detection names another sample than its record, the record's counts, and the text has a
    warning. Raises DataError for malformed logs, annotations or answers, and if no answered image has a box.
    """
    known = coco_boxes.read(labels)
    answered, index, fields = _answers(log, labels, len(known.images))
    figures = coco_eval.summarise(_truth(known, answered), _detections(fields, index, known, log))
    if figures[0] == coco_eval.NOTHING:
        raise DataError(
            f"{log}: none of the {len(answered)} answered images has a box in {labels}: there is no mAP",
            "measure more images",
        )
    text = [*_strays(fields, index), *coco_eval.rows(figures), f"mAP={100 * figures[0]:.3f}%", ""]
    warning = (
        "" if figures[0] > 0 else "not one object was found where the labels have it: do they belong to the images?"
    )
    total = len(answered)
    return Score(text="\n".join(text), metric="mAP", value=100 * figures[0], good=None, total=total, warning=warning)


def _answers(log: Path, labels: Path, count: int) -> tuple[Array, Array, Array]:
    """Return the first answer to each sample, in log order.

    The samples int64 [S]; of each detection the sample int64 [D] and the answer's numbers float64 [D, FIELDS].
    """
    detections: dict[int, int] = {}
    data = bytearray()
    for record in accuracy.records(log):
        if record.qsl_idx in detections:
            continue
        if not 0 <= record.qsl_idx < count:
            raise DataError(f"{log}: sample {record.qsl_idx} has no image: {labels} has {count}", _MEASURED)
        _check_length(record.data, record.qsl_idx, log)
        detections[record.qsl_idx] = len(record.data) // DETECTION_BYTES
        data += record.data
    if not detections:
        raise DataError(f"{log}: no sample was answered", "run in accuracy mode again")
    answered = np.array(list(detections), np.int64)
    index = np.repeat(answered, list(detections.values()))
    return answered, index, np.frombuffer(data, "<f4").reshape(-1, FIELDS).astype(np.float64)


def _check_length(data: bytes, index: int, log: Path) -> None:
    """Raise DataError for an answer that is not whole detections."""
    if len(data) % DETECTION_BYTES:
        raise DataError(
            f"{log}: the answer for sample {index} has {len(data)} bytes, which is no multiple of {DETECTION_BYTES}",
            f"every detection is {FIELDS} float32; run in accuracy mode again",
        )


def pictures(shown: Shown, labels: Path, log: Path) -> list[Picture]:
    """Return each image with its boxes, and with the detections of SURE and more. Raises DataError as `score` does."""
    known, found = coco_boxes.read(labels), []
    for index, (sample, data) in shown.items():
        _check_length(data, index, log)
        fields = np.frombuffer(data, "<f4").reshape(-1, FIELDS).astype(np.float64)
        answer = _detections(fields, np.full(len(fields), index), known, log)
        there, sure = known.image == index, answer.score >= SURE
        sides = (known.images[index].width, known.images[index].height) * 2
        of_truth = _boxes(known, known.category[there], known.box[there] / sides)
        of_model = _boxes(known, answer.category[sure], answer.box[sure] / sides, answer.score[sure])
        image = visible(sample)
        panels = [
            Panel(f"truth: {_listed(of_truth)}", image, of_truth),
            Panel(f"model: {_listed(of_model)}", image, of_model),
        ]
        found.append(Picture(known.images[index].file_name, panels))
    return found


def _boxes(known: coco_boxes.Boxes, categories: Array, boxes: Array, scores: Array | None = None) -> list[Box]:
    names = [known.names[int(one)] for one in categories]
    said = names if scores is None else [f"{name} {score:.2f}" for name, score in zip(names, scores, strict=True)]
    return [
        Box(float(left), float(top), float(width), float(height), kind, name)
        for (left, top, width, height), kind, name in zip(boxes, names, said, strict=True)
    ]


def _listed(boxes: Sequence[Box]) -> str:
    """Return how many boxes there are of each kind, the most frequent first."""
    counts = Counter(box.kind for box in boxes).most_common()
    return ", ".join(f"{count} × {kind}" if count > 1 else kind for kind, count in counts) or "nothing"


def _truth(known: coco_boxes.Boxes, answered: Array) -> coco_eval.BoxTruth:
    seen = np.zeros(len(known.images), np.bool_)
    seen[answered] = True
    there = seen[known.image]
    return coco_eval.BoxTruth(
        _ids(known)[known.image[there]],
        known.category[there],
        known.box[there],
        known.area[there],
        known.crowd[there],
    )


def _detections(fields: Array, index: Array, known: coco_boxes.Boxes, log: Path) -> coco_eval.Detections:
    """Return the detections with boxes in pixels of their images. Raises DataError naming a sample with invalid ones.

    The products are computed in float64, as with numpy at the time of the rules.
    """
    finite = np.isfinite(fields).all(1)
    if not finite.all():
        number = int(finite.argmin())
        raise DataError(
            f"{log}: the answer for sample {index[number]} has a number that is not finite: {fields[number].tolist()}",
            "the model's outputs are damaged: check the model, or its quantisation, and run again",
        )
    category = np.trunc(fields[:, 6])
    named = np.isin(category, known.categories)
    if not named.all():
        number = int(named.argmin())
        raise DataError(
            f"{log}: the answer for sample {index[number]} is of category {category[number]:.0f}, and the "
            f"{len(known.categories)} of the annotations end with {known.categories[-1]}",
            f"{_MEASURED}, and a model whose labels are its category ids, counted from 0",
        )
    sizes = np.array([(image.height, image.width) * 2 for image in known.images], np.float64)
    top, left, bottom, right = (fields[:, 1:5] * sizes[index]).T
    box = np.stack([left, top, right - left, bottom - top], axis=1)
    return coco_eval.Detections(_ids(known)[index], category.astype(np.int64), box, fields[:, 5])


def _ids(known: coco_boxes.Boxes) -> Array:
    return np.array([image.id for image in known.images], np.int64)


def _strays(fields: Array, index: Array) -> list[str]:
    """Return the warning about detections that name another sample than their record does."""
    other = np.flatnonzero(np.trunc(fields[:, 0]) != index)
    if not other.size:
        return []
    first = other[0]
    return [
        f"WARNING: {other.size} detections name another sample than their record, and count for that of the record",
        f"WARNING: the first is in the record of sample {index[first]} and names {fields[first, 0]:.0f}",
    ]


def _resize_exact(image: Array, size: int) -> Array:
    """Return the image as float32, resized without rounding to integers."""
    import cv2  # noqa: PLC0415  (only preprocessing needs it, and a LoadGen run loads this module too)

    return cv2.resize(image.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)


def _resize_linear(image: Array, size: int) -> Array:
    import cv2  # noqa: PLC0415

    return cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)


def _resize_area(image: Array, size: int) -> Array:
    import cv2  # noqa: PLC0415

    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def _normalise_unit(pixels: Array, out: Array) -> None:
    np.divide(pixels, np.float32(255), out=out)


def _normalise_symmetric(pixels: Array, out: Array) -> None:
    np.subtract(pixels, np.float32(127.5), out=out)
    np.divide(out, np.float32(127.5), out=out)


Resize = Callable[[Array, int], Array]
"""Image, RGB uint8 [H,W,3], and size → RGB uint8 or float32 [size,size,3]."""
Normalise = Callable[[Array, Array], None]
"""Writes one channel: pixels [size,size], output float32 [size,size]."""

CHAINS: Mapping[str, tuple[Resize, Normalise]] = {
    "retinanet": (_resize_exact, _normalise_unit),
    "ssd": (_resize_linear, _normalise_symmetric),
    "unit": (_resize_area, _normalise_unit),
}
"""Resizing and normalisation by name.

`retinanet` is the chain of the rules' RetinaNet, 0...1, whose graph subtracts the mean itself; `ssd` is -1...1, as for
TensorFlow's SSD models; `unit` is 0...1 for small networks, area-averaged.
"""
