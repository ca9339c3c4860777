"""Builds a stand-in for the rules' RNN-T: its exact graphs and arithmetic, but weights that anyone can make.

How long an utterance takes depends on its length and on how many symbols come out of it: each is one more step of
prediction and joint. So the weights are random but for the joint's biases, which are set on generated speech: the
blank wins as often as it does where people read aloud. What it answers means nothing: an accuracy can't be measured
with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime

from engine.datasets.utterances import UtteranceSet
from engine.networks.transducer import ENCODER, GATES, JOINT, PREDICTION, Form, build as graphs_of, save
from engine.step import Step
from engine.tasks.speech_features import Features

Array = np.ndarray[Any, np.dtype[Any]]

BLANK_SHARE = 0.53
"""Of the joint's answers that are the blank. LibriSpeech's dev-clean up to 15 s has 44,349 words, or some 235,000
symbols with the blanks between words, in 4.36 h, which are 262,000 frames of 60 ms: 262 / (262 + 235)."""
MOST_SYMBOLS = 30
"""Of one frame; the rules stop there."""
UTTERANCES = 12
ROUNDS = 12
"""Halvings of the interval in which the blank's bias is sought."""
INPUT_GAIN, STATE_GAIN = 4.0, 1.0
"""Deviation of an LSTM's weights, times the root of their number for a unit: from the layer below, and from the step
before. The first lets sound through all layers; much more of the second, and rounding errors grow from step to step."""
FAINTEST = 1e-3
"""Variance of a direction of the encoder, as a share of the strongest one's, below which it is not made stronger."""
PAIRS = 2000
"""Of a frame and a symbol, with which the symbols are made equally frequent."""
CONTRAST, BLANK_CONTRAST = 1.5, 8.0
"""The same of the joint's last layer, for all symbols and for the blank."""


def build(step: Step) -> dict[str, Any]:
    """Write the three graphs of engine.networks.transducer, in the sizes of the rules' RNN-T. Option: `seed`.

    Facts beside the usual: `stand_in`, `parameters`, and `blank_share`, measured on UTTERANCES generated utterances.
    """
    return build_form(step, Form())


def build_form(step: Step, form: Form) -> dict[str, Any]:
    """Do what `build` says with a network of other sizes."""
    seed = int(step.options["seed"])
    step.phase("making weights")
    weights = _random(form, np.random.default_rng(seed))
    step.phase("listening to generated speech")
    encoded = _encoded(form, weights, seed)
    _centre(form, weights, encoded)
    step.phase("setting the blank's bias")
    share = _set_blank(step, form, weights, encoded)
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


def _random(form: Form, random: np.random.Generator) -> dict[str, Array]:
    """Return normal weights, and biases of 0."""
    weights: dict[str, Array] = {}
    for name, shape in form.shapes().items():
        weights[name] = np.zeros(shape, np.float32)
        if len(shape) == 2:
            gain = 1.0 if "embed" in name else (STATE_GAIN if "_hh_" in name else INPUT_GAIN) / np.sqrt(shape[1])
            weights[name] = random.standard_normal(shape, np.float32) * np.float32(gain)
    weights |= _joint(form, random)
    return weights


def _joint(form: Form, random: np.random.Generator) -> dict[str, Array]:
    """Return the weights of a joint whose blank depends on how sound and symbols go together, and on neither alone.

    Otherwise one frame would go on emitting once it did, and one silence never end. The units stand in fours: of what
    a unit hears on either side, a and c, they have the positive parts of a + c, -a - c, a - c and c - a. Of these the
    blank gets |a + c| - |a - c|, which for a given a is as often positive as negative, and for a given c, too.
    """
    fours = form.joint // 4
    sound, symbols = random.standard_normal((fours, form.encoder)), random.standard_normal((fours, form.prediction))
    both, apart = np.hstack([sound, symbols]), np.hstack([sound, -symbols])
    last = random.standard_normal((form.symbols, form.joint)) * CONTRAST / np.sqrt(form.joint)
    blank = random.standard_normal(fours) * BLANK_CONTRAST / np.sqrt(form.joint)
    last[-1, : 4 * fours] = np.concatenate([blank, blank, -blank, -blank])
    first = np.zeros((form.joint, form.encoder + form.prediction))
    first[: 4 * fours] = np.concatenate([both, -both, apart, -apart])
    return {"joint.net.0.weight": first.astype(np.float32), "joint.net.3.weight": last.astype(np.float32)}


