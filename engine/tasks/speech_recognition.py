"""Speech recognition on LibriSpeech: audio → symbols of a transducer → accuracy log → word error rate.

Features are part of what the rules time, so a sample is audio as it was recorded. A response is the symbols as int64,
none for silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from engine.backends.graph import Graph
from engine.errors import DataError
from engine.step import Step
from engine.store.files import disk_errors
from engine.tasks import speech_audio, speech_features, speech_files, speech_manifest
from engine.tasks.base import Array, Samples, Score, TaskOptions
from engine.tasks.rnnt_program import Transducer
from engine.tasks.speech_manifest import ALPHABET
from engine.tasks.transcripts import score_of
from engine.tasks.word_errors import errors
from engine.text import clean

LABELS = "manifest.json"
"""The utterances of a sample set in the form of the rules' manifest, with which their script scores too."""
AUDIO = "audio.npy"
OFFSETS = "offsets.npy"

ONE_THREAD = ("prediction", "joint")
"""Graphs that run on one thread in every session. Their steps take a few hundred microseconds: a second thread hardly
shortens that, and while it waits for the next one it takes processor time from the encoder (ONNX Runtime spins)."""


def prepare(step: Step, longest: float = speech_manifest.LONGEST) -> dict[str, Any]:
    """Write the audio of the need `dataset`, in the order of its own manifest or that of the need `manifest`.

    One ragged tensor, int16 [samples], 16 kHz: the first `count` utterances of at most `longest` seconds, or all.
    Facts: `arrays`, `count`, `labels`, `text`. Raises DataError that names the file which is missing, damaged, of
    another form or of another length than the manifest says.
    """
    dataset = step.inputs["dataset"]
    source = speech_files.manifest(dataset, step.inputs["manifest"])
    count = step.read_options(speech_files.SpeechSetOptions).count
    utterances = speech_manifest.read(source, longest)[:count]
    tree = speech_files.with_audio(dataset)
    lengths = [one.samples for one in utterances]
    facts = write(step, (audio(source, one.name, tree, one.samples) for one in utterances), lengths)
    with disk_errors(step.output):
        (step.output / LABELS).write_bytes(speech_manifest.write(utterances))
    hours = sum(lengths) / speech_features.RATE / 3600
    return {**facts, "labels": LABELS, "text": f"{len(utterances):,} utterances, {hours:.2f} h"}


def write(step: Step, audio: Iterable[Array], lengths: Sequence[int]) -> dict[str, Any]:
    """Write audio, int16 [n] each of these lengths, as a sample set. Facts: `arrays`, `count`."""
    offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    with disk_errors(step.output):
        np.save(step.output / OFFSETS, offsets)
        values = open_memmap(step.output / AUDIO, mode="w+", dtype=np.int16, shape=(int(offsets[-1]),))
        for number, one in enumerate(audio):
            if number % 50 == 0:
                step.progress(number, len(lengths), "utterances")
            values[offsets[number] : offsets[number + 1]] = one
        values.flush()
    step.progress(len(lengths), len(lengths), "utterances")
    return {"arrays": [{"values": AUDIO, "offsets": OFFSETS}], "count": len(lengths)}


def audio(source: Path, name: str, tree: speech_files.SpeechTree, samples: int | None = None) -> Array:
    """Return the audio of an utterance that the file `source` names, int16 [n].

    Raises DataError that names the file which is missing, damaged, of another form, or not `samples` long.
    """
    path = tree.file(name)
    if not path.is_file():
        raise DataError(
            f"{clean(str(source))} names {clean(name)}, and there is no {clean(str(path))}",
            "give the whole data set, or a list of what is there",
        )
    found = speech_audio.read(path)
    if samples not in (None, len(found)):
        raise DataError(
            f"{clean(str(path))} has {len(found)} samples, and {clean(str(source))} says {samples}",
            "take both as they were published, or correct the manifest",
        )
    return found


def program(graphs: Mapping[str, Graph], samples: Samples, model: TaskOptions) -> Transducer:
    """Return the program of a session. Raises DataError where graphs or samples are not those of a transducer."""
    return Transducer(graphs, samples)


def cost(samples: Samples, model: TaskOptions) -> Array | None:
    """Return what each sample costs, int64 [N]: rows of features, of 30 ms each."""
    return None if samples.lengths is None else speech_features.rows(samples.lengths)


def score(log: Path, labels: Path) -> Score:
    """Return the word error rate over the samples that a log answers, as the rules' accuracy_eval.py prints it.

    The value is 100 % less that rate, below zero where there are more errors than words; the rate is the figure `wer`.

    Where a sample was answered twice, as in a log of TEST01, its first answer counts; the rules' script takes the log
    of an accuracy run for granted, which has each sample once. Raises DataError for malformed logs and manifests, a
    response that is no int64 symbols of ALPHABET, and a log that answers no word.
    """
    utterances = speech_manifest.read(labels)
    poor = "a model of another alphabet does this, or audio in another order"
    return score_of(log, labels, utterances, ALPHABET, lambda text, right: errors([(text, right)]), poor=poor)
