"""Builds a stand-in for the rules' RNN-T: its exact graphs and arithmetic, but weights that anyone can make.

How long an utterance takes depends on its length and on how many symbols come out of it: each is one more step of
prediction and joint. So encoder and prediction are random, and the joint is made for generated speech: a frame asks for
a symbol, and the blank wins as often as it does where people read aloud. What it answers means nothing: an accuracy
can't be measured with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime

from engine.datasets.utterances import OF_A_SPEAKER, UtteranceSet
from engine.networks.transducer import ENCODER, JOINT, PREDICTION, TransducerConfig, build_part, save
from engine.networks.transducer import build as graphs_of
from engine.standins.options import SeedOptions
from engine.step import Step
from engine.tasks.speech_features import Features

Array = np.ndarray[Any, np.dtype[Any]]

BLANK_SHARE = 0.53
"""Of the joint's answers that are the blank. LibriSpeech's dev-clean up to 15 s has 44,349 words, or some 235,000
symbols with the blanks between words, in 4.36 h, which are 262,000 frames of 60 ms: 262 / (262 + 235)."""
MOST_SYMBOLS = 30
"""Of one frame; the rules stop there."""
UTTERANCES, HELD_OUT = 64, 16
"""Each of another voice; the last HELD_OUT are those by which the blank's bias is set."""
ROUNDS = 12
"""Halvings of the interval in which the blank's bias is sought."""
INPUT_GAIN, STATE_GAIN = 6.0, 1.0
"""Deviation of an LSTM's weights, times the root of their number for a unit: from the layer below, and from the step
before. The first lets sound through all layers; much more of the second, and rounding errors grow from step to step."""
STRONGEST, QUICKEST = 64, 32
"""Of the directions in which encoder or prediction network vary most, those that change most from step to step."""
HIGHEST = 20.0
"""Of the blank's bias, either way; logits vary by about 1."""


def build(step: Step) -> dict[str, Any]:
    """Write the three graphs of engine.networks.transducer, in the sizes of the rules' RNN-T. Option: `seed`.

    Facts beside the usual: `stand_in`, `parameters`, and `blank_share`, measured on HELD_OUT generated utterances.
    """
    return build_form(step, TransducerConfig())


def build_form(step: Step, form: TransducerConfig) -> dict[str, Any]:
    """Do what `build` says with a network of other sizes."""
    seed = step.read_options(SeedOptions).seed
    step.phase("making weights")
    weights = _random(form, np.random.default_rng(seed))
    step.phase("listening to generated speech")
    encoded = _encoded(form, weights, seed)
    weights |= _join(form, weights, encoded[:-HELD_OUT], seed)
    step.phase("setting the blank's bias")
    share = _set_blank(step, form, weights, encoded[-HELD_OUT:])
    return {
        **save(graphs_of(form, weights, name="rnnt-stand-in"), step.output),
        "starting_weights_filename": "encoder.onnx",
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
        "weight_transformations": "none: a stand-in with random weights",
        "stand_in": True,
        "parameters": form.parameters,
        "blank_share": share,
    }


def _random(form: TransducerConfig, random: np.random.Generator) -> dict[str, Array]:
    """Return normal weights, and biases of 0; the joint's are yet to be made."""
    weights: dict[str, Array] = {}
    for name, shape in form.shapes().items():
        weights[name] = np.zeros(shape, np.float32)
        if len(shape) == 2:
            gain = 1.0 if "embed" in name else (STATE_GAIN if "_hh_" in name else INPUT_GAIN) / np.sqrt(shape[1])
            weights[name] = random.standard_normal(shape, np.float32) * np.float32(gain)
    return weights


