"""Recommendation on Criteo: rows of a sample → click probabilities → accuracy log → AUC.

A sample is 100 to 700 rows, pairs of a user and an item. A response is (prediction, label) for each of them, float32,
from which the rules' script scores without the data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from engine.backends.graph import Graph
from engine.errors import DataError
from engine.mlperf_logs import accuracy_log as accuracy
from engine.step import Artifact, Options, Step
from engine.store.files import disk_errors
from engine.tasks import criteo_files, criteo_rows, criteo_survey, roc
from engine.tasks.base import Array, CalibrationSet, Samples, Score, TaskOptions
from engine.tasks.clicks_calibration import calibration as calibration_of
from engine.tasks.dlrm_program import PAIR_BYTES, Pairs
from engine.tasks.programs import MODEL
from engine.text import clean

DENSE, SPARSE, LABELS, OFFSETS = "dense.npy", "sparse.npy", "labels.npy", "offsets.npy"

COST_ADDS_UP = True
"""A batch is not padded: it costs the sum of its samples."""

POOR_AUC = 55.0
"""Per cent; any order of the predictions gives 50."""
GATHERED = 4096
"""Responses that are put together at once."""

_MEASURED = "score with the sample set that was measured"


class PrepareOptions(Options, frozen=True, kw_only=True):
    """Which rows, and what is done to their indices."""

    count: int | None
    max_ind_range: int | None
    """Indices are taken modulo this, as the reference's reader does; None leaves them."""


def prepare(step: Step) -> dict[str, Any]:
    """Write the samples of the need `dataset`: three ragged tensors in the order of its trace.

    Dense features float32 [pairs,13], log(count + 1); indices int32 [pairs,26]; labels float32 [pairs]. The first
    `count` samples or all. Facts: `arrays`, `count`, `labels`, `pairs`, `text`. Raises DataError that names the file,
    and the row or line, which is not of the reference's form.
    """
    options = step.read_options(PrepareOptions)
    folder = criteo_survey.folder_of(step.inputs["dataset"])
    found = criteo_rows.count_rows(folder)
    offsets = criteo_rows.offsets(folder, found)[: None if options.count is None else options.count + 1]
    rows = int(offsets[-1])
    blocks = criteo_rows.blocks(folder, rows, options.max_ind_range, criteo_rows.sizes(folder))
    with disk_errors(step.output):
        np.save(step.output / OFFSETS, offsets)
        _write(step, blocks, rows)
    count = len(offsets) - 1
    return {
        "arrays": [{"values": name, "offsets": OFFSETS} for name in (DENSE, SPARSE, LABELS)],
        "count": count,
        "labels": OFFSETS,
        "pairs": rows,
        "text": f"{count:,} samples of {rows:,} pairs",
    }


def _write(step: Step, blocks: Iterator[criteo_rows.Block], rows: int) -> None:
    dense = open_memmap(step.output / DENSE, mode="w+", dtype=np.float32, shape=(rows, criteo_files.DENSE))
    sparse = open_memmap(step.output / SPARSE, mode="w+", dtype=np.int32, shape=(rows, criteo_files.CATEGORICAL))
    labels = open_memmap(step.output / LABELS, mode="w+", dtype=np.float32, shape=(rows,))
    done = 0
    for block in blocks:
        part = slice(done, done + len(block.labels))
        dense[part], sparse[part], labels[part] = block
        done = part.stop
        step.progress(done, rows, "pairs")
    for one in (dense, sparse, labels):
        one.flush()


def calibration_samples(step: Step) -> dict[str, Any]:
    """Do what `prepare` does, for calibration: the need `dataset` was generated for it."""
    return {**prepare(step), "what": "generated samples", "by_rules": False}


def calibration(chosen: Artifact, options: Mapping[str, Any]) -> CalibrationSet:
    """Return the calibration set of samples that were prepared for it."""
    return calibration_of(chosen, options)


def program(graphs: Mapping[str, Graph], samples: Samples, model: TaskOptions) -> Pairs:
    """Return the program of a session. Raises DataError where graph or samples are not those of a DLRM."""
    return Pairs(graphs[MODEL], samples)


