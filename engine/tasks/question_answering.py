"""Question answering on SQuAD v1.1: questions → three rows of ids, logits → response, accuracy log → F1.

A sample is as long as its tokens: the rules' script accepts shorter responses, so nothing past the last token is
computed, except the padding of a batch to its longest sample.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.backends.base import TensorSpec
from engine.backends.graph import Graph
from engine.errors import DataError
from engine.mlperf_logs import accuracy_log as accuracy
from engine.step import Step
from engine.store.files import disk_errors
from engine.tasks import squad, squad_eval
from engine.tasks.base import Array, Responses, Samples, Score, TaskOptions
from engine.tasks.programs import MODEL, Padded
from engine.tasks.squad_files import LABELS, VOCABULARY, FeatureOptions, Sources
from engine.tasks.wordpiece import Tokenizer, Vocabulary

OFFSETS = "offsets.npy"

BUCKET = 8
"""Tokens: a batch is padded to a multiple of it, unless the model fixes another length."""

INPUTS = (("input_ids",), ("input_mask", "attention_mask"), ("segment_ids", "token_type_ids"))
"""The tensors of a sample in their order, with their names in models."""

TOKEN_BYTES = 8
"""Of a response: start and end logit of one token, two float32."""

PADDING = -10000.0
"""Logit of tokens missing from a response, as in the rules' script."""

ATTENTION = 6144
"""Length at which attention costs as much as everything else: six times BERT-Large's 1024 hidden units."""

POOR_F1 = 10.0
"""Per cent; random spans reach about 4 (Rajpurkar et al. 2016, section 5)."""

_SHOWN = 5
"""Questions that a message gives as examples."""
_MEASURED = "score with the questions and the vocabulary of the data set that was measured"


def prepare(step: Step) -> dict[str, Any]:
    """Write the features of the dependency `dataset`, tokenised with the dependency `vocabulary`: three ragged tensors.

    These are ids, mask and segments, [tokens] each, of option `dtype` (int64 or int32), in the order of INPUTS. The
    sample set also holds the questions, the first `count` or all, and the vocabulary, from which `score` recomputes the
    features. Facts: `arrays`, `count` (features), `labels`, `questions`. Raises DataError for an invalid file.
    """
    options = step.read_options(FeatureOptions)
    sources = Sources.of(step.inputs["dataset"], step.inputs["vocabulary"])
    questions = squad.read(sources.questions)[: options.count]
    tokenizer = Tokenizer(Vocabulary.read(sources.vocabulary))
    _warn_of_cuts(step, sources.questions, questions, tokenizer)
    found = list(_reported(step, squad.features(questions, tokenizer), len(questions)))
    facts = write(step.output, found, tokenizer, options.dtype, sources.questions)
    with disk_errors(step.output):
        if options.count:
            (step.output / LABELS).write_bytes(squad.first(sources.questions, options.count))
        else:
            shutil.copyfile(sources.questions, step.output / LABELS)
        shutil.copyfile(sources.vocabulary, step.output / VOCABULARY)
    return {**facts, "labels": LABELS, "questions": len(questions)}


def _warn_of_cuts(step: Step, file: Path, questions: Sequence[squad.SquadQuestion], tokenizer: Tokenizer) -> None:
    """Warn of questions that are truncated, as by the rules."""
    long = [one.id for one in questions if len(tokenizer.tokens(one.text)) > squad.LONGEST_QUERY]
    if long:
        shown = ", ".join([*long[:_SHOWN], *(["..."] if len(long) > _SHOWN else [])])
        what = f"{len(long)} questions have more than {squad.LONGEST_QUERY} tokens, and are truncated: {shown}"
        step.warn(f"{file.name}: {what}")


def _reported(step: Step, features: Iterator[squad.Feature], total: int) -> Iterator[squad.Feature]:
    for number, one in enumerate(features):
        if number % 1000 == 0:
            step.progress(one.question, total, "questions")
        yield one
    step.progress(total, total, "questions")


