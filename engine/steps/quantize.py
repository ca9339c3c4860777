"""Quantizes an ONNX picture classifier to int8 without training: the one thing that the closed division allows.

Weights become int8, symmetric, with a scale for each output channel; activations become uint8 with one scale for each
tensor, from the least and greatest value that the calibration pictures give. That pair is what processors with 8-bit
dot products multiply fastest: on AVX512-VNNI int8 activations took three times as long. The form is QDQ (a
QuantizeLinear and a DequantizeLinear around each tensor), which every engine that reads ONNX can turn into its own.
An x86 processor without VNNI adds two such products in 16 bits, which overflow; with weights of 7 bits they can't.

The layer that gives the scores stays in fp32, with the mean before it and all after it: it is a two-thousandth of
ResNet-50's work and made an eighth of int8's error. No other layer of ResNet-50 or EfficientNet-Lite0 needed fp32.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import version_converter
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from engine.backends import onnxruntime
from engine.backends.base import BackendOptions, TensorSpec
from engine.errors import DataError
from engine.facts import ModelFacts
from engine.models.convnet import OPSET
from engine.step import Step
from engine.steps.calibration import Calibration
from engine.store.files import sha256_of
from engine.system import Cpu, detect
from engine.tasks.labelled import collecting, refuse_bad

Array = np.ndarray[Any, np.dtype[Any]]

MODEL = "model.onnx"
WEIGHTED = ("Conv", "Gemm", "MatMul")
"""The operators that an int8 processor speeds up."""

QUANTIZED = (*WEIGHTED, "Add", "AveragePool", "Clip", "MaxPool", "Relu")
"""These and no others: what stands between two weighted operators has to be int8 too, or each would convert."""

FULL = 8
"""Bits of a weight, where the processor can take all."""

KEPT = ("format", "layout", "outputs", "task_options", "starting_weights_filename", "retraining", "stand_in")
"""Facts of the fp32 model that hold for the int8 one."""


def quantize(step: Step) -> dict[str, Any]:
    """Write `model.onnx`, the int8 form of the need `fp32`, calibrated with the need `calibration`.

    Inputs and outputs keep names, shapes and types. Options: `task`, `preprocessing` (how its pictures are made ready),
    `weight_bits` (8 or 7). Same model, pictures and versions: same bytes. Facts: those of the fp32 model in KEPT;
    `model`, `sha256`, `weight_data_types`, `input_data_types`, `weight_transformations`, and `calibration` as
    engine.steps.calibration describes it.

    Raises DataError: no ONNX model, nothing to quantize in it, no pictures as input, a calibration picture that is
    broken or missing.
    """
    source = step.inputs["fp32"].read(ModelFacts)
    original = step.inputs["fp32"].folder / source.file
    calibration = Calibration.of(step.inputs["calibration"])
    bits = int(step.options["weight_bits"])
    if bits == FULL and _overflows(detect().cpu):
        step.warn(
            "this processor has no VNNI: sums of 8-bit products may overflow and cost accuracy",
            remedy="--adr.model.weight_bits=7",
        )
    with TemporaryDirectory(prefix=".int8-", dir=step.output) as scratch:
        step.phase("preparing the graph")
        prepared = Path(scratch) / MODEL
        graph = prepare(original, prepared)
        step.phase("calibrating")
        pictures = _Pictures(step, calibration.files, original, graph.image)
        _write(prepared, graph.scores, pictures, step.output / MODEL, reduce=bits < FULL)
    return {name: step.inputs["fp32"].facts[name] for name in KEPT if name in step.inputs["fp32"].facts} | {
        "model": MODEL,
        "sha256": sha256_of(step.output / MODEL),
        "weight_data_types": "int8",
        "input_data_types": _short(graph.image.dtype),
        "weight_transformations": _transformations(source.weight_transformations, calibration, bits),
        "calibration": calibration.facts(),
    }


@dataclass(frozen=True)
class Graph:
    """What is known of a prepared model."""

    image: TensorSpec
    """Its one input."""
    scores: tuple[str, ...]
    """The nodes that give the scores: no other weighted operator comes after them."""


def prepare(original: Path, prepared: Path) -> Graph:
    """Write the model as it is quantized: all nodes have names.

    Batch normalisations are folded into the convolutions before them, constants are computed, and the operators are
    those of opset 13, the first that has a scale for each channel. Raises DataError where it can't be quantized.
    """
    try:
        model = onnx.load(str(original))
    except DecodeError:
        raise DataError(f"{original} is not an ONNX model", "give another file") from None
    _refuse(model, original)
    # Up to IR version 3 every weight is listed as an input too, which forbids to compute with it ahead of a run.
    weights = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 8)
    if _opset(model) < OPSET:
        model = _converted(model, original)
    raw = prepared.with_name("opset.onnx")
    onnx.save(model, raw)
    del model
    runner = onnxruntime.load(
        raw, BackendOptions(extra={"graph_optimization_level": "basic", "optimized_model_filepath": str(prepared)})
    )
    found = runner.inputs
    runner.close()
    scores = _finish(prepared, original)
    if len(found) != 1:
        names = ", ".join(one.name for one in found)
        raise DataError(f"{original} has {len(found)} inputs ({names}), pictures fill one", "give a classifier")
    return Graph(found[0], scores)


def _refuse(model: onnx.ModelProto, original: Path) -> None:
    """Raise DataError where there is nothing to quantize, or it is quantized already."""
    if any(node.op_type in ("DequantizeLinear", "QLinearConv", "ConvInteger") for node in model.graph.node):
        raise DataError(f"{original} is quantized already", "use it as it is, without _int8")
    weights = {one.name for one in model.graph.initializer if one.data_type == onnx.TensorProto.FLOAT}
    weights |= {node.output[0] for node in model.graph.node if _holds_floats(node)}
    if not any(weights.intersection(node.input[1:]) for node in model.graph.node if node.op_type in WEIGHTED):
        raise _nothing(original)


def _nothing(original: Path) -> DataError:
    return DataError(
        f"{original} has no {', '.join(WEIGHTED)} with float32 weights before its scores: there is nothing to quantize",
        "use it as it is, without _int8",
    )


def _holds_floats(node: onnx.NodeProto) -> bool:
    """Say whether it is a constant of float32."""
    return node.op_type == "Constant" and any(one.t.data_type == onnx.TensorProto.FLOAT for one in node.attribute)


def _opset(model: onnx.ModelProto) -> int:
    return max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)


def _converted(model: onnx.ModelProto, original: Path) -> onnx.ModelProto:
    try:
        return version_converter.convert_version(model, OPSET)
    except (RuntimeError, version_converter.ConvertError) as error:
        raise DataError(
            f"{original} is of opset {_opset(model)} and can't be written in opset {OPSET}: {error}",
            f"export it with opset {OPSET} or later",
        ) from error


def _finish(prepared: Path, original: Path) -> tuple[str, ...]:
    """Name all nodes and say in the file that it was prepared, which the quantizer would advise to do otherwise.

    Returns the nodes that give the scores. Raises DataError where these are all the weighted ones.
    """
    model = onnx.load(str(prepared))
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}.{number}"
    scores = _scores(model.graph)
    if not any(node.op_type in WEIGHTED and node.name not in scores for node in model.graph.node):
        raise _nothing(original)
    entry = model.metadata_props.add()
    entry.key, entry.value = "onnx.quant.pre_process", "onnxruntime.quant"
    onnx.save(model, prepared)
    return scores


def _scores(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Walk back from the outputs to the first weighted nodes on each way."""
    producers = {output: node for node in graph.node for output in node.output}
    found: dict[str, None] = {}
    ahead, seen = [one.name for one in graph.output], set[str]()
    while ahead:
        name = ahead.pop()
        node = producers.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        if node.op_type in WEIGHTED:
            found[node.name] = None
        else:
            ahead += node.input
    return tuple(found)


