"""Reads the tensors of a PyTorch state dict, or of a checkpoint that has one in it, with numpy alone.

A pickle may call anything it can name, so untrusted weights are read by an unpickler that allows only the names a state
dict needs. PyTorch itself, a gigabyte, isn't needed for this. The file is mapped into memory, not read: its tensors are
views of it, however large it is.
"""

import math
import mmap
import pickle
import reprlib
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.errors import DataError
from engine.formats import pickle_check
from engine.store.files import open_plain
from engine.text import clean, cut

Array = np.ndarray[Any, np.dtype[Any]]

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
COUNT_BYTES = 8
ZIP_HEADER = 30
"""Bytes before a member's name in an archive."""
MOST_PICKLED = 1 << 26
"""Bytes of the pickles in a file: names and shapes, not the numbers."""

STORAGE_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "<?",
}

# What the unpickler, the archive and the placeholder classes raise for damaged or malicious bytes.
_BROKEN = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
_REMEDY = "fetch the file again, or give one that torch.save() wrote from model.state_dict()"


class _Storage(NamedTuple):
    """A contiguous block of numbers in the file."""

    key: str
    dtype: str
    length: int


class _Tensor(NamedTuple):
    """A view of a storage; offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _StorageType(NamedTuple):
    """Placeholder of torch.FloatStorage and its like, which a state dict names but never calls."""

    dtype: str


class _RebuildTensor:
    """Placeholder of torch._utils._rebuild_tensor_v2. Without a `__dict__`, so that no pickle can change it."""

    __slots__ = ()

    def __call__(
        self,
        storage: _Storage,
        offset: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        _requires_grad: object = None,
        _hooks: object = None,
        _metadata: object = None,
    ) -> _Tensor:
        return _Tensor(storage, offset, shape, strides)


class _Plain:
    """Placeholder of a NumPy scalar, such as a training's accuracy in a checkpoint. Its value is not read."""

    __slots__ = ()

    def __call__(self, *_: object) -> "_Plain":
        return self

    def __setstate__(self, _: object) -> None:
        pass


