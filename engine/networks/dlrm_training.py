"""Trains a small deep learning recommendation model (Naumov et al. 2019) with NumPy, in seconds.

The tables learn with AdaGrad (Duchi et al. 2011), of which a step touches only the rows that were read, and the layers
with Adam (Kingma and Ba 2015). The loss is the binary cross-entropy.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from engine.tasks.criteo_files import DENSE
from engine.tasks.dlrm_form import Form

Array = np.ndarray[Any, np.dtype[Any]]

BATCH = 512
RATE, TABLE_RATE = 0.003, 0.05
"""Of the first step, for the layers and the tables. They go down to 0 in a straight line."""


class Batch(NamedTuple):
    """Some rows."""

    dense: Array
    """log(count + 1), float32 [B, 13]."""
    indices: Array
    """Integers [B, 26]."""
    labels: Array
    """0 or 1, float32 [B]."""

    @classmethod
    def of(cls, rows: Array) -> Batch:
        """Return rows in the form of Criteo's test file, int32 [B, 40], as the rules' reference reads them."""
        dense = np.log(rows[:, 1 : 1 + DENSE].astype(np.float32) + np.float32(1))
        return cls(dense, rows[:, 1 + DENSE :], rows[:, 0].astype(np.float32))


def batches(rows: Array) -> Iterator[Batch]:
    """Yield rows in batches of BATCH, without those that are left over."""
    for start in range(0, len(rows) - BATCH + 1, BATCH):
        yield Batch.of(rows[start : start + BATCH])


class DlrmNetwork:
    """A model in training, which starts from the weights that the reference's training starts from."""

    def __init__(self, form: Form, seed: int) -> None:
        random = np.random.default_rng(seed)
        self._lower = np.flatnonzero(np.tri(1 + len(form.tables), k=-1))
        self._tables = _Tables(form, random)
        self._bottom = _Layers((DENSE, *form.bottom), random)
        self._top = _Layers((form.width + form.interactions, *form.top), random, last_is_linear=True)
        self._adam = _Adam([*self._bottom.parameters(), *self._top.parameters()])
        self._vectors: Array = np.empty(0)

    def learn(self, batch: Batch, left: float) -> float:
        """Learn from a batch and return its loss. `left` is the share of the training that is still to come."""
        logit = self._forward(batch)
        count, vectors = len(logit), self._vectors
        # Of the sum over the batch, not of its mean: a rare value is read once in thousands of rows.
        error = 1 / (1 + np.exp(-logit)) - batch.labels
        slope, of_top = self._top.backward(error[:, None])
        width = vectors.shape[2]
        products = np.zeros((count, vectors.shape[1] ** 2), np.float32)
        products[:, self._lower] = slope[:, width:]
        square = products.reshape(count, vectors.shape[1], -1)
        of_vectors = (square + square.transpose(0, 2, 1)) @ vectors
        _, of_bottom = self._bottom.backward(slope[:, :width] + of_vectors[:, 0])
        self._tables.step(of_vectors[:, 1:], TABLE_RATE * left)
        self._adam.step([*of_bottom, *of_top], RATE * left)
        return float(np.mean(np.logaddexp(0, logit) - batch.labels * logit))

    def predict(self, batch: Batch) -> Array:
        """Return the probability of a click: float32 [B]."""
        chance: Array = 1 / (1 + np.exp(-self._forward(batch)))
        return chance

    def state(self) -> dict[str, Array]:
        """Return the weights by their names in the form: float32."""
        return {**self._tables.state(), **self._bottom.state("bot_l"), **self._top.state("top_l")}

    def _forward(self, batch: Batch) -> Array:
        dense = self._bottom.forward(batch.dense)
        vectors = self._vectors = np.concatenate([dense[:, None], self._tables.forward(batch.indices)], 1)
        products = (vectors @ vectors.transpose(0, 2, 1)).reshape(len(dense), -1)
        logit: Array = self._top.forward(np.concatenate([dense, products[:, self._lower]], 1))[:, 0]
        return logit


