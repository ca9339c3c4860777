from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.backends.base import Array
from engine.errors import DataError
from engine.models.torch_pickle import STORAGE_DTYPES, read_state_dict
from tests.engine.models import torch_files as tf

FLOAT = np.dtype("<f4")
SMALL = {"conv.weight": np.arange(12, dtype="<f4").reshape(3, 4), "bn.num_batches_tracked": np.array(7, "<i8")}


def read(data: bytes) -> dict[str, Array]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.pth"
        path.write_bytes(data)
        return {key: array.copy() for key, array in read_state_dict(path).items()}


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=12),
        st.sampled_from(sorted(STORAGE_DTYPES.values())).flatmap(
            lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_what_was_saved_is_read_back(arrays: dict[str, Array], zip_form: bool) -> None:
    found = read(tf.state_dict(arrays, zip_form=zip_form))
    assert list(found) == list(arrays)
    for key, array in arrays.items():
        assert found[key].dtype == array.dtype
        assert found[key].shape == array.shape
        assert found[key].tobytes() == array.tobytes()


def test_views_share_a_storage() -> None:
    storage = np.arange(12, dtype="<f4")
    body = tf.ordered_dict(
        {
            "transposed": tf.tensor("s", FLOAT, 12, (4, 3), (1, 4)),
            "second_row": tf.tensor("s", FLOAT, 12, (4,), (1,), offset=4),
        }
    )
    found = read(tf.legacy(body, {"s": storage}))
    assert np.array_equal(found["transposed"], storage.reshape(3, 4).T)
    assert np.array_equal(found["second_row"], storage.reshape(3, 4)[1])


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [((13,), (1,), 0), ((12,), (1,), 1), ((3, 4), (5, 1), 0), ((2,), (-1,), 0), ((-1,), (1,), 0), ((12,), (1,), -1)],
)
def test_a_tensor_may_not_leave_its_storage(shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> None:
    body = tf.ordered_dict({"w": tf.tensor("s", FLOAT, 12, shape, strides, offset=offset)})
    with pytest.raises(DataError, match=r"weights\.pth"):
        read(tf.legacy(body, {"s": np.zeros(12, "<f4")}))


@pytest.mark.parametrize("call", [("posix", "system"), ("builtins", "exec"), ("os", "mkdir"), ("torch", "load")])
@pytest.mark.parametrize("zip_form", [False, True])
def test_a_call_is_refused_and_not_made(tmp_path: Path, call: tuple[str, str], zip_form: bool) -> None:
    target = tmp_path / "made"
    argument = f"open({str(target)!r}, 'w')" if call[1] == "exec" else f"{'mkdir ' * (call[1] == 'system')}{target}"
    body = tf.name(*call) + tf.tuple_of(tf.text(argument)) + b"R"
    data = tf.zipped(body, {}) if zip_form else tf.legacy(body, {})
    with pytest.raises(DataError, match=rf"asks for {call[0]}\.{call[1]}"):
        read(data)
    assert not target.exists()


def test_a_call_in_front_of_the_state_dict_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "made"
    first = tf.pickled(tf.name("os", "mkdir") + tf.tuple_of(tf.text(str(target))) + b"R")
    with pytest.raises(DataError, match=r"os\.mkdir"):
        read(first + tf.state_dict(SMALL))
    assert not target.exists()


@pytest.mark.parametrize(
    "body",
    [
        tf.name("torch", "FloatStorage") + b")R",
        tf.name("torch._utils", "_rebuild_tensor_v2") + b"}" + tf.text("__call__") + tf.number(1) + b"sb",
        tf.name("torch._utils", "_rebuild_tensor_v2") + b"N}" + tf.text("x") + tf.number(1) + b"s\x86b",
        tf.ordered_dict({"w": tf.number(3)}),
        tf.ordered_dict({"w": tf.name("torch", "FloatStorage")}),
        tf.number(3),
        tf.text("module") + b"Q",
        b"}" + tf.number(1) + tf.contiguous("s", np.zeros(1, "<f4")) + b"s",
    ],
    ids=["storage called", "state set", "slot set", "number", "type", "no dict", "odd id", "unnamed"],
)
def test_anything_but_a_state_dict_is_refused(body: bytes) -> None:
    with pytest.raises(DataError):
        read(tf.legacy(body, {"s": np.zeros(1, "<f4")}))


@given(st.integers(0, len(tf.state_dict(SMALL)) - 1))
def test_a_truncated_legacy_file_is_refused(length: int) -> None:
    with pytest.raises(DataError, match=r"weights\.pth"):
        read(tf.state_dict(SMALL)[:length])


@given(st.integers(0, len(tf.state_dict(SMALL, zip_form=True)) - 1))
def test_a_truncated_zip_file_is_refused(length: int) -> None:
    with pytest.raises(DataError, match=r"weights\.pth"):
        read(tf.state_dict(SMALL, zip_form=True)[:length])


@given(st.booleans(), st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_file_is_read_or_refused(zip_form: bool, place: int, change: int) -> None:
    data = bytearray(tf.state_dict(SMALL, zip_form=zip_form))
    data[place % len(data)] ^= change
    try:
        found = read(bytes(data))
    except DataError:
        return
    assert all(isinstance(array, np.ndarray) for array in found.values())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.pth"):
        read_state_dict(tmp_path / "absent.pth")