def _encoded(form: TransducerConfig, weights: Mapping[str, Array], seed: int) -> list[Array]:
    """Return what the encoder makes of generated utterances: each float32 [T,E]."""
    run = _runner(form, weights, ENCODER)
    features, utterances = Features(form.features // 3), UtteranceSet(seed, UTTERANCES * OF_A_SPEAKER, "calibration")
    found = []
    for index in range(0, utterances.count, OF_A_SPEAKER):
        x = features.of(utterances.utterance(index).audio)
        found.append(run({"x": x[:, None], "lengths": np.array([len(x)])})[0][0])
    return found


def _join(
    form: TransducerConfig, weights: Mapping[str, Array], encoded: Sequence[Array], seed: int
) -> dict[str, Array]:
    """Return the weights of a joint that says of each frame which symbol it asks for, and the blank once it was said.

    A frame asks for the symbol whose code is most like what the encoder says, and the prediction network's answer to a
    symbol is its code. The units stand in fours: of what one hears on either side, a and c, they have the positive
    parts of a + c, -a - c, a - c and c - a. From these a symbol gets 2a, times its code, and the blank gets
    |a + c| - |a - c|, which is large where a and c are alike.
    """
    random, fours = np.random.default_rng([seed, 1]), form.joint // 4
    predicted, last = _predicted(form, weights)
    sound, sound_shift = _heard(
        random, fours, np.concatenate(encoded), np.concatenate([np.diff(one, axis=0) for one in encoded])
    )
    said, said_shift = _heard(random, fours, predicted, predicted)
    codes = np.array([(predicted[last == symbol] @ said.T + said_shift).mean(0) for symbol in range(form.symbols - 1)])
    rest = form.joint - 4 * fours
    inner = np.concatenate([np.hstack([sign * sound, sign * other * said]) for other in (1, -1) for sign in (1, -1)])
    shift = np.concatenate([sign * (sound_shift + other * said_shift) for other in (1, -1) for sign in (1, -1)])
    symbols, blank = np.hstack([codes, -codes, codes, -codes]), np.repeat([1.0, 1.0, -1.0, -1.0], fours)
    outer = np.vstack([symbols, blank]) / (2 * np.sqrt(fours))
    return {
        "joint.net.0.weight": np.pad(inner, ((0, rest), (0, 0))).astype(np.float32),
        "joint.net.0.bias": np.pad(shift, (0, rest)).astype(np.float32),
        "joint.net.3.weight": np.pad(outer, ((0, 0), (0, rest))).astype(np.float32),
    }


def _heard(random: np.random.Generator, count: int, values: Array, changes: Array) -> tuple[Array, Array]:
    """Return weights [count,W] and biases of random views of [n,W] that vary by 1 around 0, and quickly.

    `changes` [m,W] are those from step to step. Most of what an encoder says changes slowly, and a frame would ask for
    the same symbol as the one before.
    """
    strengths, directions = np.linalg.eigh(np.cov(values.T.astype(np.float64)))
    equal = directions[:, -STRONGEST:] / np.sqrt(strengths[-STRONGEST:])
    _, turns = np.linalg.eigh(np.cov((changes @ equal).T))
    quickest = equal @ turns[:, -QUICKEST:]
    views = random.standard_normal((count, quickest.shape[1])) @ quickest.T
    views /= (values @ views.T).std(0)[:, None]
    return views, -views @ values.mean(0)


def _predicted(form: TransducerConfig, weights: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return what the prediction network says after each of some random symbols [n,P], and these symbols [n].

    Each comes three times in a row: it is to be known by its answer after itself, too, or it would be said for ever.
    """
    run, batch, symbols = _runner(form, weights, PREDICTION), 4 * (form.symbols - 1), form.symbols - 1
    state = np.zeros((form.prediction_layers, batch, form.prediction), np.float32)
    random, fed, found = np.random.default_rng(0), {"hidden": state, "cell": state}, []
    order = [one for _ in range(6) for one in [random.permutation(batch) % symbols] * 3]
    for one in order:
        predicted, hidden, cell = run({"symbol": one, **fed})
        fed = {"hidden": hidden, "cell": cell}
        found.append(predicted)
    return np.concatenate(found), np.concatenate(order)


def _set_blank(step: Step, form: TransducerConfig, weights: dict[str, Array], encoded: Sequence[Array]) -> float:
    """Set the blank's bias so that BLANK_SHARE of the answers are blanks, and return the share that comes out."""
    decoder = _Decoder(form, weights)
    low, high = -HIGHEST, HIGHEST
    tried: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        decoder.bias = (low + high) / 2
        share = decoder.blank_share(encoded)
        tried.append((share, decoder.bias))
        low, high = (decoder.bias, high) if share < BLANK_SHARE else (low, decoder.bias)
        step.progress(number + 1, ROUNDS, "rounds")
    share, bias = min(tried, key=lambda one: abs(one[0] - BLANK_SHARE))
    weights["joint.net.3.bias"][-1] += bias
    return share


@dataclass
class _Decoder:
    """Greedy decoding of one utterance after the other, with a bias that the graph does not have yet."""

    form: TransducerConfig
    weights: Mapping[str, Array]
    bias: float = 0.0

    def __post_init__(self) -> None:
        self._predict = _runner(self.form, self.weights, PREDICTION)
        self._join = _runner(self.form, self.weights, JOINT)

    def blank_share(self, encoded: Sequence[Array]) -> float:
        """Return how many of the answers about these utterances are the blank."""
        frames = sum(map(len, encoded))
        return frames / (frames + sum(map(self._symbols, encoded)))

    def _symbols(self, encoded: Array) -> int:
        """Return how many symbols come out of [T,E]."""
        form, count = self.form, 0
        zeros = np.zeros((form.prediction_layers, 1, form.prediction), np.float32)
        predicted, hidden, cell = self._predict({"symbol": np.array([-1]), "hidden": zeros, "cell": zeros})
        for frame in encoded:
            for _ in range(MOST_SYMBOLS):
                [logits] = self._join({"encoded": frame[None], "predicted": predicted})
                logits[0, -1] += self.bias
                symbol = int(logits[0].argmax())
                if symbol == form.symbols - 1:
                    break
                count += 1
                fed = {"symbol": np.array([symbol]), "hidden": hidden, "cell": cell}
                predicted, hidden, cell = self._predict(fed)
        return count


def _runner(
    form: TransducerConfig, weights: Mapping[str, Array], part: str
) -> Callable[[Mapping[str, Array]], list[Array]]:
    """Return what runs one of the graphs on inputs by name."""
    model = build_part(part, form, weights, name="calibration")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda feeds: session.run(None, dict(feeds))