class _Layers:
    """Fully connected layers with rectifiers, and what the last forward pass left for the backward one."""

    def __init__(self, sizes: tuple[int, ...], random: np.random.Generator, *, last_is_linear: bool = False) -> None:
        self._weights = [_normal(random, (after, before), 2 / (before + after)) for before, after in pairwise(sizes)]
        self._biases = [_normal(random, (after,), 1 / after) for after in sizes[1:]]
        self._linear = len(sizes) - 2 if last_is_linear else None
        self._passed: list[tuple[Array, Array]] = []

    def forward(self, x: Array) -> Array:
        self._passed = []
        for number, (weight, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            y: Array = x @ weight.T + bias
            if number != self._linear:
                y = np.maximum(y, 0)
            self._passed.append((x, y))
            x = y
        return x

    def backward(self, slope: Array) -> tuple[Array, list[Array]]:
        """Return the slopes of the inputs, and those of `parameters`."""
        weights, biases = [], []
        for number in reversed(range(len(self._weights))):
            x, y = self._passed[number]
            if number != self._linear:
                slope = slope * (y > 0)
            weights.append(slope.T @ x)
            biases.append(slope.sum(0))
            slope = slope @ self._weights[number]
        return slope, [*reversed(weights), *reversed(biases)]

    def parameters(self) -> list[Array]:
        """Return weights and biases, which a training changes in place."""
        return [*self._weights, *self._biases]

    def state(self, name: str) -> dict[str, Array]:
        weights = {f"{name}.{2 * number}.weight": one for number, one in enumerate(self._weights)}
        return {**weights, **{f"{name}.{2 * number}.bias": one for number, one in enumerate(self._biases)}}


class _Tables:
    """All embedding tables, one below another."""

    def __init__(self, form: Form, random: np.random.Generator) -> None:
        limits = np.repeat([rows**-0.5 for rows in form.tables], form.tables)[:, None]
        self._rows = (limits * random.uniform(-1, 1, (len(limits), form.width))).astype(np.float32)
        self._squares = np.zeros_like(self._rows)
        self._begins = np.cumsum([0, *form.tables[:-1]])
        self._read: Array = np.empty(0)

    def forward(self, indices: Array) -> Array:
        """Return the vectors [B, 26, width] of indices [B, 26]."""
        self._read = indices + self._begins
        return self._rows.take(self._read, 0)

    def step(self, slopes: Array, rate: float) -> None:
        """Learn from the slopes of the vectors that were read last."""
        order = np.argsort(self._read, None, kind="stable")
        rows, first = np.unique(self._read.take(order), return_index=True)
        slope = np.add.reduceat(slopes.reshape(len(order), -1).take(order, 0), first)
        self._squares[rows] += slope * slope
        self._rows[rows] -= np.float32(rate) * slope / (np.sqrt(self._squares[rows]) + np.float32(1e-8))

    def state(self) -> dict[str, Array]:
        tables = np.split(self._rows, self._begins[1:])
        return {f"emb_l.{number}.weight": table for number, table in enumerate(tables)}


class _Adam:
    """Steps for some parameters, which are changed in place. The scale of the slopes does not matter."""

    def __init__(self, parameters: list[Array]) -> None:
        self._parameters = parameters
        self._means = [np.zeros_like(one) for one in parameters]
        self._squares = [np.zeros_like(one) for one in parameters]
        self._steps = 0

    def step(self, slopes: list[Array], rate: float) -> None:
        self._steps += 1
        size = np.float32(rate / (1 - 0.9**self._steps))
        whole = np.float32(1 - 0.999**self._steps)
        for number, slope in enumerate(slopes):
            self._means[number] += np.float32(0.1) * (slope - self._means[number])
            self._squares[number] += np.float32(0.001) * (slope * slope - self._squares[number])
            root = np.sqrt(self._squares[number] / whole) + np.float32(1e-6)
            self._parameters[number] -= size * self._means[number] / root


def _normal(random: np.random.Generator, shape: tuple[int, ...], variance: float) -> Array:
    drawn: Array = variance**0.5 * random.standard_normal(shape)
    return drawn.astype(np.float32)
