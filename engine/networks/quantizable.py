"""Prepare ONNX models for quantization: node names, opset, folded normalisations, external data for large weights.

A protobuf message holds two gigabytes at most, and every step that reads one copies it. The weights of large models
therefore stay in external data, which ONNX Runtime memory-maps.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import version_converter

from engine.backends import onnxruntime
from engine.backends.base import BackendOptions, TensorSpec
from engine.errors import DataError
from engine.formats import onnx_files
from engine.networks.convnet import OPSET

LARGE = 1 << 29
"""Model size from which weights are written as external data."""
SMALL_TENSOR = 1024
"""Bytes up to which a tensor stays in the message, because shape inference may need it."""
WEIGHTS = "prepared.data"
PREPARED = "model.onnx"

WEIGHTED = ("Conv", "Gemm", "MatMul")
"""The operators that int8 accelerates."""
_QUANTIZED_ALREADY = ("DequantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger", "QLinearMatMul")


@dataclass(frozen=True)
class QuantizableGraph:
    """A prepared model."""

    path: Path
    inputs: tuple[TensorSpec, ...]
    scores: tuple[str, ...]
    """The nodes that compute the scores: no other weighted operator comes after them."""


def prepare(original: Path, folder: Path) -> QuantizableGraph:
    """Write the prepared model into a folder, with names on all nodes.

    Batch normalisations are folded into the convolutions before them, constants are folded, and the opset is at least
    13, the first with per-channel scales. Raises DataError if it can't be quantized.
    """
    raw = folder / "opset.onnx"
    large = _write_raw(original, raw)
    prepared = folder / PREPARED
    runner = onnxruntime.load(raw, BackendOptions(extra=_settings(prepared, large=large)))
    inputs = runner.inputs
    runner.close()
    for path in (raw, raw.with_suffix(".data")):
        path.unlink(missing_ok=True)
    return QuantizableGraph(prepared, inputs, _finish(prepared, original))


def _write_raw(original: Path, raw: Path) -> bool:
    """Write the model in opset 13 or later, initializers not listed as inputs. Returns whether it has external data."""
    files = onnx_files.files(original)
    outside = len(files) > 1
    try:
        model = onnx.load(str(original), load_external_data=False)
    except DecodeError:
        raise DataError(f"{original} is not an ONNX model", "give another file") from None
    _refuse(model, original)
    # Up to IR version 3 every weight is also listed as an input, which prevents constant folding.
    weights = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 8)
    if _opset(model) < OPSET:
        model = _converted(model, original)
    for file in files[1:]:
        target = raw.parent / file.relative_to(original.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    large = outside or original.stat().st_size > LARGE
    if large and not outside:
        onnx.save(model, raw, save_as_external_data=True, location=raw.with_suffix(".data").name)
    else:
        onnx.save(model, raw)
    return large


def _settings(prepared: Path, *, large: bool) -> dict[str, str]:
    """Return ONNX Runtime's settings for constant folding and for writing the optimized model."""
    settings = {"graph_optimization_level": "basic", "optimized_model_filepath": str(prepared)}
    if large:
        settings |= {
            "session.optimized_model_external_initializers_file_name": WEIGHTS,
            "session.optimized_model_external_initializers_min_size_in_bytes": str(SMALL_TENSOR),
            "session.disable_prepacking": "1",
        }
    return settings


def _refuse(model: onnx.ModelProto, original: Path) -> None:
    """Raise DataError if there is nothing to quantize, or it is quantized already."""
    if any(node.op_type in _QUANTIZED_ALREADY for node in model.graph.node):
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
    """Return whether the node is a float32 constant."""
    return node.op_type == "Constant" and any(one.t.data_type == onnx.TensorProto.FLOAT for one in node.attribute)


def _opset(model: onnx.ModelProto) -> int:
    return max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)


def _converted(model: onnx.ModelProto, original: Path) -> onnx.ModelProto:
    try:
        return version_converter.convert_version(model, OPSET)
    except (RuntimeError, ValueError, version_converter.ConvertError) as error:
        raise _old(original, model, str(error)) from error


def _old(original: Path, model: onnx.ModelProto, why: str) -> DataError:
    return DataError(
        f"{original} is of opset {_opset(model)} and can't be written in opset {OPSET}: {why}",
        f"export it with opset {OPSET} or later",
    )


def _finish(prepared: Path, original: Path) -> tuple[str, ...]:
    """Name all nodes and mark the model as preprocessed, so that the quantizer does not warn.

    Returns the nodes that compute the scores. Raises DataError if there are no other weighted nodes.
    """
    model = onnx.load(str(prepared), load_external_data=False)
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
    """Return the first weighted nodes on each path back from the outputs."""
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


def products(graph: onnx.GraphProto) -> list[str]:
    """Return the nodes that multiply two activations."""
    weights = {one.name for one in graph.initializer}
    return [node.name for node in graph.node if node.op_type == "MatMul" and not weights.intersection(node.input)]


def float_tensors(model: onnx.ModelProto, operators: Sequence[str]) -> dict[str, int]:
    """Return the float tensors that operators of these types read and write, without weights: name → element type.

    The model must have value infos (onnx.shape_inference).
    """
    weights = {one.name for one in model.graph.initializer}
    known = {
        one.name: one.type.tensor_type.elem_type
        for one in (*model.graph.value_info, *model.graph.output, *model.graph.input)
    }
    used = (name for node in model.graph.node if node.op_type in operators for name in (*node.input, *node.output))
    wanted = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    return {name: known[name] for name in used if name not in weights and known.get(name) in wanted}
