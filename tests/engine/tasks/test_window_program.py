"""The program of windows: any sessions and batches give the bytes of one plain loop, in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.base import Array, Shapes, TensorSpec
from engine.backends.graph import Graph
from engine.errors import DataError, RunError
from engine.facts import Ragged
from engine.harness.samples import SampleLibrary
from engine.tasks.programs import MODEL, OpenGraphs
from engine.tasks.window_program import WAITING, VolumeOptions, Windows, batch_sizes
from engine.tasks.windows import patch, places, within

SIZE, STRIDE = (4, 4, 4), (2, 2, 2)
OPTIONS = VolumeOptions(window=SIZE, stride=STRIDE)
SHAPES = ((4, 4, 4), (6, 4, 8), (8, 6, 6), (4, 10, 4), (6, 6, 6))
CLASSES = 3


def net(x: Array) -> Array:
    """Logits of a voxel by itself and its neighbour: exact, and often equal."""
    near = np.roll(x, 1, axis=-1)
    return np.stack([x * 0, np.rint(x), np.rint(near) - 1]).astype(np.float32)


class Binding:
    def __init__(self, runner: Runner, inputs: Array) -> None:
        self.inputs: tuple[Array, ...] = (inputs,)
        self._runner = runner

    def run(self) -> tuple[Array, ...]:
        return (self._runner.answer(self.inputs[0]),)


class Runner:
    """A model of exact arithmetic that takes its time; the memory of its outputs is used again."""

    def __init__(self, batch: int | None = None, *, last: bool = False, classes: int = CLASSES) -> None:
        self.inputs: tuple[TensorSpec, ...] = (
            TensorSpec("input", (batch, 1, *SIZE) if not last else (batch, *SIZE, 1), "float32"),
        )
        self.outputs: tuple[TensorSpec, ...] = (
            TensorSpec("output", (batch, classes, *SIZE) if not last else (batch, *SIZE, classes), "float32"),
        )
        self.batches: list[int] = []
        self._last, self._rng = last, np.random.default_rng(3)
        self._lock = Lock()
        self._memory: dict[tuple[int, ...], Array] = {}

    def bind(self, shapes: Shapes) -> Binding:
        assert not isinstance(shapes, int)
        return Binding(self, np.full(shapes[0], 9, np.float32))

    def answer(self, x: Array) -> Array:
        assert self._lock.acquire(blocking=False), "one session runs on one thread"
        time.sleep(self._rng.random() / 1000)
        self.batches.append(len(x))
        logits = np.stack([net(one.reshape(one.shape[1:] if not self._last else one.shape[:-1])) for one in x])
        logits = np.moveaxis(logits, 1, -1) if self._last else logits
        memory = self._memory.setdefault(logits.shape, np.empty_like(logits))
        memory[...] = logits
        self._lock.release()
        return memory

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> SampleLibrary:
    """Volumes of several shapes, all loaded."""
    return made(tmp_path_factory.mktemp("volumes"), SHAPES)


def made(folder: Path, shapes: Sequence[tuple[int, ...]]) -> SampleLibrary:
    sizes = [int(np.prod(one)) for one in shapes]
    rng = np.random.default_rng(7)
    np.save(folder / "values.npy", (rng.random(sum(sizes)) * 3).astype(np.float32))
    np.save(folder / "offsets.npy", np.cumsum([0, *sizes]))
    np.save(folder / "shapes.npy", np.array(shapes))
    files = Ragged(*(str(folder / f"{name}.npy") for name in ("values", "offsets", "shapes")))
    found = SampleLibrary([files], len(shapes))
    found.load(range(len(shapes)))
    return found


def opens(runners: Sequence[Runner]) -> list[OpenGraphs]:
    def opener(runner: Runner) -> OpenGraphs:
        return lambda: {MODEL: Graph(runner)}

    return [opener(one) for one in runners]


def plain(volume: Array) -> bytes:
    """The rules' loop over one volume."""
    weights = patch(SIZE)
    result, norm = np.zeros((CLASSES, *volume.shape), np.float32), np.zeros(volume.shape, np.float32)
    for place in places(volume.shape, SIZE, STRIDE):
        where = within(place, SIZE)
        result[(slice(None), *where)] += net(volume[where]) * weights
        norm[where] += weights
    return bytes((result / norm).argmax(axis=0).astype(np.uint8).tobytes())


