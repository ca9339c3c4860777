"""KiTS19 cases are fetched into a folder each; an interrupted attempt goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import events
from engine.errors import FetchError
from engine.facts import CasesFacts
from engine.step import Artifact
from engine.steps.datasets.kits19 import fetch_cases
from engine.tasks import kits_files
from tests.engine.networks.running import step


def server(folder: Path) -> dict[str, Any]:
    """Files of the calibration cases, and the options that name them."""
    folder.mkdir()
    for name in kits_files.CALIBRATION_CASES:
        number = name.removeprefix("case_")
        (folder / f"master_{number}.nii.gz").write_bytes(b"image " + number.encode())
        (folder / name).mkdir()
        (folder / name / "segmentation.nii.gz").write_bytes(b"mask " + number.encode())
    return {
        "cases": "calibration",
        "images": (f"file://{folder}/gone/{{number}}", f"file://{folder}/master_{{number}}.nii.gz"),
        "segmentations": (f"file://{folder}/case_{{number}}/segmentation.nii.gz",),
    }


def test_cases_are_fetched_in_the_order_of_the_rules(tmp_path: Path) -> None:
    options, said = server(tmp_path / "server"), list[events.AnyEvent]()
    (tmp_path / "out").mkdir()
    facts = fetch_cases(step(tmp_path / "out", options, said=said))
    made = Artifact(str(tmp_path / "out"), facts)
    assert kits_files.cases_of(made) == list(kits_files.CALIBRATION_CASES)
    assert made.read(CasesFacts).nifti
    assert (tmp_path / "out" / "case_00117" / "imaging.nii.gz").read_bytes() == b"image 00117"
    assert all(kits_files.complete(tmp_path / "out", name) for name in kits_files.CALIBRATION_CASES)
    done = [one.done for one in said if isinstance(one, events.Progress)]
    assert done == sorted(done)
    assert done[-1] == 20


def test_what_is_there_is_kept_and_a_file_that_nobody_has_is_named(tmp_path: Path) -> None:
    options = server(tmp_path / "server")
    (tmp_path / "server" / "master_00172.nii.gz").unlink()
    (tmp_path / "out").mkdir()
    with pytest.raises(FetchError, match=r"imaging\.nii\.gz"):
        fetch_cases(step(tmp_path / "out", options))
    first = tmp_path / "out" / "case_00050" / "imaging.nii.gz"
    before = first.stat().st_mtime_ns
    (tmp_path / "server" / "master_00172.nii.gz").write_bytes(b"image 00172")
    fetch_cases(step(tmp_path / "out", options))
    assert first.stat().st_mtime_ns == before


def test_a_pattern_without_the_number_is_refused(tmp_path: Path) -> None:
    options = {**server(tmp_path / "server"), "images": ("https://example.com/all.nii.gz",)}
    with pytest.raises(FetchError, match=r"has no \{number\}"):
        fetch_cases(step(tmp_path, options))
