"""Turns a Whisper that a package carries as a model of CTranslate2 into ONNX graphs, with its vocabulary."""

from __future__ import annotations

import shutil
from typing import Any

import onnx

from engine.errors import DataError
from engine.formats.ctranslate2_file import read
from engine.networks.whisper_graph import DECODER, ENCODER, build, config
from engine.step import Options, Step
from engine.store.files import digest, disk_errors, sha256_of

KIND = "WhisperSpec"
VOCABULARY = "tokenizer.json"


class WhisperOptions(Options, frozen=True, kw_only=True):
    """Where the weights are in the need `weights`, and the tokens that frame a text."""

    weights_file: str
    vocabulary_file: str
    prompt: tuple[str, ...]
    end: int


def convert(step: Step) -> dict[str, Any]:
    """Write both graphs of engine.networks.whisper_graph, and the vocabulary.

    Facts: those of a model of two graphs, and `parameters`. Raises DataError where a file is damaged or of another kind.
    """
    options, source = step.read_options(WhisperOptions), step.inputs["weights"].folder
    step.phase("reading the weights")
    kind, weights = read(source / options.weights_file)
    if kind != KIND:
        raise DataError(f"{source / options.weights_file} is a {kind}, no Whisper", "give a Whisper of CTranslate2")
    form = config(weights)
    step.phase("writing the graphs")
    files = {part: f"{part}.onnx" for part in (ENCODER, DECODER)}
    with disk_errors(step.output):
        for part, graph in build(weights, name="whisper").items():
            onnx.save(graph, step.output / files[part])
        shutil.copyfile(source / options.vocabulary_file, step.output / VOCABULARY)
    layers = range(form.decoder_layers)
    return {
        "model": files,
        "format": "onnx",
        "outputs": {
            ENCODER: [f"{part}_{layer}" for layer in layers for part in ("key", "value")],
            DECODER: ["next", *(f"new_{part}_{layer}" for layer in layers for part in ("key", "value"))],
        },
        "sha256": digest("\n".join(f"{file} {sha256_of(step.output / file)}" for file in files.values())),
        "task_options": {"prompt": [int(one) for one in options.prompt], "end": options.end},
        "task_files": {"vocabulary": VOCABULARY},
        "starting_weights_filename": options.weights_file,
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
        "weight_transformations": "CTranslate2's fp16 weights written as ONNX in fp32",
        "parameters": sum(values.size for values in weights.values()),
    }