def cost(samples: Samples, model: TaskOptions) -> Array | None:
    """Return the pairs of each sample, int64 [N]."""
    return samples.lengths


def score(log: Path, labels: Path) -> Score:
    """Return AUC and accuracy of the answered samples as the rules' accuracy-dlrm.py prints them.

    `labels` is OFFSETS of the sample set: a response has one pair for each of its rows. The first answer to a sample
    counts. A prediction is right where it rounds to its label, half to even. Memory: 16 bytes a pair at most, 1.4 GB
    for the rules' 89,137,319. Raises DataError for malformed logs, a response of another length, labels that are not 0
    or 1, predictions that are not finite, and a log with labels of one kind only.
    """
    pairs = np.diff(_offsets(labels))
    answered = _Answered(log, labels, pairs)
    for record in accuracy.records(log):
        answered.take(record)
    positive, negative = answered.finish()
    good = int(np.count_nonzero(np.rint(positive) == 1)) + int(np.count_nonzero(np.rint(negative) == 0))
    total = len(positive) + len(negative)
    value = 100.0 * roc.area(positive, negative)
    text = f"AUC={value:.3f}%, accuracy={100.0 * good / total:.3f}%, good={good}, total={total}"
    return Score(
        text=f"{text}, queries={answered.samples}\n",
        metric="AUC",
        value=value,
        good=None,
        total=answered.samples,
        warning="predictions in any order give 50: check that indices and dictionaries are the model's"
        if value < POOR_AUC
        else "",
    )


def _offsets(path: Path) -> Array:
    try:
        found: Array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{clean(str(path))} cannot be read: {clean(str(error))}", "prepare the data set again"
        ) from None
    if found.ndim != 1 or found.dtype != np.int64 or len(found) < 2:
        raise DataError(f"{clean(str(path))} holds no offsets of samples", "prepare the data set again")
    return found


class _Answered:
    """Collects predictions by their labels, GATHERED responses at a time."""

    def __init__(self, log: Path, labels: Path, pairs: Array) -> None:
        self._log = log
        self._labels = labels
        self._pairs: list[int] = pairs.tolist()
        self._seen = bytearray(len(pairs))
        self._waiting: list[bytes] = []
        self._by_label: tuple[list[Array], list[Array]] = ([], [])
        self.samples = 0

    def take(self, record: accuracy.Record) -> None:
        """Take a response, if it is the first to its sample."""
        index = record.qsl_idx
        if not 0 <= index < len(self._pairs):
            what = f"{self._log}: sample {index} is not in {clean(str(self._labels))}, which has {len(self._pairs)}"
            raise DataError(what, _MEASURED)
        if self._seen[index]:
            return
        if len(record.data) != PAIR_BYTES * self._pairs[index]:
            what = f"the answer for sample {index} has {len(record.data)} bytes"
            raise DataError(f"{self._log}: {what}, {PAIR_BYTES * self._pairs[index]} are expected", _MEASURED)
        self._seen[index] = 1
        self.samples += 1
        self._waiting.append(record.data)
        if len(self._waiting) == GATHERED:
            self._sort_out()

    def finish(self) -> tuple[Array, Array]:
        """Return the predictions of the pairs labelled 1 and of those labelled 0: float32 each."""
        self._sort_out()
        negative, positive = (np.concatenate(parts) if parts else np.empty(0, np.float32) for parts in self._by_label)
        if not len(positive) or not len(negative):
            what = "no sample was answered" if not self.samples else "all labels are the same: there is no AUC"
            raise DataError(f"{self._log}: {what}", "run in accuracy mode again, over all samples")
        return positive, negative

    def _sort_out(self) -> None:
        pairs = np.frombuffer(b"".join(self._waiting), "<f4").reshape(-1, 2)
        self._waiting.clear()
        predictions, labels = pairs[:, 0], pairs[:, 1]
        if not np.isfinite(predictions).all() or not ((labels == 0) | (labels == 1)).all():
            what = "a prediction that is not finite, or a label that is not 0 or 1"
            raise DataError(f"{self._log}: {what}, in the answers up to number {self.samples}", _MEASURED)
        clicked = labels == 1
        self._by_label[0].append(predictions[~clicked])
        self._by_label[1].append(predictions[clicked])
