"""A transducer in plain numpy, as PyTorch defines its layers: one sample and one step at a time, in float64."""

from collections.abc import Mapping

import numpy as np

from engine.backends.base import Array
from engine.networks.transducer import TransducerConfig


def random_weights(form: TransducerConfig, seed: int = 1) -> dict[str, Array]:
    """Weights by the names of `form.shapes()`."""
    random = np.random.default_rng(seed)
    return {name: random.normal(0, 0.4, shape).astype(np.float32) for name, shape in form.shapes().items()}


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def step(
    weights: Mapping[str, Array], name: str, layer: int, x: Array, hidden: Array, cell: Array
) -> tuple[Array, Array]:
    """One step of a layer: hidden and cell state after it."""
    ih, hh, bias_ih, bias_hh = (
        weights[f"{name}.{part}_l{layer}"].astype(np.float64)
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    entry, forget, new, output = np.split(ih @ x + bias_ih + hh @ hidden + bias_hh, 4)
    cell = sigmoid(forget) * cell + sigmoid(entry) * np.tanh(new)
    return sigmoid(output) * np.tanh(cell), cell


def layers(weights: Mapping[str, Array], name: str, count: int, x: Array) -> Array:
    """All layers over a whole sequence [T,I], from zero states: [T,H]."""
    for layer in range(count):
        width = weights[f"{name}.weight_hh_l{layer}"].shape[1]
        hidden, cell, every = np.zeros(width), np.zeros(width), []
        for frame in x:
            hidden, cell = step(weights, name, layer, frame, hidden, cell)
            every.append(hidden)
        x = np.array(every)
    return x


def encoder(form: TransducerConfig, weights: Mapping[str, Array], x: Array) -> Array:
    """[T,F] to [ceil(T/2),E]."""
    x = layers(weights, "encoder.pre_rnn.lstm", form.before, x)
    if len(x) % 2:
        x = np.concatenate([x, np.zeros((1, x.shape[1]))])
    return layers(weights, "encoder.post_rnn.lstm", form.after, x.reshape(len(x) // 2, -1))


def prediction(form: TransducerConfig, weights: Mapping[str, Array], symbols: list[int]) -> Array:
    """[U+1,P] for the start and then each symbol."""
    x = np.concatenate([np.zeros((1, form.prediction)), weights["prediction.embed.weight"][symbols]])
    return layers(weights, "prediction.dec_rnn.lstm", form.prediction_layers, x)


def joint(weights: Mapping[str, Array], encoded: Array, predicted: Array) -> Array:
    """Logits [S]."""
    inner = weights["joint.net.0.weight"] @ np.concatenate([encoded, predicted]) + weights["joint.net.0.bias"]
    logits: Array = weights["joint.net.3.weight"] @ np.maximum(inner, 0) + weights["joint.net.3.bias"]
    return logits
