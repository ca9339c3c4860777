"""Scans as the rules prepare them, and those that cannot be prepared."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import zoom

from engine.errors import DataError
from engine.tasks import volumes
from engine.tasks.volumes import How, Scan, prepared
from tests.engine.tasks import kits_cases as cases
from tests.engine.tasks.kits_cases import Array

GOLDENS = (
    ((128, 128, 128), "44c15ff650953cb2", "2e48f8f110cca45a", 801079),
    ((128, 128, 128), "cbc469e2c729ce73", "a88768606eae0854", 830440),
    ((128, 128, 192), "db8576e1e5ec7ee2", "e485f2170d489cd5", 1082412),
    ((128, 128, 128), "151d670227f202fe", "6296004732ed4deb", 820666),
)
"""Shape, SHA-256 of image and labels, and sum of the labels, as the rules' preprocess.py (v2.1) gave them with SciPy
1.11.4 for the cases of kits_cases."""

nibabel: Any = import_module("nibabel")

SMALL = cases.Raw((9, 20, 24), (5.0, 2.0, 2.0))


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cases of the goldens, and a small one."""
    folder = tmp_path_factory.mktemp("kits19")
    for number, one in enumerate(cases.CASES):
        cases.write(folder / str(number), number, one)
    cases.write(folder / "small", 5, SMALL)
    return folder


