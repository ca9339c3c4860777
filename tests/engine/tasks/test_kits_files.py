"""Where KiTS19 is looked for, and what a plan says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import DataError
from engine.step import Artifact, SurveyContext
from engine.tasks import kits_files


def context(inputs: dict[str, Artifact | None] | None = None, expected: Any = None, **options: Any) -> SurveyContext:
    return SurveyContext(options=options, inputs=inputs or {}, expected_facts=expected or {}, store=Path("/store"))


def checkout(root: Path, names: tuple[str, ...] = kits_files.INFERENCE_CASES) -> Path:
    """A checkout with the files of these cases; KiTS19 has no case_00400."""
    for name in names:
        if name not in kits_files.COPIES:
            (root / "data" / name).mkdir(parents=True)
            for file in (kits_files.IMAGE, kits_files.TRUTH):
                (root / "data" / name / file).write_bytes(b"scan")
    return root


@pytest.mark.parametrize("given", ["", "data"])
def test_a_checkout_or_its_folder_of_cases_is_found(tmp_path: Path, given: str) -> None:
    checkout(tmp_path)
    found = kits_files.survey_folder(context(path=str(tmp_path / given)))
    assert found.state == "found"
    assert found.artifact is not None
    assert found.artifact.path == str(tmp_path / "data")
    assert kits_files.cases_of(found.artifact) == list(kits_files.INFERENCE_CASES)
    assert kits_files.case_folder(tmp_path / "data", "case_00400") == tmp_path / "data" / "case_00185"


def test_without_a_folder_the_cases_are_fetched() -> None:
    found = kits_files.survey_folder(context(path=None))
    assert (found.state, found.expected_facts["count"]) == ("run", 43)
    assert kits_files.survey_folder(context(path=None, cases="calibration")).expected_facts["count"] == 20


@pytest.mark.parametrize("gone", [kits_files.IMAGE, kits_files.TRUTH])
def test_a_case_that_lacks_a_file_is_named(tmp_path: Path, gone: str) -> None:
    checkout(tmp_path)
    (tmp_path / "data" / "case_00185" / gone).unlink()
    found = kits_files.survey_folder(context(path=str(tmp_path)))
    assert found.state == "missing"
    assert "lacks 2 of 43 cases: case_00185, case_00400" in found.text
    assert "starter_code" in found.remedy


def test_another_folder_is_refused(tmp_path: Path) -> None:
    assert "none of the cases" in kits_files.survey_folder(context(path=str(tmp_path))).text
    assert "no folder" in kits_files.survey_folder(context(path=str(tmp_path / "gone"))).text


def test_a_plan_knows_when_a_scan_has_changed(tmp_path: Path) -> None:
    checkout(tmp_path)
    dataset = kits_files.survey_folder(context(path=str(tmp_path))).artifact
    before = kits_files.survey_samples(context({"dataset": dataset}, count=None))
    assert (before.state, before.disk_bytes) == ("run", 43 * kits_files.CASE_BYTES)
    (tmp_path / "data" / "case_00207" / kits_files.IMAGE).write_bytes(b"another scan")
    after = kits_files.survey_samples(context({"dataset": dataset}, count=2))
    assert after.identity != before.identity
    assert after.disk_bytes == 2 * kits_files.CASE_BYTES


def test_nifti_files_need_the_extra_and_generated_cases_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kits_files, "find_spec", lambda name: None)
    needs = kits_files.survey_samples(context({"dataset": None}, {"dataset": {"nifti": True}}, count=None))
    assert (needs.state, needs.remedy) == ("missing", "pip install 'inferdeck[medical]'")
    small = kits_files.survey_samples(context({"dataset": None}, {"dataset": {"count": 8}}, count=None))
    assert small.state == "run"


def test_a_folder_of_generated_cases_lists_itself(tmp_path: Path) -> None:
    for name in ("b", "a", "other"):
        (tmp_path / name).mkdir()
    for name in ("b", "a"):
        (tmp_path / name / kits_files.GENERATED).write_bytes(b"case")
    assert kits_files.cases_of(Artifact(str(tmp_path), {})) == ["a", "b"]
    assert kits_files.complete(tmp_path, "a")
    with pytest.raises(DataError, match="holds no case"):
        kits_files.cases_of(Artifact(str(tmp_path / "other"), {}))