def _overflows(cpu: Cpu) -> bool:
    return cpu.architecture.lower() in ("x86_64", "amd64") and not {"avx512_vnni", "avx_vnni"}.intersection(cpu.flags)


def _write(prepared: Path, scores: Sequence[str], pictures: "_Pictures", target: Path, *, reduce: bool) -> None:
    quantize_static(
        prepared,
        target,
        pictures,
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=list(QUANTIZED),
        per_channel=True,
        reduce_range=reduce,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=list(scores),
        extra_options={"WeightSymmetric": True},
    )


class _Pictures(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime tells no types
    """Makes the calibration pictures ready, one at a time where the model takes one.

    Eight at a time are no quicker, and the activations of ResNet-50 took 2.2 GB instead of 0.6.
    """

    def __init__(self, step: Step, files: Sequence[Path], model: Path, image: TensorSpec) -> None:
        self._step, self._files, self._image = step, files, image
        self._task = import_module(step.options["task"])
        self._options = {"preprocessing": step.options["preprocessing"], **_form(model, image)}
        self._done = 0
        self._bad: dict[str, str] = {}

    def _refuse(self, slot: Array) -> None:
        """Look at all pictures for those that can't be used, and raise DataError that names them."""
        for file in self._files[self._done :]:
            with collecting(self._bad, file, file.name):
                self._task.preprocess(file, self._options, slot)
        refuse_bad(self._bad, self._files[0].parent, len(self._files))

    def get_next(self) -> dict[str, Array] | None:
        """Return the next batch by the input's name, or None."""
        count = len(self._files)
        if self._done >= count:
            return None
        # A model of a fixed batch gets its last one filled up with pictures that it has seen: no extreme moves.
        size = self._image.shape[0] or 1
        shape, dtype = self._task.sample_shape(self._options)
        batch = np.empty((size, *shape), dtype)
        for place, slot in enumerate(batch, start=self._done):
            file = self._files[place % count]
            with collecting(self._bad, file, file.name):
                self._task.preprocess(file, self._options, slot)
        if self._bad:
            self._refuse(batch[0])
        self._done += size
        self._step.progress(min(self._done, count), count, "pictures")
        return {self._image.name: batch}


def _form(model: Path, image: TensorSpec) -> dict[str, Any]:
    """Return layout, size and type of the pictures that a model takes."""
    match image.shape:
        case (_, 3, int(height), int(width)) if height == width:
            return {"layout": "NCHW", "image_size": height, "dtype": image.dtype}
        case (_, int(height), int(width), 3) if height == width:
            return {"layout": "NHWC", "image_size": height, "dtype": image.dtype}
    raise DataError(
        f"{model}: the input '{image.name}' takes {list(image.shape)}, not square pictures of three colours",
        "export it with the size of its pictures fixed: [N,3,S,S] or [N,S,S,3]",
    )


def _short(dtype: str) -> str:
    """Return the word of the measurements file for a numpy type."""
    return {"float32": "fp32", "float16": "fp16"}.get(dtype, dtype)


def _transformations(before: str, calibration: Calibration, bits: int) -> str:
    limit = "" if bits == FULL else f" of {bits} bits"
    done = (
        f"constants and batch normalisations folded; static quantization to int8 (ONNX QDQ): weights int8{limit}, "
        "symmetric, a scale for each output channel; activations uint8, a scale for each tensor by least and greatest "
        f"value over {calibration.text}; the layer that gives the scores in fp32"
    )
    return done if before == "none" else f"{before}; {done}"
