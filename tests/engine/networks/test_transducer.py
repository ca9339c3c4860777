import numpy as np
import pytest

from engine.errors import DataError
from engine.networks.transducer import TransducerConfig, build, checked, onnx_gates
from tests.engine.networks import plain_lstm as plain
from tests.engine.networks.running import run

SMALL = TransducerConfig(
    features=6, encoder=5, before=2, after=2, prediction=4, prediction_layers=2, joint=7, symbols=6
)


def test_the_rules_network_has_the_published_number_of_parameters() -> None:
    assert TransducerConfig().parameters == 45_323_037


@pytest.mark.parametrize("lengths", [[1], [2], [5, 5], [7, 4, 1, 6]])
def test_the_encoder_equals_the_plain_one_for_every_sample_of_a_batch(lengths: list[int]) -> None:
    weights = plain.random_weights(SMALL)
    random = np.random.default_rng(3)
    x = random.normal(0, 1, (max(lengths), len(lengths), SMALL.features)).astype(np.float32)
    found = run(build(SMALL, weights, name="small")["encoder"], {"x": x, "lengths": np.array(lengths)})
    assert found["encoded_lengths"].tolist() == [(length + 1) // 2 for length in lengths]
    assert found["encoded_lengths"].dtype == np.int64
    for number, length in enumerate(lengths):
        wanted = plain.encoder(SMALL, weights, x[:length, number])
        assert np.abs(found["encoded"][number, : len(wanted)] - wanted).max() < 1e-5


@pytest.mark.parametrize("start", [-1, SMALL.symbols - 1])
def test_the_prediction_goes_on_from_its_own_state(start: int) -> None:
    weights, symbols = plain.random_weights(SMALL), [3, 0, 4, 4]
    graph = build(SMALL, weights, name="small")["prediction"]
    state = np.zeros((2, 1, SMALL.prediction), np.float32)
    found, fed = [], {"hidden": state, "cell": state}
    for symbol in [start, *symbols]:
        results = run(graph, {"symbol": np.array([symbol]), **fed})
        fed = {"hidden": results["hidden_out"], "cell": results["cell_out"]}
        found.append(results["predicted"][0])
    assert np.abs(np.array(found) - plain.prediction(SMALL, weights, symbols)).max() < 1e-5


def test_the_prediction_steps_over_a_batch() -> None:
    weights, graph = plain.random_weights(SMALL), build(SMALL, plain.random_weights(SMALL), name="small")["prediction"]
    state = np.zeros((2, 3, SMALL.prediction), np.float32)
    first = run(graph, {"symbol": np.array([-1, -1, -1]), "hidden": state, "cell": state})
    fed = {"hidden": first["hidden_out"], "cell": first["cell_out"]}
    second = run(graph, {"symbol": np.array([0, 2, 4]), **fed})["predicted"]
    for row, symbol in zip(second, [0, 2, 4], strict=True):
        assert np.abs(row - plain.prediction(SMALL, weights, [symbol])[1]).max() < 1e-5


def test_the_joint_equals_the_plain_one() -> None:
    weights, random = plain.random_weights(SMALL), np.random.default_rng(5)
    encoded = random.normal(0, 1, (3, SMALL.encoder)).astype(np.float32)
    predicted = random.normal(0, 1, (3, SMALL.prediction)).astype(np.float32)
    graph = build(SMALL, weights, name="small")["joint"]
    logits = run(graph, {"encoded": encoded, "predicted": predicted})["logits"]
    wanted = [plain.joint(weights, *pair) for pair in zip(encoded, predicted, strict=True)]
    assert np.abs(logits - np.array(wanted)).max() < 1e-5


def test_the_gates_change_their_order() -> None:
    assert onnx_gates(np.repeat([1, 2, 3, 4], 2)).tolist() == [1, 1, 4, 4, 2, 2, 3, 3]


def test_a_missing_an_extra_and_an_odd_tensor_are_named() -> None:
    weights, last = plain.random_weights(SMALL), "joint.net.3.bias"
    assert list(checked(weights, SMALL)) == list(SMALL.shapes())
    for changed, words in (
        ({name: values for name, values in weights.items() if name != last}, r"lacks joint\.net\.3\.bias"),
        (weights | {"encoder.norm": np.zeros(3, np.float32)}, r"has besides encoder\.norm"),
        (weights | {last: np.zeros(5, np.float32)}, r"joint\.net\.3\.bias has the shape \[5\], not \[6\]"),
        (weights | {last: np.zeros(6, np.int64)}, r"joint\.net\.3\.bias \(int64\)"),
        (weights | {last: np.full(6, np.nan, np.float32)}, r"joint\.net\.3\.bias \(float32\)"),
    ):
        with pytest.raises(DataError, match=words):
            checked(changed, SMALL)
