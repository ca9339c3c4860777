"""The program of a transducer: what a batch answers is what each of its samples answers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends import onnxruntime
from engine.backends.base import Array, BackendOptions, Shapes, TensorSpec
from engine.backends.graph import Graph
from engine.errors import DataError
from engine.facts import Ragged
from engine.harness.model import GraphFile, Model
from engine.harness.samples import SampleLibrary
from engine.networks import letters_net
from engine.tasks import speech_recognition as task
from engine.tasks.base import TaskOptions
from engine.tasks.rnnt_program import MOST_SYMBOLS, GreedyDecoder, Transducer, rounded
from engine.tasks.speech_features import Features
from engine.tasks.speech_manifest import BLANK
from tests.engine.networks.running import step
from tests.engine.tasks import speech_cases as cases
from tests.engine.tasks import transducer_model

WIDTH, LAYERS = 3, 2
LENGTHS = (481, 24_000, 5_123, 16_000, 16_161, 9_600, 31_999, 481, 20_480, 12_345, 641, 7_000)


class FakeBinding:
    """Inputs that a function of exact arithmetic makes outputs of."""

    def __init__(self, inputs: tuple[Array, ...], function: Any) -> None:
        self.inputs = inputs
        self._function = function

    def run(self) -> tuple[Array, ...]:
        outputs: tuple[Array, ...] = self._function(*self.inputs)
        return outputs


class FakeRunner:
    """A model of whole numbers, each sample of a batch apart."""

    def __init__(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...], function: Any) -> None:
        self.inputs, self.outputs = inputs, outputs
        self._function = function

    def bind(self, shapes: Shapes) -> FakeBinding:
        assert not isinstance(shapes, int)
        left_over = tuple(np.full(one, 5, spec.dtype) for one, spec in zip(shapes, self.inputs, strict=True))
        return FakeBinding(left_over, self._function)

    def close(self) -> None:
        """Nothing is held."""


def predict(symbol: Array, hidden: Array, cell: Array) -> tuple[Array, ...]:
    after = (hidden * 3 + symbol[None, :, None] + np.arange(WIDTH) + 1) % 61
    return (after[0] + cell[1]) % 61, after, (cell * 5 + after) % 61


def join(encoded: Array, predicted: Array) -> tuple[Array, ...]:
    mixed = (7 * encoded.sum(axis=1) + predicted @ np.array([1, 3, 9])).astype(np.int64)
    logits = (mixed[:, None] * 31 + np.arange(BLANK + 1) ** 2 * 17) % 101
    logits[:, BLANK] += np.where(encoded[:, 0] % 10 == 7, -1000, 45)
    return (logits.astype(np.float32),)


def spec(name: str, *shape: int | None, dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name, shape, dtype)


def fake_graphs() -> dict[str, Graph]:
    state = [spec(name, LAYERS, None, WIDTH) for name in ("hidden", "cell", "hidden_out", "cell_out")]
    return {
        "prediction": Graph(
            FakeRunner(
                (spec("symbol", None, dtype="int64"), *state[:2]), (spec("predicted", None, WIDTH), *state[2:]), predict
            )
        ),
        "joint": Graph(
            FakeRunner((spec("encoded", None, 2), spec("predicted", None, WIDTH)), (spec("logits", None, 29),), join)
        ),
    }


def one_by_one(encoded: Array, length: int) -> list[int]:
    """Decode an utterance as the rules' reference does, with the prediction network recomputed at every step."""
    said: list[int] = []
    hidden, cell = np.zeros((LAYERS, 1, WIDTH), np.float32), np.zeros((LAYERS, 1, WIDTH), np.float32)
    for frame in range(length):
        for _ in range(MOST_SYMBOLS):
            last = np.array([said[-1] if said else -1])
            predicted, hidden_after, cell_after = predict(last, hidden, cell)
            (logits,) = join(encoded[frame : frame + 1], predicted)
            best = int(logits[0].argmax())
            if best == BLANK:
                break
            said.append(best)
            hidden, cell = hidden_after, cell_after
    return said


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=11), st.integers(0, 1000))
def test_batched_decoding_is_that_of_one_utterance_after_another(lengths: list[int], seed: int) -> None:
    draw = np.random.default_rng(seed)
    encoded = draw.integers(0, 50, (len(lengths), max(*lengths, 1), 2)).astype(np.float32)
    decoder = GreedyDecoder(fake_graphs())
    found = decoder.decode(encoded, np.array(lengths))
    assert found == [one_by_one(rows, length) for rows, length in zip(encoded, lengths, strict=True)]
    assert found == [
        decoder.decode(encoded[place : place + 1], np.array([length]))[0] for place, length in enumerate(lengths)
    ]


def test_the_fake_says_several_symbols_a_frame_and_no_end_of_them() -> None:
    encoded = np.random.default_rng(1).integers(0, 50, (1, 80, 2)).astype(np.float32)
    counts = np.diff([len(one_by_one(encoded[0], frames)) for frames in range(81)])
    assert {0, 1, 2, MOST_SYMBOLS} <= set(counts.tolist())


def library(folder: Path, lengths: Sequence[int] = LENGTHS) -> SampleLibrary:
    audio = [cases.audio(number, length) for number, length in enumerate(lengths)]
    np.save(folder / "audio.npy", np.concatenate(audio))
    np.save(folder / "offsets.npy", np.array([0, *np.cumsum(lengths)], np.int64))
    found = SampleLibrary([Ragged(str(folder / "audio.npy"), str(folder / "offsets.npy"))], len(lengths))
    found.load(range(len(lengths)))
    return found


