import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.backends.base import Array
from engine.errors import DataError
from engine.formats.torch_pickle import STORAGE_DTYPES, read_state_dict
from tests.engine.formats import torch_files as tf

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
    with pytest.raises(DataError, match=rf"needs {call[0]}\.{call[1]}"):
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


def doubled(times: int) -> bytes:
    """A tuple of tuples that is one object 2^times over, as a pickle of a few hundred bytes."""
    return b")" + b"".join(b"q%c0h%ch%c\x86" % (n, n, n) for n in range(times))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"N" + b"r" + (1 << 28).to_bytes(4, "little"), "its memo has a place 268435456"),
        (b"}" + doubled(30) + b"Ns", "one object of more than 4,000,000 parts"),
        (doubled(30) + b"Q", "one object of more than 4,000,000 parts"),
        (doubled(20) + b"q\x150" + b"}h\x15Ns0" * 200, "over and over again"),
        (tf.tuple_of(tf.text("storage"), b"N", doubled(20), b"N", b"N") + b"Q", "not a plain"),
        (b"}" + doubled(18) + b"Ns", r"\(\(\(.*\.\.\."),
        (b"\x96" + (1 << 40).to_bytes(8, "little"), "expected 1099511627776 bytes"),
    ],
    ids=["memo", "key", "persistent id", "keys", "text of an id", "text of a name", "bytes"],
)
@pytest.mark.parametrize("zip_form", [False, True])
def test_a_pickle_that_would_swell_is_refused(body: bytes, words: str, zip_form: bool) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read(tf.zipped(body, {}) if zip_form else tf.legacy(body, {}))
    assert len(caught.value.what) < 400


def test_a_compressed_member_is_refused() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights/data.pkl", tf.pickled(tf.ordered_dict({})))
    with pytest.raises(DataError, match=r"its member weights/data\.pkl is compressed"):
        read(file.getvalue())


@pytest.mark.parametrize("shape", [(1 << 40,), (4, 4)])
def test_a_tensor_may_not_repeat_what_is_stored(shape: tuple[int, ...]) -> None:
    body = tf.name("torch._utils", "_rebuild_tensor_v2")
    float_ = tf.name("torch", "FloatStorage")
    storage = tf.tuple_of(tf.text("storage"), float_, tf.text("s"), tf.text("cpu"), tf.number(12), b"N")
    sizes = tf.tuple_of(*(b"\x8a\x06" + size.to_bytes(6, "little") for size in shape))
    strides = tf.tuple_of(*(tf.number(0) for _ in shape))
    body += tf.tuple_of(storage + b"Q", tf.number(0), sizes, strides, b"\x89", b"N") + b"R"
    with pytest.raises(DataError, match="on 12 numbers"):
        read(tf.legacy(tf.ordered_dict({"w": body}), {"s": np.zeros(12, "<f4")}))
