"""The memory of a DLRM as a plan states it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.step import SurveyContext, SurveyResult
from engine.tasks import dlrm_form


def cut(rows: int) -> SurveyResult:
    return dlrm_form.survey_cut(SurveyContext({"rows_per_table": rows}, {}))


def test_a_cut_stand_in_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlrm_form, "free_memory", lambda: 24_000_000_000)
    seen = cut(1_000_000)
    assert seen.state == "run"
    assert "tables cut to 1,000,000 rows, 7,110,446 of 187,767,399 in all" in seen.text


def test_what_fits_half_of_the_memory_is_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlrm_form, "free_memory", lambda: 24_000_000_000)
    seen = cut(40_000_000)
    assert seen.state == "conflict"
    rows = int(seen.remedy.removeprefix("--adr.model.rows_per_table="))
    assert cut(rows).state == "run"
    assert cut(rows + 20_000).state == "conflict"


@pytest.mark.parametrize(("free", "state"), [(24_000_000_000, "conflict"), (120_000_000_000, "run")])
def test_the_whole_model_is_refused_before_it_is_fetched(
    monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    monkeypatch.setattr(dlrm_form, "free_memory", lambda: free)
    seen = dlrm_form.survey_published(SurveyContext({"max_ind_range": 40_000_000, "path": None}, {}))
    assert seen.state == state
    assert "96.9 GB of memory, shared by all sessions" in seen.text
    assert seen.fetch_bytes == dlrm_form.Form().table_bytes


def test_a_model_of_the_users_is_fetched_by_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(dlrm_form, "free_memory", lambda: 120_000_000_000)
    options: dict[str, Any] = {"max_ind_range": 10_000_000, "path": str(tmp_path), "filename": "tb0875_10M.pt"}
    seen = dlrm_form.survey_published(SurveyContext(options, {}))
    assert (seen.state, seen.fetch_bytes, seen.disk_bytes) == ("run", None, 0)
    assert dlrm_form.survey_checkpoint(SurveyContext(options, {})).state == "missing"
    (tmp_path / "tb0875_10M.pt").touch()
    assert dlrm_form.survey_checkpoint(SurveyContext(options, {})).state == "found"
    gone = options | {"path": str(tmp_path / "gone")}
    assert dlrm_form.survey_published(SurveyContext(gone, {})).state == "missing"
