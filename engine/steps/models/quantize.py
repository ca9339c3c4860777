"""Quantizes an ONNX model to int8 without training: the one thing that the closed division allows.

Weights become int8, symmetric, with a scale for each output channel; activations become uint8 with one scale for each
tensor, from the least and greatest value that the calibration samples give. That pair is what processors with 8-bit
dot products multiply fastest: on AVX512-VNNI int8 activations took three times as long. The form is QDQ (a
QuantizeLinear and a DequantizeLinear around each tensor), which every engine that reads ONNX can turn into its own.
An x86 processor without VNNI adds two such products in 16 bits, which overflow; with weights of 7 bits they can't.

The layer that gives the scores stays in fp32, with all after it: it is a two-thousandth of ResNet-50's work and made an
eighth of int8's error. No other layer of ResNet-50 or EfficientNet-Lite0 needed fp32.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import onnx
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.quant_utils import load_model_with_shape_infer

from engine.facts import QUANTIZATION, ModelFacts
from engine.formats import onnx_files
from engine.networks.quantizable import WEIGHTED, QuantizableGraph, prepare, products
from engine.networks.ranges import Ranges, ranges
from engine.step import Artifact, Options, Step
from engine.steps.models.prepared_calibration import prepared_samples
from engine.system import Cpu, detect
from engine.tasks.base import Array, CalibrationOf, CalibrationSet

MODEL = "model.onnx"

QUANTIZED = (*WEIGHTED, "Add", "AveragePool", "Clip", "MaxPool", "Relu")
"""Operators of convolutional networks that are quantized, and no others: whatever is between two weighted ones has to
be int8 too, or each would convert."""

FULL = 8
"""Bits of a weight where the processor supports all eight."""

MOST_IN_ONE_FILE = (1 << 31) - (1 << 26)
"""Bytes of weights that fit into the model file itself: protobuf's limit, less a margin for the graph."""

KEPT = ("format", "layout", "outputs", "task_options", "starting_weights_filename", "retraining", "stand_in")
"""Facts of the fp32 model that also hold for the int8 one."""


class QuantizeOptions(Options, frozen=True, kw_only=True):
    """What is quantized, and how. The task's own calibration may read further options."""

    task: str
    weight_bits: Literal[8, 7]
    """7 for x86 processors without VNNI, where sums of 8-bit products may overflow."""
    operators: tuple[str, ...] | None = None
    """Types that are quantized; None takes QUANTIZED."""
    weights_only: bool = False
    """Whether a MatMul of two activations stays as it is."""


def quantize(step: Step) -> dict[str, Any]:
    """Write `model.onnx`, the int8 form of the need `fp32`, calibrated with the need `calibration`.

    The calibration set is the task's (its function `calibration`), or a prepared sample set where it has none. Inputs
    and outputs keep names, shapes and types. Same model, samples and versions: same bytes. Facts: those of the
    fp32 model in KEPT; `model`, `sha256`, `weight_data_types`, `input_data_types`, `weight_transformations`, and
    `calibration` (CalibratedFacts).

    Raises DataError: no ONNX model, nothing to quantize in it, samples that do not fit its inputs, are broken or
    missing.
    """
    source = step.inputs["fp32"].read(ModelFacts)
    original = step.inputs["fp32"].folder / source.file
    options, calibration = step.read_options(QuantizeOptions), _calibration(step)
    bits = options.weight_bits
    warn_of_overflow(step, bits)
    with TemporaryDirectory(prefix=".int8-", dir=step.output) as scratch:
        step.phase("preparing the graph")
        graph = prepare(original, Path(scratch))
        step.phase("calibrating")
        operators = options.operators or QUANTIZED
        found = ranges(graph.path, operators, _reported(step, calibration, graph))
        step.phase("quantizing")
        _write(graph, found, step.output / MODEL, operators, reduce=bits < FULL, weights_only=options.weights_only)
    kinds = dict.fromkeys(_short(one.dtype) for one in graph.inputs)
    return kept_facts(step.inputs["fp32"]) | {
        "model": MODEL,
        "sha256": onnx_files.checksum(step.output / MODEL),
        "weight_data_types": "int8",
        "input_data_types": ", ".join(kinds),
        "weight_transformations": _transformations(source.weight_transformations, calibration, bits),
        "calibration": {
            "text": calibration.text,
            "by_rules": calibration.by_rules,
            "sha256": calibration.sha256,
        },
    }


def kept_facts(fp32: Artifact) -> dict[str, Any]:
    """Return the facts of the fp32 model that also hold for its int8 form."""
    return {name: fp32.facts[name] for name in KEPT if name in fp32.facts}


def warn_of_overflow(step: Step, bits: int) -> None:
    """Warn where this processor may overflow with weights of so many bits."""
    if bits == FULL and _overflows(detect().cpu):
        step.warn(
            "this processor has no VNNI: sums of 8-bit products may overflow and cost accuracy",
            remedy="--adr.model.weight_bits=7",
        )


def transformed(before: str, done: str) -> str:
    """Return the measurements file's `weight_transformations` after one more; `before` is "none" where it is the
    first."""
    return done if before == "none" else f"{before}; {done}"


def _calibration(step: Step) -> CalibrationSet:
    """Return the calibration set: the task's own, or that of prepared samples."""
    make: CalibrationOf | None = getattr(import_module(step.read_options(QuantizeOptions).task), "calibration", None)
    return (make or prepared_samples)(step.inputs["calibration"], step.options)


def _reported(step: Step, calibration: CalibrationSet, graph: QuantizableGraph) -> Iterator[Mapping[str, Array]]:
    """Yield the batches, reporting how many samples were used."""
    done = 0
    for batch in calibration.batches(graph.inputs):
        done += len(next(iter(batch.values())))
        step.progress(min(done, calibration.count), calibration.count, calibration.unit)
        yield batch
        del batch


def _overflows(cpu: Cpu) -> bool:
    return cpu.architecture.lower() in ("x86_64", "amd64") and not {"avx512_vnni", "avx_vnni"}.intersection(cpu.flags)


def _write(
    graph: QuantizableGraph,
    found: Ranges,
    target: Path,
    operators: tuple[str, ...],
    *,
    reduce: bool,
    weights_only: bool,
) -> None:
    """Write the quantized model, with external data where the weights do not fit into one file."""
    model = load_model_with_shape_infer(graph.path)
    kept = [*graph.scores, *(products(model.graph) if weights_only else ())]
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=reduce,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, found),
        nodes_to_quantize=[],
        nodes_to_exclude=kept,
        op_types_to_quantize=list(operators),
        extra_options={"WeightSymmetric": True},
    )
    quantizer.quantize_model()
    outside = _weight_bytes(quantizer.model.model) > MOST_IN_ONE_FILE
    quantizer.model.save_model_to_file(str(target), outside)


def _weight_bytes(model: onnx.ModelProto) -> int:
    return sum(len(one.raw_data) for one in model.graph.initializer)


def _short(dtype: str) -> str:
    """Return the measurements file's name for a numpy type."""
    return {"float32": "fp32", "float16": "fp16"}.get(dtype, dtype)


def _transformations(before: str, calibration: CalibrationSet, bits: int) -> str:
    limit = "" if bits == FULL else f" of {bits} bits"
    done = (
        f"constants and batch normalisations folded; static {QUANTIZATION} (ONNX QDQ): weights int8{limit}, "
        "symmetric, a scale for each output channel; activations uint8, a scale for each tensor by least and greatest "
        f"value over {calibration.text}; the layer that gives the scores in fp32"
    )
    return transformed(before, done)