_SCALARS = {
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
"""Names that the pickle of a NumPy scalar has."""


class _Unpickler(pickle.Unpickler):
    """Unpickles to the placeholder classes above and refuses every other name."""

    def __init__(self, stream: BytesIO) -> None:
        pickle_check.check(stream)
        super().__init__(stream)
        self.storages: dict[str, _Storage] = {}
        """Those that the pickle refers to, by key."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _RebuildTensor()
        if module == "torch" and name in STORAGE_DTYPES:
            return _StorageType(STORAGE_DTYPES[name])
        if (module, name) in _SCALARS:
            return _Plain()
        raise pickle.UnpicklingError(f"it needs {module}.{name}, which is not part of a state dict")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage_type, key, _location, length = pid[:5]
        plain = kind == "storage" and isinstance(storage_type, _StorageType) and not any(pid[5:])
        if not plain or not isinstance(key, str) or not isinstance(length, int):
            raise pickle.UnpicklingError(f"it refers to something that is not a plain storage: {reprlib.repr(pid)}")
        self.storages[key] = _Storage(key, storage_type.dtype, length)
        return self.storages[key]


def read_state_dict(path: Path, *, within: str | None = None) -> dict[str, Array]:
    """Return the tensors of a `.pth` file by name: read-only arrays in the file's own shapes and dtypes.

    `within` names the entry of a checkpoint that is the state dict; what else is in the checkpoint (the epoch, the
    optimiser) is unpickled by the same rules and left out. Reads both of PyTorch's forms, the legacy one and the zip
    one. Raises DataError where the file is truncated, is not a state dict, or names anything that a state dict does
    not need.
    """
    try:
        with open_plain(path) as file:
            return _tensors(file, within)
    except OSError as error:
        raise DataError(f"{path}: the weights cannot be read: {error.strerror}", _REMEDY) from error
    except _BROKEN as error:
        reason = cut(clean(str(error)), 200) or type(error).__name__
        raise DataError(f"{path}: not a state dict that can be read: {reason}", _REMEDY) from error


def _tensors(file: BufferedReader, within: str | None) -> dict[str, Array]:
    data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if bytes(data[:4]) == b"PK\x03\x04":
        with zipfile.ZipFile(file) as archive:
            tensors, storages = _read_zip(archive, data, within)
    else:
        tensors, storages = _read_legacy(data, within)
    return {_name(key): _array(value, storages) for key, value in tensors}


_Read = tuple[list[tuple[object, _Tensor]], dict[str, memoryview]]
"""Names and tensors, and the storages of these by key."""


def _read_legacy(data: memoryview, within: str | None) -> _Read:
    """Read five pickles (magic, protocol, machine, state dict, storage keys) and the storages behind them.

    Each storage is its element count, known from the state dict, and then its numbers.
    """
    stream = BytesIO(data[:MOST_PICKLED])
    magic, protocol, machine = (_Unpickler(stream).load() for _ in range(3))
    if (magic, protocol) != (LEGACY_MAGIC, LEGACY_PROTOCOL) or not machine["little_endian"]:
        raise ValueError("it does not begin as a little-endian PyTorch file does")
    unpickler = _Unpickler(stream)
    tensors = _items(unpickler.load(), within)
    sizes = {key: _size(storage) for key, storage in unpickler.storages.items()}
    keys = _Unpickler(stream).load()
    position = stream.tell()
    storages = {}
    for key in keys:
        position += COUNT_BYTES
        storages[key] = data[position : position + sizes[key]]
        if len(storages[key]) != sizes[key]:
            raise EOFError(f"it ends inside storage {key}")
        position += sizes[key]
    return tensors, storages


def _read_zip(archive: zipfile.ZipFile, data: memoryview, within: str | None) -> _Read:
    """Read `<root>/data.pkl` and the members `<root>/data/<key>` of an archive, which PyTorch never compresses."""
    names = archive.namelist()
    (pickled,) = (name for name in names if name.endswith("/data.pkl"))
    root = pickled.removesuffix("data.pkl")
    if root + "byteorder" in names and bytes(_stored(data, archive.getinfo(root + "byteorder"))) != b"little":
        raise ValueError("its numbers are not little-endian")
    body = _stored(data, archive.getinfo(pickled))
    if len(body) > MOST_PICKLED:
        raise ValueError(f"{pickled} has {len(body):,} bytes")
    tensors = _items(_Unpickler(BytesIO(body)).load(), within)
    keys = {tensor.storage.key for _, tensor in tensors}
    return tensors, {key: _stored(data, archive.getinfo(f"{root}data/{key}")) for key in sorted(keys)}


def _stored(data: memoryview, member: zipfile.ZipInfo) -> memoryview:
    """Return the bytes of a member. Raises ValueError if it is damaged, or compressed, which PyTorch never does."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"its member {member.filename} is compressed")
    header = data[max(member.header_offset, 0) :][:ZIP_HEADER]
    if len(header) < ZIP_HEADER or bytes(header[:4]) != b"PK\x03\x04":
        raise ValueError(f"its member {member.filename} is not where it should be")
    name, extra = (int.from_bytes(header[place : place + 2], "little") for place in (26, 28))
    start = member.header_offset + ZIP_HEADER + name + extra
    found = data[start : start + member.file_size]
    if len(found) != member.file_size or zlib.crc32(found) != member.CRC:
        raise ValueError(f"its member {member.filename} is damaged")
    return found


def _items(tensors: object, within: str | None) -> list[tuple[object, _Tensor]]:
    if within is not None and isinstance(tensors, Mapping):
        if within not in tensors:
            raise LookupError(f"it has no entry '{within}'")
        tensors = tensors[within]
    if not isinstance(tensors, Mapping):
        raise TypeError("it holds no dictionary")
    for name, value in tensors.items():
        if not isinstance(value, _Tensor) or not isinstance(value.storage, _Storage):
            raise TypeError(f"{reprlib.repr(name)} is not a tensor")
    return list(tensors.items())


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a tensor's name is {reprlib.repr(key)}")
    return key


def _size(storage: _Storage) -> int:
    return storage.length * np.dtype(storage.dtype).itemsize


def _array(tensor: _Tensor, storages: Mapping[str, memoryview]) -> Array:
    """Return the tensor as a view; numpy refuses shapes and strides that leave the storage.

    Raises ValueError if it repeats elements: a few bytes could become terabytes when copied.
    """
    if not all(isinstance(size, int) for size in tensor.shape) or math.prod(tensor.shape) > tensor.storage.length:
        raise ValueError(f"a tensor of the shape {reprlib.repr(tensor.shape)} on {tensor.storage.length} numbers")
    dtype = np.dtype(tensor.storage.dtype)
    strides = tuple(stride * dtype.itemsize for stride in tensor.strides)
    start = tensor.offset * dtype.itemsize
    return np.ndarray(tensor.shape, dtype, storages[tensor.storage.key], start, strides)
