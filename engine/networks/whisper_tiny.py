"""Turns a Whisper that a package carries as a model of CTranslate2 into ONNX graphs, with its vocabulary."""

from __future__ import annotations

import shutil
from typing import Any

import onnx

from engine.errors import DataError
from engine.formats.ctranslate2_file import read_tensors
from engine.networks.whisper_graph import build, graph_facts
from engine.step import Options, Step
from engine.store.files import disk_errors

KIND = "WhisperSpec"
VOCABULARY = "tokenizer.json"


class PackagedWhisperOptions(Options, frozen=True, kw_only=True):
    """Where the weights are in the need `weights`, and the tokens that frame a text."""

    weights_file: str
    vocabulary_file: str
    prompt: tuple[str, ...]
    end: int


def convert(step: Step) -> dict[str, Any]:
    """Write both graphs of engine.networks.whisper_graph, and the vocabulary.

    Facts: those of a model of two graphs, and `parameters`. Raises DataError where a file is damaged or of another
    kind.
    """
    options, source = step.read_options(PackagedWhisperOptions), step.inputs["weights"].folder
    step.phase("reading the weights")
    kind, weights = read_tensors(source / options.weights_file)
    if kind != KIND:
        raise DataError(f"{source / options.weights_file} is a {kind}, no Whisper", "give a Whisper of CTranslate2")
    step.phase("writing the graphs")
    with disk_errors(step.output):
        graphs = build(weights, name="whisper")
        for part, graph in graphs.items():
            onnx.save(graph, step.output / f"{part}.onnx")
        shutil.copyfile(source / options.vocabulary_file, step.output / VOCABULARY)
    return {
        **graph_facts(weights, step.output, [f"{part}.onnx" for part in graphs]),
        "task_options": {"prompt": [int(one) for one in options.prompt], "end": options.end},
        "task_files": {"vocabulary": VOCABULARY},
        "starting_weights_filename": options.weights_file,
        "weight_transformations": "CTranslate2's fp16 weights written as ONNX in fp32",
        "parameters": sum(values.size for values in weights.values()),
    }