def write(
    folder: Path, features: Sequence[squad.Feature], tokenizer: Tokenizer, dtype: str, source: Path
) -> dict[str, Any]:
    """Write features as a sample set. Facts: `arrays`, `count`. Raises DataError if there are none; `source` names
    their file."""
    if not features:
        raise DataError(f"{source}: no context has a token", "give a file with text in it")
    unknown = tokenizer.ids["[UNK]"]
    ids = [tokenizer.ids.get(token, unknown) for one in features for token in one.tokens]
    lengths = [len(one.tokens) for one in features]
    segments = [np.arange(len(one.tokens)) >= one.start for one in features]
    tensors = (np.array(ids), np.ones(len(ids)), np.concatenate(segments))
    names = [f"{names[0]}.npy" for names in INPUTS]
    with disk_errors(folder):
        for name, tensor in zip(names, tensors, strict=True):
            np.save(folder / name, tensor.astype(dtype))
        np.save(folder / OFFSETS, np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))))
    return {"arrays": [{"values": name, "offsets": OFFSETS} for name in names], "count": len(features)}


class PaddingOptions(TaskOptions, frozen=True):
    """How batches of a model are padded."""

    bucket: int = BUCKET
    """Tokens: the padded length is a multiple of it."""


OPTIONS = PaddingOptions


def program(graphs: Mapping[str, Graph], samples: Samples, model: PaddingOptions) -> Padded:
    """Return the program of a session: batches padded to their longest sample, in whole buckets.

    Raises DataError if the model's inputs are not INPUTS or of another type.
    """
    graph = graphs[MODEL]
    return Padded(graph, _Ordered(samples, _order(graph)), respond, bucket=model.bucket)


def _order(graph: Graph) -> list[int]:
    """Return for each input of a graph its tensor of a sample: the order differs between files."""
    known = {name: number for number, names in enumerate(INPUTS) for name in names}
    found = [spec.name.removesuffix(":0") for spec in graph.inputs]
    order = [known.get(name, -1) for name in found]
    if sorted(order) != list(range(len(INPUTS))):
        raise DataError(
            f"the model's inputs are {', '.join(found)}",
            "question answering needs " + ", ".join(" or ".join(names) for names in INPUTS),
        )
    return order


class _Ordered:
    """Samples with their tensors in a graph's input order."""

    def __init__(self, samples: Samples, order: Sequence[int]) -> None:
        self._samples = samples
        self._order = order
        self._places = [order.index(number) for number in range(len(order))]
        self.lengths, self.shapes = samples.lengths, samples.shapes

    def check(self, inputs: Sequence[TensorSpec]) -> None:
        self._samples.check([inputs[place] for place in self._places])

    def gather(self, indices: Sequence[int], outs: Sequence[Array]) -> None:
        self._samples.gather(indices, [outs[place] for place in self._places])

    def sample(self, number: int, index: int) -> Array:
        return self._samples.sample(self._order[number], index)


def respond(outputs: Sequence[Array], indices: Sequence[int], lengths: Sequence[int]) -> Responses:
    """Return both logits of each token of a sample, interleaved: float32 [length,2].

    Outputs: start and end logits, float32 [B,L] each, or one output [B,L,2]. Raises DataError for others.
    """
    count, longest = len(indices), max(lengths)
    shapes = [array.shape for array in outputs]
    answer = np.empty((sum(lengths), 2), np.float32)
    if len(shapes) == 2 and all(len(one) == 2 and one[0] == count and one[1] >= longest for one in shapes):
        _interleave(outputs, lengths, answer)
    elif len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][0] == count and shapes[0][2] == 2:
        np.concatenate([row[:length] for row, length in zip(outputs[0], lengths, strict=True)], out=answer)
    else:
        raise DataError(
            f"the model's outputs are {', '.join(str(list(one)) for one in shapes)} for {count} samples",
            "question answering needs start and end logits, [batch,length] each, or one output [batch,length,2]",
        )
    return Responses(answer, [TOKEN_BYTES * length for length in lengths])


def _interleave(outputs: Sequence[Array], lengths: Sequence[int], answer: Array) -> None:
    place = 0
    for row, length in enumerate(lengths):
        own = answer[place : place + length]
        own[:, 0] = outputs[0][row, :length]
        own[:, 1] = outputs[1][row, :length]
        place += length