def running(paths: Mapping[str, str], samples: SampleLibrary, backend: ModuleType = onnxruntime) -> Transducer:
    graphs = {name: GraphFile(Path(path), ()) for name, path in paths.items()}
    found = Model(backend, task, TaskOptions(), graphs).program(samples, BackendOptions())
    assert isinstance(found, Transducer)
    return found


def answers(program: Transducer, indices: Sequence[int]) -> list[list[int]]:
    found = program.infer(indices)
    assert isinstance(found.sizes, list)
    assert found.data.dtype == np.int64
    ends = np.cumsum([size // 8 for size in found.sizes])[:-1]
    return [one.tolist() for one in np.split(found.data, ends)]


def test_a_batch_of_any_samples_answers_as_each_alone(tmp_path: Path) -> None:
    samples = library(tmp_path)
    program = running(transducer_model.write(tmp_path / "model"), samples)
    program.prepare(len(LENGTHS))
    alone = [answers(program, [index])[0] for index in range(len(LENGTHS))]
    assert len({tuple(one) for one in alone}) == len(alone)
    for indices in ([*range(12)], [3, 0], [11, 4, 4, 8, 1], [6, 2, 9]):
        assert answers(program, indices) == [alone[index] for index in indices]
    program.close()


def test_what_a_sample_is_encoded_to_does_not_depend_on_its_batch(tmp_path: Path) -> None:
    samples = library(tmp_path)
    program = running(transducer_model.write(tmp_path / "model"), samples)
    features = Features(transducer_model.FEATURES // 3)
    rows = [features.of(samples.sample(0, index)) for index in range(len(LENGTHS))]
    encoded, lengths = program._encoded(rows)
    assert lengths.tolist() == [-(-len(one) // 2) for one in rows]
    for place, one in enumerate(rows):
        (alone,), _ = program._encoded([one])
        np.testing.assert_allclose(encoded[place, : lengths[place]], alone[: lengths[place]], rtol=0, atol=1e-5)


def test_openvino_answers_as_onnx_runtime_alone_and_in_batches(tmp_path: Path) -> None:
    openvino: Any = pytest.importorskip("engine.backends.openvino", reason="needs pip install 'inferdeck[openvino]'")
    samples = library(tmp_path)
    (tmp_path / "model").mkdir()
    shipped = letters_net.shipped(step(tmp_path / "model", {}))
    paths = {name: str(tmp_path / "model" / file) for name, file in shipped["model"].items()}
    by_onnxruntime, by_openvino = (running(paths, samples, backend) for backend in (onnxruntime, openvino))
    by_openvino.prepare(5)
    for indices in ([0, 1, 2, 3, 4], [7], [11, 4, 10], [5, 6, 8, 9]):
        assert answers(by_openvino, indices) == answers(by_onnxruntime, indices)
    by_openvino.close()


def test_a_model_that_never_says_blank_stops_at_thirty_symbols_a_frame(tmp_path: Path) -> None:
    samples = library(tmp_path, (4_800, 481))
    found = answers(running(transducer_model.write(tmp_path / "model", blank=-1e9), samples), [0, 1])
    assert [len(one) for one in found] == [MOST_SYMBOLS * 5, MOST_SYMBOLS]


def test_a_model_that_says_only_blank_answers_nothing(tmp_path: Path) -> None:
    samples = library(tmp_path, (4_800, 481))
    program = running(transducer_model.write(tmp_path / "model", blank=1e9), samples)
    assert answers(program, [0, 1]) == [[], []]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda paths: paths.pop("joint"), "graphs encoder, prediction, and no joint"),
        (lambda paths: paths.update(joint=paths["encoder"]), "inputs of the graph joint are x, lengths, not encoded"),
        (lambda paths: paths.update(encoder=paths["joint"]), "inputs of the graph encoder are encoded, predicted"),
    ],
)
def test_another_model_is_refused(tmp_path: Path, change: Any, says: str) -> None:
    paths = transducer_model.write(tmp_path / "model")
    change(paths)
    with pytest.raises(DataError, match=says):
        running(paths, library(tmp_path))


@pytest.mark.parametrize("features", [25, 3 * 129])
def test_an_encoder_of_other_features_is_refused(tmp_path: Path, features: int) -> None:
    paths = transducer_model.write(tmp_path / "model", features=features)
    with pytest.raises(DataError, match=f"the encoder takes {features} features: not 3 frames of at most 128 mel"):
        running(paths, library(tmp_path))


def test_the_steps_of_decoding_run_on_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: dict[str, int] = {}
    load = onnxruntime.load

    def loading(path: Path, options: BackendOptions) -> onnxruntime.OnnxRunner:
        threads[path.stem] = options.intra_op_threads
        return load(path, options)

    monkeypatch.setattr(onnxruntime, "load", loading)
    paths = transducer_model.write(tmp_path / "model")
    graphs = {name: GraphFile(Path(path), ()) for name, path in paths.items()}
    Model(onnxruntime, task, TaskOptions(), graphs).program(
        library(tmp_path), BackendOptions(intra_op_threads=2)
    ).close()
    assert threads == {"encoder": 2, "prediction": 1, "joint": 1}


def test_samples_of_one_shape_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 600), np.int16))
    with pytest.raises(DataError, match="the samples have all one shape"):
        running(transducer_model.write(tmp_path / "model"), SampleLibrary([tmp_path / "x.npy"], 4))


def test_a_graph_is_bound_for_few_batches() -> None:
    sizes = {rounded(count) for count in range(1, 257)}
    assert len(sizes) <= 32, "as many as a graph keeps"
    assert all(count <= rounded(count) <= count * 1.25 for count in range(1, 2000))
