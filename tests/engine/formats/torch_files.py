"""Writes PyTorch files byte by byte, so that tests need no PyTorch and can write what it never would."""

import pickle
import struct
import zipfile
from collections.abc import Mapping
from io import BytesIO

import numpy as np

from engine.backends.base import Array
from engine.formats.torch_pickle import LEGACY_MAGIC, LEGACY_PROTOCOL, STORAGE_DTYPES

STORAGE_NAMES = {np.dtype(dtype): name for name, dtype in STORAGE_DTYPES.items()}


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def tuple_of(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def pickled(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


def ordered_dict(items: Mapping[str, bytes]) -> bytes:
    pairs = b"".join(text(key) + value for key, value in items.items())
    return name("collections", "OrderedDict") + b")R" + b"(" + pairs + b"u"


def tensor(
    key: str, dtype: np.dtype, length: int, shape: tuple[int, ...], strides: tuple[int, ...], *, offset: int = 0
) -> bytes:
    """The pickle of one tensor: a call of _rebuild_tensor_v2 with a persistent id for its storage."""
    storage = tuple_of(
        text("storage"), name("torch", STORAGE_NAMES[dtype]), text(key), text("cpu"), number(length), b"N"
    )
    return (
        name("torch._utils", "_rebuild_tensor_v2")
        + tuple_of(
            storage + b"Q",
            number(offset),
            tuple_of(*map(number, shape)),
            tuple_of(*map(number, strides)),
            b"\x89",
            name("collections", "OrderedDict") + b")R",
        )
        + b"R"
    )


def contiguous(key: str, array: Array) -> bytes:
    strides = tuple(stride // array.itemsize for stride in np.ascontiguousarray(array).reshape(array.shape).strides)
    return tensor(key, array.dtype, array.size, array.shape, strides)


def legacy_header() -> bytes:
    machine = {"protocol_version": LEGACY_PROTOCOL, "little_endian": True}
    return b"".join(pickle.dumps(part, 2) for part in (LEGACY_MAGIC, LEGACY_PROTOCOL, machine))


def legacy(body: bytes, storages: Mapping[str, Array]) -> bytes:
    keys = pickle.dumps(list(storages), 2)
    data = b"".join(struct.pack("<q", array.size) + array.tobytes() for array in storages.values())
    return legacy_header() + pickled(body) + keys + data


def zipped(body: bytes, storages: Mapping[str, Array]) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("weights/data.pkl", pickled(body))
        archive.writestr("weights/byteorder", "little")
        for key, array in storages.items():
            archive.writestr(f"weights/data/{key}", array.tobytes())
    return file.getvalue()


def state_dict(arrays: Mapping[str, Array], *, zip_form: bool = False) -> bytes:
    """The file of a state dict, one storage per tensor."""
    storages = {str(place): array for place, array in enumerate(arrays.values())}
    body = ordered_dict({key: contiguous(str(place), array) for place, (key, array) in enumerate(arrays.items())})
    return (zipped if zip_form else legacy)(body, storages)