@settings(deadline=None, max_examples=30)
@given(
    indices=st.lists(st.integers(0, len(SHAPES) - 1), min_size=1, max_size=6),
    sessions=st.integers(1, 4),
    batch=st.integers(1, 5),
    fixed=st.booleans(),
    last=st.booleans(),
)
def test_answers_are_the_bytes_of_the_plain_loop(
    library: SampleLibrary, indices: list[int], sessions: int, batch: int, fixed: bool, last: bool
) -> None:
    runners = [Runner(batch if fixed else None, last=last) for _ in range(sessions)]
    program = Windows(opens(runners), library, msgspec.structs.replace(OPTIONS, channels="last" if last else "first"))
    program.prepare(batch)
    warm = [list(one.batches) for one in runners]
    assert warm == [[batch]] * sessions, "each session was warmed up"
    answers = [(one.data.tobytes(), one.sizes) for one in program.answers(indices)]
    volumes = [library.sample(0, index) for index in indices]
    assert answers == [(plain(one), one.size) for one in volumes]
    windows = sum(len(places(one.shape, SIZE, STRIDE)) for one in volumes)
    assert program.done == windows
    if not fixed:
        assert sum(sum(one.batches[1:]) for one in runners) == windows
    program.close()


def test_few_batches_wait_for_a_slow_one(library: SampleLibrary) -> None:
    started: list[int] = []

    class Slow(Runner):
        def answer(self, x: Array) -> Array:
            started.append(1)
            return super().answer(x)

    program = Windows(opens([Slow(), Slow()]), library, OPTIONS)
    program.prepare(1)
    started.clear()
    answers = program.answers([2] * 10)
    next(answers)  # the first volume is there, and nobody asks for the next one
    time.sleep(0.1)
    first = len(places(SHAPES[2], SIZE, STRIDE))
    assert len(started) <= first + 2 * WAITING
    answers.close()
    program.close()


def test_a_whole_volume_is_one_window(library: SampleLibrary) -> None:
    program = Windows(opens([Runner()]), library, VolumeOptions(window=None))
    program.prepare(8)
    (answer,) = program.answers([1])
    assert answer.data.tobytes() == net(library.sample(0, 1)).argmax(axis=0).astype(np.uint8).tobytes()
    program.close()


def test_the_first_error_of_a_session_ends_the_query_and_names_the_sample(library: SampleLibrary) -> None:
    class Broken(Runner):
        def answer(self, x: Array) -> Array:
            if len(self.batches) > 3:
                raise RunError("the model failed", "mend it")
            return super().answer(x)

    program = Windows(opens([Broken(), Broken()]), library, OPTIONS)
    program.prepare(1)
    with pytest.raises(RunError, match=r"sample 2: the model failed"):
        list(program.answers([2]))
    program.close()


@pytest.mark.parametrize(
    ("runner", "options", "says"),
    [
        (Runner(), VolumeOptions(window=(8, 4, 4), stride=SIZE), r"sample 0 has 4 × 4 × 4 voxels, a window 8 × 4 × 4"),
        (Runner(last=True), OPTIONS, r"the model takes input float32\[None, 4, 4, 4, 1\]"),
        (
            Runner(),
            VolumeOptions(window=SIZE, stride=STRIDE, threshold=0.5),
            r"gives output float32\[None, 3, 4, 4, 4\]",
        ),
    ],
)
def test_what_does_not_fit_is_named(library: SampleLibrary, runner: Runner, options: VolumeOptions, says: str) -> None:
    with pytest.raises(DataError, match=says):
        Windows(opens([runner]), library, options)


def test_samples_that_are_no_volumes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not volumes"):
        Windows(opens([Runner()]), made(tmp_path, [(4, 4)]), OPTIONS)


@given(st.integers(0, 100), st.integers(1, 8), st.integers(1, 5))
def test_the_last_round_is_divided_evenly(windows: int, batch: int, sessions: int) -> None:
    sizes = list(batch_sizes(windows, batch, sessions))
    assert sum(sizes) == windows
    assert all(0 < one <= batch for one in sizes)
    last = sizes[-sessions:]
    assert not last or max(last) - min(last) <= max(last) - 1
    assert len(sizes) <= -(-windows // batch) + sessions
