"""Quantizes the LSTMs of a model of several graphs to int8, without calibration samples.

Weights become int8, symmetric, with a scale for each row of a gate. Activations become uint8 while the model runs, with
one scale for each input of a layer and for the hidden state of each step, by their least and greatest value in the
batch: what a sample is answered may depend on the samples beside it. The form is DynamicQuantizeLSTM, which is ONNX
Runtime's own operator. Everything else stays in fp32; of the rules' RNN-T that is 2 % of the weights, among them the
layer that gives the scores.
"""

from __future__ import annotations

from typing import Any

import onnx
from onnxruntime.quantization import QuantizationMode, QuantType
from onnxruntime.quantization.onnx_quantizer import ONNXQuantizer

from engine.errors import DataError
from engine.facts import QUANTIZATION, ModelFacts
from engine.networks.transducer import save
from engine.step import Step
from engine.steps.models.quantize import FULL, kept_facts, transformed, warn_of_overflow

LSTM = "LSTM"


def quantize(step: Step) -> dict[str, Any]:
    """Write the graphs of the need `fp32` with their LSTMs in int8; inputs and outputs keep names, shapes and types.

    Option: `weight_bits` (8 or 7). Facts: those of engine.steps.models.quantize.quantize, without `calibration`. Raises
    DataError where a model has one graph only, or no LSTM.
    """
    fp32 = step.inputs["fp32"]
    source = fp32.read(ModelFacts)
    paths = source.paths(fp32.folder)
    bits = int(step.options["weight_bits"])
    warn_of_overflow(step, bits)
    graphs = {name: onnx.load(path) for name, path in paths.items()} if isinstance(paths, dict) else {}
    recurrent = [name for name, graph in graphs.items() if any(node.op_type == LSTM for node in graph.graph.node)]
    if not recurrent:
        raise DataError(f"{fp32.folder}: the model has no LSTM in several graphs", "leave out _int8")
    for number, name in enumerate(recurrent):
        step.progress(number, len(recurrent), "graphs")
        graphs[name] = _quantized(graphs[name], reduce=bits < FULL)
    limit = "" if bits == FULL else f" of {bits} bits"
    done = (
        f"dynamic {QUANTIZATION} of the LSTMs (ONNX Runtime DynamicQuantizeLSTM): weights int8{limit}, "
        "symmetric, a scale for each output channel; activations uint8, scaled while the model runs; all else in fp32"
    )
    return {
        **save(graphs, step.output),
        **kept_facts(fp32),
        "weight_data_types": "int8",
        "input_data_types": source.input_data_types,
        "weight_transformations": transformed(source.weight_transformations, done),
    }


def _quantized(model: onnx.ModelProto, *, reduce: bool) -> onnx.ModelProto:
    quantizer = ONNXQuantizer(
        model,
        per_channel=True,
        reduce_range=reduce,
        mode=QuantizationMode.IntegerOps,
        static=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=None,
        nodes_to_quantize=[],
        nodes_to_exclude=[],
        op_types_to_quantize=[LSTM],
        extra_options={"WeightSymmetric": True},
    )
    quantizer.quantize_model()
    done: onnx.ModelProto = quantizer.model.model
    return done