def reference(image: Array, label: Array, spacing: tuple[float, ...]) -> tuple[Array, Array]:
    """The steps of the rules, one after another, for one case."""
    image, label = image.astype(np.float32), label.astype(np.uint8)
    factor = np.array([float(np.float32(one)) for one in spacing]) / np.array([1.6, 1.2, 1.2])
    image = zoom(image, factor, order=1, mode="constant", cval=image.min(), grid_mode=False)
    label = zoom(label, factor, order=0, mode="constant", cval=label.min(), grid_mode=False)
    image = (np.clip(image, -79.0, 304.0) - 101.0) / 76.9
    for axis in range(3):
        lacks = max(0, 128 - image.shape[axis])
        pad = [(lacks // 2, lacks - lacks // 2) if one == axis else (0, 0) for one in range(3)]
        image, label = np.pad(image, pad, mode="edge"), np.pad(label, pad, mode="edge")
    for axis in range(3):
        rest = image.shape[axis] % 64
        if rest < 32:
            kept = range(rest // 2, image.shape[axis] - (rest - rest // 2))
            image, label = image.take(kept, axis), label.take(kept, axis)
        else:
            pad = [((64 - rest) // 2, 64 - rest - (64 - rest) // 2) if one == axis else (0, 0) for one in range(3)]
            image, label = np.pad(image, pad, constant_values=-2.2), np.pad(label, pad)
    return image, label


@pytest.mark.parametrize("number", range(len(cases.CASES)))
def test_preparation_is_that_of_the_rules(raw: Path, number: int) -> None:
    scan = prepared(raw / str(number), How())
    image, label = reference(*cases.volume(number, cases.CASES[number]), cases.CASES[number].spacing)
    assert (scan.image.dtype.name, scan.label.dtype.name) == ("float32", "uint8")
    assert scan.image.shape == image.shape
    assert (scan.image == image).all()
    assert (scan.label == label).all()
    shape, of_image, of_label, labels = GOLDENS[number]
    assert (scan.image.shape, int(scan.label.sum()), _sha(scan.label)) == (shape, labels, of_label)
    if _sha(scan.image) != of_image:  # another SciPy may interpolate to other last bits
        assert abs(scan.image - image).max() < 1e-5
    assert scan.affine.tolist() == cases.affine((1.6, 1.2, 1.2)).tolist()


def _sha(array: Array) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def generated(folder: Path, image: Array, label: Array) -> Path:
    folder.mkdir()
    np.savez(folder / "case.npz", image=image, label=label, affine=np.eye(4))
    return folder


def test_a_generated_case_is_not_resampled(tmp_path: Path) -> None:
    image, label = cases.volume(1, cases.Raw((130, 100, 170), (1, 1, 1), "float32"))
    scan = prepared(generated(tmp_path / "case", image, label), How())
    assert scan.image.shape == scan.label.shape == (128, 128, 192)
    inner = (slice(1, 129), slice(None), slice(None))
    normal = (np.clip(image[inner], -79.0, 304.0) - 101.0) / 76.9
    assert (scan.image[:, 14:114, 11:181] == normal).all()
    assert (scan.label[:, 14:114, 11:181] == label[inner]).all()


def test_a_whole_scan_may_be_fitted_into_one_shape(raw: Path) -> None:
    how = How(fit=(16, 8, 8), normalise="maximum", axes=None)
    scan = prepared(raw / "small", how)
    assert scan.image.shape == (16, 8, 8)
    assert scan.image.max() == 1
    spacing = [5 * 9 / 16, 2 * 20 / 8, 2 * 24 / 8]
    assert np.allclose(scan.affine, cases.affine(spacing))


Change = Callable[[Path], None]


def resaved(name: str, change: Callable[[Array, Array], tuple[Array, Array]]) -> Change:
    """A change of voxels or affine of one of a case's files."""

    def apply(folder: Path) -> None:
        file = folder / f"{name}.nii.gz"
        opened = nibabel.load(file)
        array, affine = change(opened.get_fdata(), opened.affine)
        nibabel.save(nibabel.Nifti1Image(array, affine), file)

    return apply


def with_header(field: str, value: object) -> Change:
    """Another value in the header of the image, written as it is."""

    def apply(folder: Path) -> None:
        file = folder / "imaging.nii.gz"
        data = bytearray(gzip.decompress(file.read_bytes()))
        header = np.frombuffer(data, nibabel.nifti1.header_dtype, 1)
        header[field] = value
        file.write_bytes(gzip.compress(bytes(data)))

    return apply


def spoiled(array: Array, value: float) -> Array:
    array[3, 4, 5] = value
    return array


def cut(folder: Path) -> None:
    file = folder / "imaging.nii.gz"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "segmentation.nii.gz").unlink(), "there is no .*segmentation"),
        (lambda folder: (folder / "imaging.nii.gz").write_bytes(b"no scan"), "imaging.*cannot be read"),
        (lambda folder: (folder / "imaging.nii.gz").write_bytes(b""), "imaging.*cannot be read"),
        (cut, "imaging.*cannot be read"),
        (resaved("imaging", lambda a, m: (a, np.diag([1.0, 1, 1, 1]))), "the axes run RAS, those of KiTS19 IPL"),
        (resaved("imaging", lambda a, m: (a[..., None, None].repeat(2, 3), m)), r"\[9, 20, 24, 2, 1\].*no volume"),
        (resaved("imaging", lambda a, m: (spoiled(a, np.nan), m)), "1 voxels of the image are no numbers"),
        (resaved("imaging", lambda a, m: (spoiled(a, np.inf), m)), "1 voxels of the image are no numbers"),
        (
            resaved("segmentation", lambda a, m: (spoiled(a, 7), m)),
            "label 7; there are 0 background, 1 kidney, 2 tumor",
        ),
        (resaved("segmentation", lambda a, m: (spoiled(a, 0.5), m)), "label 0.5"),
        (resaved("segmentation", lambda a, m: (a[1:], m)), r"image is \[9, 20, 24\], the segmentation \[8, 20, 24\]"),
        (resaved("segmentation", lambda a, m: (a, m * 2)), "lies elsewhere in space"),
        (with_header("pixdim", [-1.0, 0, 2, 2, 0, 0, 0, 0]), "imaging.*(voxels of|cannot be read)"),
        (with_header("pixdim", [-1.0, np.nan, 2, 2, 0, 0, 0, 0]), "imaging.*(voxels of|cannot be read)"),
        (with_header("dim", [3, 9, 20, 0, 1, 1, 1, 1]), "imaging.*(no volume|cannot be read)"),
        (with_header("dim", [3, 9000, 2000, 2400, 1, 1, 1, 1]), "43,200,000,000 voxels, and ends before"),
        (with_header("dim", [3, 90, 20, 24, 1, 1, 1, 1]), "imaging.*cannot be read"),
        (with_header("pixdim", [-1.0, 2.0**40, 2, 2, 0, 0, 0, 0]), r"[0-9,]{14,} × 40 × 48 mm large"),
        (with_header("datatype", 9999), "imaging.*cannot be read"),
    ],
)
def test_what_cannot_be_prepared_is_named(tmp_path: Path, raw: Path, change: Change, says: str) -> None:
    shutil.copytree(raw / "small", tmp_path / "case")
    change(tmp_path / "case")
    with pytest.raises(DataError, match=says) as found:
        prepared(tmp_path / "case", How())
    assert found.value.remedy


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(place=st.integers(0, 351), value=st.integers(0, 255))
def test_a_damaged_header_is_prepared_or_refused(
    tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch, place: int, value: int
) -> None:
    monkeypatch.setattr(volumes, "MOST_VOXELS", 1 << 20)  # so that a large spacing takes no minute
    shutil.copytree(raw / "small", tmp_path / "case", dirs_exist_ok=True)
    file = tmp_path / "case" / "imaging.nii.gz"
    data = bytearray(gzip.decompress(file.read_bytes()))
    data[place] = value
    file.write_bytes(gzip.compress(bytes(data), 1))
    try:
        scan = prepared(tmp_path / "case", How())
    except DataError:
        return
    assert isinstance(scan, Scan)
    assert np.isfinite(scan.image).all()


@pytest.mark.parametrize(
    ("image", "label", "says"),
    [
        (np.zeros((4, 4)), np.zeros((4, 4), np.uint8), r"the image is \[4, 4\]"),
        (np.zeros((4, 4, 4)), np.full((4, 4, 4), 3, np.uint8), "label 3"),
        (np.full((4, 4, 4), np.nan), np.zeros((4, 4, 4), np.uint8), "64 voxels"),
        (np.array([None]), np.zeros((4, 4, 4), np.uint8), "no case"),
    ],
)
def test_a_wrong_generated_case_is_named(tmp_path: Path, image: Array, label: Array, says: str) -> None:
    with pytest.raises(DataError, match=says):
        prepared(generated(tmp_path / "case", image, label), How())


def test_a_scan_thinner_than_a_voxel_is_refused(tmp_path: Path) -> None:
    folder = cases.write(tmp_path / "case", 1, cases.Raw((2, 20, 20), (0.2, 1, 1)))
    with pytest.raises(DataError, match="thinner than a voxel"):
        prepared(folder, How())