def cost(samples: Samples, model: PaddingOptions) -> Array | None:
    """Return the cost of each sample in tokens, int64 [N]: its length, plus the square for the attention."""
    lengths = samples.lengths
    return None if lengths is None else lengths + lengths * lengths // ATTENTION


def score(log: Path, labels: Path, *, transposed: bool = False) -> Score:
    """Return exact match and F1 as the rules' accuracy-squad.py prints them, over all questions of the sample set.

    Arguments and errors are those of `answers`. A question without an answered sample counts as answered with `empty`,
    as in the rules' script, which scores the sampled logs of TEST01 in the same way.
    """
    found = answers(log, labels, transposed=transposed)
    figures = squad_eval.evaluate(found.questions, found.texts)
    return Score(
        text=json.dumps(figures._asdict()) + "\n",
        metric="F1",
        value=figures.f1,
        good=None,
        total=found.samples,
        warning=_warning(figures, found.unanswered, len(found.questions)),
    )


class Answers(NamedTuple):
    """A log's answers to the questions of a sample set."""

    questions: Sequence[squad.SquadQuestion]
    texts: Sequence[str]
    """One for each question."""
    samples: int
    """How many were answered."""
    unanswered: int
    """Questions without an answered sample."""


def answers(log: Path, labels: Path, *, transposed: bool = False) -> Answers:
    """Return the answers in an accuracy log; `labels` is the questions file of a sample set.

    `transposed`: responses are all start logits, then all end logits. The last answer to a sample counts. Raises
    DataError for malformed logs and files, for a response shorter than its sample, which features in another order
    give, or longer than 384 tokens, and for logits that are not finite.
    """
    questions = squad.read(labels)
    features = list(squad.features(questions, Tokenizer(Vocabulary.read(labels.parent / VOCABULARY))))
    best: dict[int, squad_eval.Span | None] = {}
    for record in accuracy.records(log):
        index = record.qsl_idx
        if not 0 <= index < len(features):
            raise DataError(f"{log}: sample {index} is no feature of {labels}, which has {len(features)}", _MEASURED)
        feature = features[index]
        what = f"{log}: the answer for sample {index} (question {questions[feature.question].id})"
        logits = _logits(record.data, len(feature.tokens), what, transposed=transposed)
        best[index] = squad_eval.best_span(feature, logits)
    if not best:
        raise DataError(f"{log}: no sample was answered", "run in accuracy mode again")
    spans: list[list[squad_eval.Span | None]] = [[] for _ in questions]
    for index in sorted(best):
        spans[features[index].question].append(best[index])
    texts = [squad_eval.answer(question, own) for question, own in zip(questions, spans, strict=True)]
    return Answers(questions, texts, len(best), sum(not own for own in spans))


def _logits(data: bytes, length: int, what: str, *, transposed: bool) -> Array:
    """Return the logits of a response of `length` tokens, padded as by the rules: float32 [384,2]."""
    count, rest = divmod(len(data), TOKEN_BYTES)
    if rest or not length <= count <= squad.LONGEST:
        raise DataError(
            f"{what} has {len(data)} bytes; its feature has {length} tokens of {TOKEN_BYTES}",
            f"{_MEASURED}: features in another order give this, an empty answer means that the sample failed",
        )
    numbers = np.frombuffer(data, "<f4")
    if not np.isfinite(numbers).all():
        raise DataError(f"{what} has a number that is not finite", "the model or its quantisation is damaged: check it")
    logits = np.full((squad.LONGEST, 2), PADDING, np.float32)
    logits[:count] = numbers.reshape(2, count).T if transposed else numbers.reshape(count, 2)
    return logits


def _warning(figures: squad_eval.Figures, unanswered: int, total: int) -> str:
    if unanswered:
        return f"{unanswered} of {total} questions were not answered, and count as wrong"
    if figures.f1 < POOR_F1:
        return "random spans give about 4, and so do a vocabulary of another model and features in another order"
    return ""
