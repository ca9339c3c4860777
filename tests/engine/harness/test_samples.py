"""The query sample library, over files in a temporary folder."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backends.base import TensorSpec
from engine.errors import DataError, RunError
from engine.facts import Ragged
from engine.harness.samples import SampleLibrary


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("samples")
    np.save(folder / "a.npy", np.arange(40, dtype=np.float32).reshape(20, 2))
    np.save(folder / "b.npy", np.arange(20, dtype=np.int64))
    return [folder / "a.npy", folder / "b.npy"]


@given(st.lists(st.integers(0, 19), min_size=1, max_size=30), st.data())
def test_loaded_samples_come_back_in_the_order_asked_for(
    files: list[Path], loaded: list[int], data: st.DataObject
) -> None:
    library = SampleLibrary(files, 20)
    library.load(loaded)
    asked = data.draw(st.lists(st.sampled_from(loaded), min_size=1, max_size=40))
    outs = (np.full((41, 2), -1, np.float32), np.full(41, -1, np.int64))
    library.gather(asked, outs)
    assert outs[0][: len(asked)].tolist() == [[2 * index, 2 * index + 1] for index in asked]
    assert outs[1].tolist() == asked + [-1] * (41 - len(asked))


def test_samples_that_are_not_loaded_are_never_made_up(files: list[Path]) -> None:
    library = SampleLibrary(files, 20)
    outs = (np.zeros((2, 2), np.float32), np.zeros(2, np.int64))
    library.load([3, 4])
    library.load([5])
    for asked in ([3], [5, 4]):
        with pytest.raises(KeyError):
            library.gather(asked, outs)
    library.unload([5])
    with pytest.raises(KeyError):
        library.gather([5], outs)


@pytest.mark.parametrize("count", [0, 21])
def test_a_performance_set_must_fit_the_data_set(files: list[Path], count: int) -> None:
    assert SampleLibrary(files, 20).count == 20
    with pytest.raises(RunError, match=f"20 samples, performance_sample_count is {count}"):
        SampleLibrary(files, count)


def test_files_of_different_length_are_refused(files: list[Path], tmp_path: Path) -> None:
    np.save(tmp_path / "short.npy", np.zeros(19))
    with pytest.raises(DataError, match=r"\[19, 20\] samples"):
        SampleLibrary([files[0], tmp_path / "short.npy"], 5)


def npy(header: str) -> bytes:
    """Return the file of an array with this header and without data."""
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"no array at all",
        npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**30},)}}"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,"),
    ],
)
def test_a_file_that_is_no_array_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.npy"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.npy"):
        SampleLibrary([path], 1)


def test_missing_empty_and_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "empty.npy", np.zeros((0, 3)))
    np.save(tmp_path / "pickled.npy", np.array([{}], object), allow_pickle=True)
    os.mkfifo(tmp_path / "pipe.npy")
    for name in ("missing.npy", "empty.npy", "pickled.npy", "pipe.npy"):
        with pytest.raises(DataError, match=name):
            SampleLibrary([tmp_path / name], 1)


@pytest.mark.parametrize(
    "inputs",
    [
        (TensorSpec("a", (None, 2), "float32"),),
        (TensorSpec("a", (None, 3), "float32"), TensorSpec("b", (None,), "int64")),
        (TensorSpec("a", (None, 2), "float16"), TensorSpec("b", (None,), "int64")),
        (TensorSpec("a", (None, 2, 1), "float32"), TensorSpec("b", (None,), "int64")),
    ],
)
def test_samples_that_do_not_fit_the_model_are_refused(files: list[Path], inputs: tuple[TensorSpec, ...]) -> None:
    library = SampleLibrary(files, 5)
    library.check((TensorSpec("a", (None, None), "float32"), TensorSpec("b", (1,), "int64")))
    with pytest.raises(DataError):
        library.check(inputs)


@pytest.fixture(scope="module")
def ragged(tmp_path_factory: pytest.TempPathFactory) -> Ragged:
    """Sample i is i rows of two numbers i; sample 0 is empty."""
    folder = tmp_path_factory.mktemp("ragged")
    lengths = np.arange(20)
    np.save(folder / "values.npy", np.repeat(lengths, lengths)[:, None] * np.ones((1, 2), np.int64))
    np.save(folder / "offsets.npy", np.concatenate(([0], np.cumsum(lengths))))
    return Ragged(str(folder / "values.npy"), str(folder / "offsets.npy"))


@given(st.lists(st.integers(0, 19), min_size=1, max_size=30), st.data())
def test_ragged_samples_are_padded_with_zeros(ragged: Ragged, loaded: list[int], data: st.DataObject) -> None:
    library = SampleLibrary([ragged], 20)
    assert library.lengths is not None
    assert library.lengths.tolist() == list(range(20))
    library.load(loaded)
    asked = data.draw(st.lists(st.sampled_from(loaded), min_size=1, max_size=40))
    out = np.full((41, 20, 2), -1)
    library.gather(asked, [out])
    for row, index in zip(out, asked, strict=False):
        assert (row[:index] == index).all()
        assert (row[index:] == 0).all()
    assert (out[len(asked) :] == -1).all()
    assert all(library.sample(0, index).shape == (index, 2) for index in asked)


def test_samples_have_shapes_of_their_own(tmp_path: Path) -> None:
    shapes = np.array([[1, 2, 3], [2, 2, 2], [0, 5, 1]])
    np.save(tmp_path / "values.npy", np.arange(14, dtype=np.float32))
    np.save(tmp_path / "offsets.npy", np.array([0, 6, 14, 14]))
    np.save(tmp_path / "shapes.npy", shapes)
    library = SampleLibrary([Ragged(*(str(tmp_path / f"{one}.npy") for one in ("values", "offsets", "shapes")))], 3)
    library.check((TensorSpec("x", (1, None, None, None), "float32"),))
    library.load([2, 1, 0])
    for index, shape in enumerate(shapes):
        assert library.sample(0, index).shape == tuple(shape)
    assert library.sample(0, 1).ravel().tolist() == list(range(6, 14))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("offsets", np.array([0, 1], np.int32)),
        ("offsets", np.array([0, 3, 2, 4])),
        ("offsets", np.array([0, 2, 5])),
        ("offsets", np.array([1, 2, 4])),
        ("shapes", np.array([[2], [3]])),
        ("shapes", np.array([[2, 1]])),
    ],
)
def test_ragged_files_that_do_not_belong_together_are_refused(
    tmp_path: Path, name: str, array: np.ndarray[Any, np.dtype[Any]]
) -> None:
    arrays = {"values": np.zeros(4), "offsets": np.array([0, 2, 4]), "shapes": np.array([[2], [2]]), name: array}
    for one, content in arrays.items():
        np.save(tmp_path / f"{one}.npy", content)
    files = Ragged(*(str(tmp_path / f"{one}.npy") for one in ("values", "offsets", "shapes")))
    with pytest.raises(DataError, match=rf"{name}\.npy"):
        SampleLibrary([files], 1)
