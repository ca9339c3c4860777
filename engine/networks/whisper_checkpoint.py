"""Turns the rules' Whisper, which is published as a safetensors file, into ONNX graphs with the weights beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx

from engine.formats import safetensors_file
from engine.networks.beside import WEIGHTS, Beside
from engine.networks.whisper_graph import DECODER, ENCODER, build, graph_facts
from engine.step import Options, Step
from engine.store.files import disk_errors

Array = np.ndarray[Any, np.dtype[Any]]

VOCABULARY = "tokenizer.json"
_PLACES = {
    "encoder/conv1": "model.encoder.conv1",
    "encoder/conv2": "model.encoder.conv2",
    "encoder/position_encodings/encodings": "model.encoder.embed_positions.weight",
    "decoder/position_encodings/encodings": "model.decoder.embed_positions.weight",
    "decoder/embeddings": "model.decoder.embed_tokens",
    "encoder/layer_norm": "model.encoder.layer_norm",
    "decoder/layer_norm": "model.decoder.layer_norm",
}
_PARTS = {
    "self_attention/layer_norm": ("self_attn_layer_norm",),
    "self_attention/linear_0": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attention/linear_1": ("self_attn.out_proj",),
    "attention/layer_norm": ("encoder_attn_layer_norm",),
    "attention/linear_0": ("encoder_attn.q_proj",),
    "attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
    "attention/linear_2": ("encoder_attn.out_proj",),
    "ffn/layer_norm": ("final_layer_norm",),
    "ffn/linear_0": ("fc1",),
    "ffn/linear_1": ("fc2",),
}
"""Of a layer: our names → the published ones, which are put one below the other."""
_ENDS = {"gamma": "weight", "beta": "bias"}


class WhisperCheckpointOptions(Options, frozen=True, kw_only=True):
    """The files of the needs, and the tokens that frame a text."""

    weights_file: str
    vocabulary_file: str
    heads: int
    prompt: tuple[str, ...]
    end: int


class Published(Mapping[str, Array]):
    """The published weights by the names of engine.networks.whisper_graph, each made when it is asked for."""

    def __init__(self, tensors: Mapping[str, Array], heads: int) -> None:
        self._tensors, self._heads = tensors, heads

    def __getitem__(self, name: str) -> Array:
        if name == "decoder/num_heads":
            return np.array(self._heads)
        place, _, end = name.rpartition("/")
        if name in _PLACES or place in _PLACES:
            return self._tensors[_PLACES.get(name) or f"{_PLACES[place]}.{_ENDS.get(end, end)}"]
        part, layer, rest = place.split("/", 2)
        start = f"model.{part}.layers.{layer.removeprefix('layer_')}"
        found = [self._part(f"{start}.{one}", _ENDS.get(end, end)) for one in _PARTS[rest]]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def _part(self, place: str, end: str) -> Array:
        if end == "bias" and place.endswith("k_proj"):  # keys have none
            return np.zeros(len(self._tensors[f"{place}.weight"]), np.float32)
        return self._tensors[f"{place}.{end}"]

    def __iter__(self) -> Iterator[str]:
        for name in self._tensors:
            if name.endswith(".fc1.bias"):
                _, part, _, layer, *_ = name.split(".")
                yield f"{part}/layer_{layer}/ffn/linear_0/bias"

    def __len__(self) -> int:
        return len(self._tensors)


def convert(step: Step) -> dict[str, Any]:
    """Write both graphs and the vocabulary, from the needs `weights` and `vocabulary`; the weights go into a file.

    Facts: those of a model of two graphs. Raises DataError where a file is damaged or of another network.
    """
    options = step.read_options(WhisperCheckpointOptions)
    tensors = safetensors_file.read_tensors(step.inputs["weights"].folder / options.weights_file)
    source = Published(tensors, options.heads)
    with disk_errors(step.output), (step.output / WEIGHTS).open("wb") as file:
        beside = Beside(file, step, sum(one.size for one in tensors.values()))
        for part, graph in build(source, name="whisper", store=beside.store).items():
            onnx.save(graph, step.output / f"{part}.onnx")
        shutil.copyfile(step.inputs["vocabulary"].folder / options.vocabulary_file, step.output / VOCABULARY)
    return {
        **graph_facts(source, step.output, [f"{ENCODER}.onnx", f"{DECODER}.onnx", WEIGHTS]),
        "task_options": {"prompt": [int(one) for one in options.prompt], "end": options.end},
        "task_files": {"vocabulary": VOCABULARY},
        "starting_weights_filename": options.weights_file,
        "weight_transformations": "published fp16 weights written as ONNX in fp32",
        "shared_bytes": (step.output / WEIGHTS).stat().st_size,
        "parameters": sum(values.size for values in tensors.values()),
    }
