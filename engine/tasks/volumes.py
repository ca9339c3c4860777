"""Scans as the rules prepare them: resampled to one spacing, clipped, normalised, padded and cropped for windows.

The arithmetic is that of vision/medical_imaging/3d-unet-kits19/preprocess.py of the rules (v2.1), in its order and in
float32. Axes stay as the file stores them, slices first in KiTS19.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Sequence
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from engine.errors import DataError
from engine.store.files import open_plain
from engine.tasks.base import Array
from engine.tasks.kits_files import GENERATED, IMAGE, TRUTH
from engine.text import clean

MOST_VOXELS = 1 << 29
"""Of a resampled volume: several times a whole body at the rules' spacing."""
MOST_COMPRESSED = 1032
"""Times that the deflate format makes data smaller, at most."""
BACKGROUND = -2.2
"""What an image is padded with, after normalisation."""

_PUBLISHED = "take both files of the case as they were published"


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How scans are prepared. The defaults are those of the rules."""

    spacing: tuple[float, float, float] = (1.6, 1.2, 1.2)
    """Of the prepared volume along each axis, mm."""
    fit: tuple[int, int, int] | None = None
    """Voxels to which the whole scan is resampled, whatever its spacing; nothing is padded or cropped then."""
    normalise: Literal["ct", "maximum"] = "ct"
    """`ct`: clipped to -79...304, less 101, over 76.9 (Hounsfield units); `maximum`: divided by the greatest voxel."""
    axes: str | None = "IPL"
    """Directions in which the axes must run, as nibabel names them; None: any."""
    window: tuple[int, int, int] = (128, 128, 128)
    stride: tuple[int, int, int] = (64, 64, 64)
    classes: tuple[str, ...] = ("kidney", "tumor")
    """Names of the labels 1, 2, ..."""


class Scan(NamedTuple):
    """A case."""

    image: Array
    """float32 [D,H,W]."""
    label: Array
    """uint8 [D,H,W]."""
    affine: Array
    """float64 [4,4]: from voxels to mm."""


def prepared(folder: Path, how: How) -> Scan:
    """Return the scan of a case, prepared. Raises DataError that says what is wrong with which file."""
    if (folder / GENERATED).exists():
        scan = _checked(_generated(folder / GENERATED), folder / GENERATED, how)
    else:
        scan = _resampled(folder, how)
    image, label = normalised(scan.image, how), scan.label
    if how.fit is None:
        image, label = _to_windows(*_to_least(image, label, how.window), how.window, how.stride)
    return Scan(image.astype(np.float32), label.astype(np.uint8), scan.affine)


def normalised(image: Array, how: How) -> Array:
    """Return an image, float32, on the scale of the model."""
    if how.normalise == "maximum":
        greatest = image.max()
        return image / greatest if greatest > 0 else image
    scaled: Array = (np.clip(image, -79.0, 304.0) - 101.0) / 76.9
    return scaled


def _generated(file: Path) -> Scan:
    """Read a generated case, whose voxels have the model's spacing."""
    try:
        with open_plain(file) as opened, np.load(opened, allow_pickle=False) as found:
            return Scan(found["image"].astype(np.float32), found["label"], found["affine"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{clean(str(file))} is no case: {error}", "generate the data set again") from error


def _resampled(folder: Path, how: How) -> Scan:
    """Read a case of KiTS19 and resample it."""
    zoom: Any = import_module("scipy.ndimage").zoom
    (image, spacing, affine), (label, _, of_label) = (_nifti(folder / name, how) for name in (IMAGE, TRUTH))
    if not np.allclose(affine, of_label, atol=1e-3):
        raise DataError(f"{clean(str(folder / TRUTH))} lies elsewhere in space than {IMAGE}", _PUBLISHED)
    raw = Scan(image.astype(np.float32), label, affine)
    image, label, affine = _checked(raw, folder / TRUTH, how)
    if how.fit is not None:
        factor = np.array(how.fit) / np.array(image.shape)
    elif spacing != list(how.spacing):
        factor = np.array(spacing) / np.array(how.spacing)
    else:
        return Scan(image, label, affine)
    voxels = np.rint(np.array(image.shape) * factor)
    if voxels.prod() > MOST_VOXELS:
        sizes = " × ".join(f"{size:,.0f}" for size in np.array(image.shape) * spacing)
        raise DataError(f"{clean(str(folder / IMAGE))} is {sizes} mm large: its spacing is damaged", _PUBLISHED)
    if not voxels.all():
        raise DataError(f"{clean(str(folder / IMAGE))} is thinner than a voxel of {how.spacing} mm", _PUBLISHED)
    image = zoom(image, factor, order=1, mode="constant", cval=image.min(), grid_mode=False)
    label = zoom(label, factor, order=0, mode="constant", cval=label.min(), grid_mode=False)
    return Scan(image, label, _respaced(affine, np.array(spacing) / factor))


def _nifti(file: Path, how: How) -> tuple[Array, list[float], Array]:
    """Return the voxels, the spacing in mm and the affine of a NIfTI file."""
    nibabel: Any = import_module("nibabel")  # an extra, and only preparation needs it
    unreadable = nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError
    name = clean(str(file))
    try:
        with open_plain(file) as compressed, gzip.open(compressed) as content:
            size = file.stat().st_size
            opened: Any = nibabel.load(file)
            header = type(opened.header).from_fileobj(content, check=False)  # with check a spacing of 0 becomes 1
        spacing: list[float] = header["pixdim"][1:4].tolist()
        axes = "".join(one or "?" for one in nibabel.aff2axcodes(opened.affine))
        if len(opened.shape) < 3 or 0 in opened.shape or any(size != 1 for size in opened.shape[3:]):
            raise DataError(f"{name} has the shape {list(opened.shape)}: it is no volume", _PUBLISHED)
        if prod(opened.shape) > size * MOST_COMPRESSED:
            raise DataError(f"{name} says that it has {prod(opened.shape):,} voxels, and ends before them", _PUBLISHED)
        if not all(np.isfinite(one) and one > 0 for one in spacing):
            raise DataError(f"{name} has voxels of {spacing} mm", _PUBLISHED)
        if how.axes not in (None, axes):
            remedy = f"turn it (nibabel.as_closest_canonical and its relatives) so that its axes run {how.axes}"
            raise DataError(f"{name}: the axes run {axes}, those of KiTS19 {how.axes}", remedy)
        return opened.get_fdata(caching="unchanged").reshape(opened.shape[:3]), spacing, opened.affine
    except FileNotFoundError:
        raise DataError(f"there is no {name}", _PUBLISHED) from None
    except (OSError, EOFError, ValueError, OverflowError, zlib.error, *unreadable) as error:
        raise DataError(f"{name} cannot be read: {clean(str(error))}", "fetch or copy the file again") from error


def _checked(scan: Scan, file: Path, how: How) -> Scan:
    """Return the scan with uint8 labels. Raises DataError for voxels that cannot be prepared or scored."""
    image, label, affine = scan
    name = clean(str(file))
    if image.ndim != 3 or image.shape != label.shape or 0 in image.shape:
        raise DataError(f"{name}: the image is {list(image.shape)}, the segmentation {list(label.shape)}", _PUBLISHED)
    if wrong := int(image.size - np.count_nonzero(np.isfinite(image))):
        raise DataError(f"{name}: {wrong:,} voxels of the image are no numbers", _PUBLISHED)
    if strange := [one for one in np.unique(label).tolist() if one not in range(len(how.classes) + 1)]:
        known = ", ".join(f"{number} {one}" for number, one in enumerate(("background", *how.classes)))
        raise DataError(f"{name} has the label {strange[0]:g}; there are {known}", _PUBLISHED)
    return Scan(image, label.astype(np.uint8), affine)


def _respaced(affine: Array, spacing: Array) -> Array:
    """Return the affine of the same volume with another spacing: directions and origin stay."""
    changed = affine.copy()
    for row in range(3):
        (along,) = np.nonzero(affine[row, :3])
        if len(along) == 1:
            changed[row, along] = np.copysign(spacing[along], affine[row, along])
        else:  # a volume that lies askew, of which the rules have none
            changed[row, :3] = affine[row, :3] * spacing / np.linalg.norm(affine[:3, :3], axis=0)
    return changed


def _to_least(image: Array, label: Array, window: Sequence[int]) -> tuple[Array, Array]:
    """Pad axes shorter than a window with what is at their ends."""
    lacks = [max(0, least - size) for least, size in zip(window, image.shape, strict=True)]
    pads = _both_ends(lacks)
    return np.pad(image, pads, mode="edge"), np.pad(label, pads, mode="edge")


def _to_windows(image: Array, label: Array, window: Sequence[int], stride: Sequence[int]) -> tuple[Array, Array]:
    """Crop or pad each axis to a multiple of the stride: less than half a stride too long is cropped."""
    over = [size % step for size, step in zip(image.shape, stride, strict=True)]
    crop = [rest if rest < step // 2 else 0 for rest, step in zip(over, stride, strict=True)]
    kept = tuple(slice(start, size - end) for size, (start, end) in zip(image.shape, _both_ends(crop), strict=True))
    image, label = image[kept], label[kept]
    pads = _both_ends([_lacking(*one) for one in zip(image.shape, window, stride, strict=True)])
    return np.pad(image, pads, constant_values=BACKGROUND), np.pad(label, pads, constant_values=0)


def _lacking(size: int, window: int, stride: int) -> int:
    lacks = -size % stride
    return lacks if size + lacks >= window else lacks + stride


def _both_ends(voxels: Sequence[int]) -> list[tuple[int, int]]:
    """Return how many of an axis' voxels are at its start and at its end."""
    return [(one // 2, one - one // 2) for one in voxels]
