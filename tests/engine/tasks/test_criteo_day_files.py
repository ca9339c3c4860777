from pathlib import Path
from typing import Any

import pytest

from engine.step import Artifact, SurveyContext
from engine.tasks import criteo_day_files
from engine.tasks.criteo_files import DAYS, TEST

RULES = {"path": None, "url": ["https://example.org/day_{day}.gz"], "max_ind_range": 40_000_000}


def look(path: Path | None, **others: Any) -> Any:
    """Survey a folder."""
    return criteo_day_files.survey(SurveyContext({**RULES, "path": str(path) if path else None}, {}, **others))


def days(folder: Path) -> None:
    """Write 24 days of about 1,000 rows."""
    for day in range(DAYS):
        (folder / f"day_{day}{'.gz' if day % 2 else ''}").write_bytes(bytes(78_000 if day % 2 else 250_000))


def test_without_a_folder_the_plan_says_what_is_fetched_and_what_it_takes() -> None:
    found = look(None)
    assert found.state == "run"
    assert found.fetch_bytes == 343_000_000_000
    assert 43e9 < found.disk_bytes < 43e9 + 64 * 15e9
    assert found.seconds > 343e9 / 12.5e6
    assert found.expected_facts == {"count": 330_067}
    assert "24 days of 14.3 GB are fetched" in found.text
    assert "of memory" in found.text


def test_a_folder_of_days_is_read(tmp_path: Path) -> None:
    days(tmp_path)
    found = look(tmp_path)
    assert found.state == "run"
    assert "about 23,9" in found.text or "about 24,0" in found.text
    assert found.fetch_bytes is None
    assert found.disk_bytes < 1_000_000
    (tmp_path / "day_7.gz").write_bytes(bytes(78_001))
    assert look(tmp_path).identity != found.identity


def test_missing_days_are_named(tmp_path: Path) -> None:
    days(tmp_path)
    (tmp_path / "day_7.gz").unlink()
    (tmp_path / "day_22").unlink()
    found = look(tmp_path)
    assert found.state == "missing"
    assert f"has no {TEST}, and no day_7, day_22" in found.text
    assert "--env.CRITEO_PATH" in found.remedy


@pytest.mark.parametrize("given", ["", TEST])
def test_the_file_of_the_reference_is_taken_as_it_is(tmp_path: Path, given: str) -> None:
    days(tmp_path)
    (tmp_path / TEST).write_bytes(bytes(160))
    found = look(tmp_path / given)
    assert found.state == "found"
    assert found.artifact.folder == tmp_path


def test_days_that_are_made_are_read(tmp_path: Path) -> None:
    days(tmp_path)
    made = {"days": Artifact(str(tmp_path), {"images": "", "count": 5})}
    assert criteo_day_files.survey(SurveyContext(RULES, made)).state == "run"
    to_come = SurveyContext(RULES, {"days": None}, expected_facts={"days": {"count": 5}})
    assert criteo_day_files.survey(to_come).expected_facts == {"count": 5}


def test_as_many_days_are_read_at_once_as_memory_is_free_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(criteo_day_files, "usable_cores", lambda: 64)
    for free, at_once in ((1e9, 1), (6e9, 2), (1e12, DAYS)):
        monkeypatch.setattr(criteo_day_files, "free_memory", lambda free=free: int(free))
        assert criteo_day_files.at_once(40_000_000) == at_once
