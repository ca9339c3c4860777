"""Makes ONNX models ready to be quantized: names, opset, folded normalisations, and weights in a file of their own
where they are large.

A protobuf message holds two gigabytes at most, and every step that reads one makes copies of it. The weights of large
models therefore stay outside the message, where ONNX Runtime maps them into memory.
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
"""Bytes of a model whose weights go into a file of their own."""
SMALL_TENSOR = 1024
"""Bytes of a tensor that stays in the message, because shapes may be inferred from it."""
WEIGHTS = "prepared.data"
PREPARED = "model.onnx"

WEIGHTED = ("Conv", "Gemm", "MatMul")
"""The operators that an int8 processor speeds up."""
_QUANTIZED_ALREADY = ("DequantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger", "QLinearMatMul")


@dataclass(frozen=True)
class Graph:
    """A prepared model and what is known of it."""

    path: Path
    inputs: tuple[TensorSpec, ...]
    scores: tuple[str, ...]
    """The nodes that give the scores: no other weighted operator comes after them."""


def prepare(original: Path, folder: Path) -> Graph:
    """Write the model as it is quantized into a folder: all nodes have names.

    Batch normalisations are folded into the convolutions before them, constants are computed, and the operators are
    those of opset 13, the first that has a scale for each channel. Raises DataError where it can't be quantized.
    """
    raw = folder / "opset.onnx"
    large = _write_raw(original, raw)
    prepared = folder / PREPARED
    runner = onnxruntime.load(raw, BackendOptions(extra=_settings(prepared, large=large)))
    inputs = runner.inputs
    runner.close()
    for path in (raw, raw.with_suffix(".data")):
        path.unlink(missing_ok=True)
    return Graph(prepared, inputs, _finish(prepared, original))


def _write_raw(original: Path, raw: Path) -> bool:
    """Write the model in opset 13 or later, its weights no longer inputs. Returns whether its weights are outside."""
    files = onnx_files.files(original)
    outside = len(files) > 1
    try:
        model = onnx.load(str(original), load_external_data=False)
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
    """Return how ONNX Runtime folds what can be computed ahead, and writes what comes of it."""
    settings = {"graph_optimization_level": "basic", "optimized_model_filepath": str(prepared)}
    if large:
        settings |= {
            "session.optimized_model_external_initializers_file_name": WEIGHTS,
            "session.optimized_model_external_initializers_min_size_in_bytes": str(SMALL_TENSOR),
            "session.disable_prepacking": "1",
        }
    return settings


def _refuse(model: onnx.ModelProto, original: Path) -> None:
    """Raise DataError where there is nothing to quantize, or it is quantized already."""
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
    """Say whether it is a constant of float32."""
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
    """Name all nodes and say in the file that it was prepared, which the quantizer would advise to do otherwise.

    Returns the nodes that give the scores. Raises DataError where these are all the weighted ones.
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


def products(graph: onnx.GraphProto) -> list[str]:
    """Return the nodes that multiply two activations."""
    weights = {one.name for one in graph.initializer}
    return [node.name for node in graph.node if node.op_type == "MatMul" and not weights.intersection(node.input)]


def float_tensors(model: onnx.ModelProto, operators: Sequence[str]) -> dict[str, int]:
    """Return what operators of these types read and write in float, weights apart: name → element type.

    The model must say the types of its values (onnx.shape_inference).
    """
    weights = {one.name for one in model.graph.initializer}
    known = {
        one.name: one.type.tensor_type.elem_type
        for one in (*model.graph.value_info, *model.graph.output, *model.graph.input)
    }
    used = (name for node in model.graph.node if node.op_type in operators for name in (*node.input, *node.output))
    wanted = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    return {name: known[name] for name in used if name not in weights and known.get(name) in wanted}
