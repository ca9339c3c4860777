"""Generated scans with kidneys and tumours."""

from __future__ import annotations

import numpy as np
import pytest

from engine.datasets.abdomens import EVERY, KIDNEY, TUMOUR, AbdomenSet, affine, generate
from engine.facts import CasesFacts
from engine.step import Artifact
from engine.tasks.kits_files import cases_of
from engine.tasks.volumes import How, prepared
from tests.engine.networks.running import step

CASES = AbdomenSet(seed=3, count=2 * EVERY)


def test_a_case_has_kidneys_and_a_tumour_that_look_their_part() -> None:
    case = CASES.case(0)
    assert case.image.dtype == np.float32
    assert case.label.dtype == np.uint8
    assert case.image.shape == case.label.shape
    voxels = np.bincount(case.label.ravel(), minlength=3)
    assert len(voxels) == 3
    assert voxels[KIDNEY] > 10_000
    assert voxels[TUMOUR] > 500
    fat, kidney, tumour = (case.image[case.label == one].mean() for one in (0, KIDNEY, TUMOUR))
    assert fat < 0 < kidney < tumour - 20
    bright = (case.label == 0) & (case.image > tumour)
    assert bright.sum() > voxels[TUMOUR] / 2, "brightness alone does not tell a tumour: the spine has it too"


def test_some_cases_are_so_long_that_windows_overlap() -> None:
    shapes = [CASES.case(index).image.shape for index in (EVERY - 1, 2 * EVERY - 1)]
    assert shapes[0][0] >= 186
    assert shapes[1][0] >= 186
    assert shapes[1][2] >= 186


def test_a_case_depends_on_seed_purpose_and_index_alone() -> None:
    one = CASES.case(1)
    np.testing.assert_array_equal(one.image, AbdomenSet(3, 1).case(1).image)
    for other in (AbdomenSet(4, 1), AbdomenSet(3, 1, "calibration")):
        assert other.case(1).image.shape != one.image.shape


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("abdomens")
    facts = generate(step(folder, {"count": 2, "seed": 3}))
    return Artifact(str(folder), facts)


def test_the_rules_preparation_reads_it(written: Artifact) -> None:
    known = written.read(CasesFacts)
    assert known.count == 2
    assert not known.nifti
    assert cases_of(written) == ["case_00000", "case_00001"]
    scan = prepared(written.folder / "case_00001", How())
    assert all(size % 64 == 0 and size >= 128 for size in scan.image.shape)
    assert scan.image.min() >= -2.4
    assert set(np.unique(scan.label)) == {0, 1, 2}


def test_an_interrupted_attempt_goes_on(written: Artifact) -> None:
    last = written.folder / "case_00001" / "case.npz"
    kept = written.folder / "case_00000" / "case.npz"
    time, content = kept.stat().st_mtime_ns, last.read_bytes()
    last.unlink()
    generate(step(written.folder, {"count": 2, "seed": 3}))
    assert kept.stat().st_mtime_ns == time
    assert last.read_bytes() == content


def test_axes_run_as_in_kits19() -> None:
    nibabel = pytest.importorskip("nibabel")
    assert nibabel.aff2axcodes(affine()) == ("I", "P", "L")
    np.testing.assert_allclose(np.abs(affine()[:3, :3]).sum(0), How().spacing)