def _encoded(form: Form, weights: Mapping[str, Array], seed: int) -> list[Array]:
    """Return what the encoder makes of generated utterances: each float32 [T,E]."""
    run = _runner(form, weights, ENCODER)
    features, utterances = Features(form.features // 3), UtteranceSet(seed, UTTERANCES, "calibration")
    found = []
    for index in range(utterances.count):
        x = features.of(utterances.utterance(index).audio)
        found.append(run({"x": x[:, None], "lengths": np.array([len(x)])})[0][0])
    return found


def _centre(form: Form, weights: dict[str, Array], encoded: Sequence[Array]) -> None:
    """Change the joint's first layer so that what it hears on either side varies by 1, around 0, and quickly.

    Most of what the encoder says changes slowly; with all its directions made equally strong, a frame differs from the
    one before.
    """
    sides = [np.concatenate(encoded), _predicted(form, weights)]
    parts = np.split(weights["joint.net.0.weight"], [form.encoder], axis=1)
    heard = []
    for number, (side, part) in enumerate(zip(sides, parts, strict=True)):
        part = part @ _equaliser(side)
        parts[number] = part / (side @ part.T).std(0).mean()
        heard.append((side - side.mean(0)) @ parts[number].T)
    weights["joint.net.0.weight"] = np.concatenate(parts, axis=1).astype(np.float32)
    centre = sum(part @ side.mean(0) for side, part in zip(sides, parts, strict=True))
    weights["joint.net.0.bias"] = -np.asarray(centre, np.float32)
    pairs = zip(*(np.random.default_rng(0).choice(side, PAIRS) for side in heard), strict=True)
    usual = np.mean([np.maximum(sound + symbol, 0) for sound, symbol in pairs], axis=0)
    weights["joint.net.3.bias"] = -(weights["joint.net.3.weight"] @ usual).astype(np.float32)


def _equaliser(values: Array) -> Array:
    """Return the matrix that gives all directions of [n,W] about the same deviation."""
    covariance = np.cov(values.T.astype(np.float64))
    strengths, directions = np.linalg.eigh(covariance)
    least = FAINTEST * strengths[-1]
    return (directions / np.sqrt(np.maximum(strengths, 0) + least)) @ directions.T


def _predicted(form: Form, weights: Mapping[str, Array]) -> Array:
    """Return what the prediction network says after each of a few random symbols, [n,P]."""
    run, random = _runner(form, weights, PREDICTION), np.random.default_rng(0)
    state = np.zeros((form.prediction_layers, 8, form.prediction), np.float32)
    fed, found = {"hidden": state, "cell": state}, []
    for _ in range(20):
        predicted, hidden, cell = run({"symbol": random.integers(form.symbols - 1, size=8), **fed})
        fed = {"hidden": hidden, "cell": cell}
        found.append(predicted)
    return np.concatenate(found)


def _set_blank(step: Step, form: Form, weights: dict[str, Array], encoded: Sequence[Array]) -> float:
    """Set the blank's bias so that BLANK_SHARE of the answers are blanks, and return the share that comes out."""
    decoder = _Decoder(form, weights)
    low, high = -5 * BLANK_CONTRAST, 5 * BLANK_CONTRAST
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

    form: Form
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


def _runner(form: Form, weights: Mapping[str, Array], part: str) -> Callable[[Mapping[str, Array]], list[Array]]:
    """Return what runs one of the graphs on inputs by name."""
    model = graphs_of(form, weights, name="calibration")[part]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda feeds: session.run(None, dict(feeds))  # type: ignore[no-any-return]
