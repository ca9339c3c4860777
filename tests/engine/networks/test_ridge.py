import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.networks import ridge


def blobs(seed: int, count: int, classes: int) -> tuple[ridge.Array, ridge.Array]:
    centres = np.random.default_rng(0).normal(0, 3, (classes, 10))
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    return (centres[labels] + random.standard_normal((count, 10))).astype(np.float32), labels


def test_separated_classes_are_told_apart() -> None:
    weight, bias = ridge.fit(*blobs(1, 200, 5), 5)
    features, labels = blobs(2, 200, 5)
    assert weight.dtype == bias.dtype == np.float32
    assert ((features @ weight.T + bias).argmax(1) == labels).mean() > 0.97


def test_a_feature_that_never_varies_does_no_harm() -> None:
    features, labels = blobs(1, 60, 3)
    features[:, 4] = 7
    weight, bias = ridge.fit(features, labels, 3)
    assert np.isfinite(weight).all()
    assert np.isfinite(bias).all()


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000), st.sampled_from([0.1, 1.0, 30.0]))
def test_left_out_hits_are_those_of_fitting_again(seed: int, strength: float) -> None:
    x, labels = blobs(seed, 24, 3)
    x = x.astype(np.float64)
    x += np.random.default_rng(seed).normal(0, 4, x.shape)
    targets = np.eye(3)[labels] - 1 / 3
    hits = 0
    for place in range(len(x)):
        rest = np.arange(len(x)) != place
        kernel = x[rest] @ x[rest].T + strength * np.eye(len(x) - 1)
        predicted = x[place] @ x[rest].T @ np.linalg.solve(kernel, targets[rest])
        hits += int(predicted.argmax() == labels[place])
    values, vectors = np.linalg.eigh(x @ x.T)
    assert ridge._left_out_hits(values, vectors, vectors.T @ targets, targets, labels, strength) == hits
