from pathlib import Path

import pytest

from engine.errors import DataError
from engine.facts import CasesFacts
from engine.step import Artifact
from engine.steps.datasets.head_scan import head_scan
from engine.tasks.kits_files import case_folder, complete
from tests.engine.networks.running import step

NAMES = {"image": "atlas.nii.gz", "mask": "atlas_mask.nii.gz"}


def package(folder: Path, *names: str) -> Artifact:
    (folder / "ref_vols").mkdir(parents=True)
    for name in names:
        (folder / "ref_vols" / name).write_bytes(name.encode())
    return Artifact(str(folder), {"package": "p", "version": "1", "files": [f"ref_vols/{name}" for name in names]})


def test_scan_and_mask_become_one_case(tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    facts = head_scan(step(output, NAMES, {"package": package(tmp_path / "package", *NAMES.values())}))
    known = Artifact(str(output), facts).read(CasesFacts)
    assert (known.count, known.nifti) == (1, True)
    assert complete(output, *known.cases)
    folder = case_folder(output, *known.cases)
    assert folder is not None
    assert (folder / "imaging.nii.gz").read_bytes() == b"atlas.nii.gz"
    assert (folder / "segmentation.nii.gz").read_bytes() == b"atlas_mask.nii.gz"


def test_a_package_without_the_mask_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it holds no atlas_mask"):
        head_scan(step(tmp_path, NAMES, {"package": package(tmp_path / "package", "atlas.nii.gz")}))
