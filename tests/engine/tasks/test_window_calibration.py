"""Calibration of a model of volumes with windows of prepared scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.backends.base import TensorSpec
from engine.datasets.abdomens import affine
from engine.errors import DataError
from engine.step import Artifact
from engine.tasks import kits_calibration, medical_segmentation
from tests.engine.networks.running import step

OPTIONS = {"spacing": "1.6 1.2 1.2", "classes": ["kidney", "tumor"]}


def chosen(tmp_path: Path, *shapes: tuple[int, int, int]) -> Artifact:
    """Volumes of these sizes, prepared; their voxels are 101 HU at the start of the first axis, and rise."""
    source, output = tmp_path / "source", tmp_path / "out"
    output.mkdir()
    for number, shape in enumerate(shapes):
        (source / f"case_{number:05d}").mkdir(parents=True)
        image = np.broadcast_to(np.arange(shape[0], dtype=np.float32)[:, None, None] + 101, shape)
        label = np.zeros(shape, np.uint8)
        np.savez(source / f"case_{number:05d}" / "case.npz", image=image, label=label, affine=affine())
    facts = kits_calibration.chosen(step(output, OPTIONS, {"dataset": Artifact(str(source), {"count": len(shapes)})}))
    return Artifact(str(output), facts)


def spec(batch: int | None, side: int | None = 128) -> TensorSpec:
    return TensorSpec("input", (batch, 1, side, side, side), "float32")


def test_it_is_the_middle_window_of_each_volume(tmp_path: Path) -> None:
    found = medical_segmentation.calibration(chosen(tmp_path, (128, 128, 128), (256, 128, 128)), {})
    assert (found.count, found.by_rules) == (2, False)
    assert found.text == "2 scans that no test set has"
    first, second = [one["input"] for one in found.batches([spec(None)])]
    assert first.shape == (1, 1, 128, 128, 128)
    assert first[0, 0, 0, 0, 0] == 0
    assert second[0, 0, 0, 0, 0] == pytest.approx(64 / 76.9)


def test_a_fixed_batch_is_filled(tmp_path: Path) -> None:
    [batch] = medical_segmentation.calibration(chosen(tmp_path, (128, 128, 128)), {}).batches([spec(2)])
    np.testing.assert_array_equal(*batch["input"])
    assert batch["input"].shape == (2, 1, 128, 128, 128)


def test_what_fits_no_window_is_refused(tmp_path: Path) -> None:
    found = medical_segmentation.calibration(chosen(tmp_path, (128, 128, 128)), {})
    with pytest.raises(DataError, match="the model takes input"):
        list(found.batches([spec(1, None)]))
    with pytest.raises(DataError, match="smaller than a window"):
        list(found.batches([spec(1, 160)]))


def test_damaged_samples_are_named(tmp_path: Path) -> None:
    samples = chosen(tmp_path, (128, 128, 128))
    (samples.folder / "voxels.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match="cannot be read"):
        medical_segmentation.calibration(samples, {})
