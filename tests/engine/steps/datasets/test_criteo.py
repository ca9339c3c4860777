import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import events
from engine.errors import DataError, FetchError, StoreError
from engine.steps.datasets.criteo import test_rows as prepare
from engine.tasks import criteo_days
from engine.tasks.criteo_files import COUNTS, DAYS, TEST, TRACE
from tests.engine.networks.running import step
from tests.engine.tasks import criteo_day_cases, criteo_reference

RANGE = 100


@pytest.fixture
def days(tmp_path: Path) -> list[list[str]]:
    """24 days in a folder, every third one packed."""
    found = [criteo_day_cases.lines(day, 4) for day in range(DAYS - 1)] + [criteo_day_cases.lines(DAYS, 700)]
    (tmp_path / "days").mkdir()
    criteo_day_cases.write(tmp_path / "days", found, packed=range(0, DAYS, 3))
    return found


def options(tmp_path: Path, **others: Any) -> dict[str, Any]:
    return {"path": str(tmp_path / "days"), "url": [], "max_ind_range": RANGE, **others}


def same(output: Path, days: list[list[str]]) -> None:
    """Hold what was written against the reference's arithmetic."""
    rows, sizes = criteo_reference.prepare(days, RANGE)
    np.testing.assert_array_equal(np.fromfile(output / TEST, "<i4").reshape(-1, 40), rows)
    with np.load(output / COUNTS) as file:
        assert file["counts"].tolist() == sizes
    assert sorted(path.name for path in output.iterdir()) == sorted([TEST, COUNTS, TRACE])


def test_a_folder_of_days_becomes_the_test_file(tmp_path: Path, days: list[list[str]]) -> None:
    output, said = tmp_path / "output", list[events.AnyEvent]()
    output.mkdir()
    facts = prepare(step(output, options(tmp_path), said=said))
    same(output, days)
    assert facts == {"images": "", "labels": TEST, "count": 2}
    done = [one.done for one in said if isinstance(one, events.Progress) and one.unit == "days"]
    assert done == sorted(done)
    assert done[-1] == DAYS


def test_days_are_fetched_one_by_one_and_deleted(tmp_path: Path, days: list[list[str]]) -> None:
    for day in range(DAYS):
        (tmp_path / "days" / f"day_{day}").unlink(missing_ok=True)
    criteo_day_cases.write(tmp_path / "days", days, packed=range(DAYS))
    output = tmp_path / "output"
    output.mkdir()
    url = [(tmp_path / "days").as_uri() + "/day_{day}.gz"]
    prepare(step(output, options(tmp_path, path=None, url=url)))
    same(output, days)


def test_a_day_that_can_not_be_fetched_stops_it(tmp_path: Path, days: list[list[str]]) -> None:
    output = tmp_path / "output"
    output.mkdir()
    with pytest.raises(FetchError, match="day_"):
        prepare(step(output, options(tmp_path, path=None, url=[(tmp_path / "days").as_uri() + "/day_{day}.gz"])))


def test_after_a_bad_line_only_days_that_were_not_read_are_read(tmp_path: Path, days: list[list[str]]) -> None:
    output, bad = tmp_path / "output", tmp_path / "days" / "day_20"
    output.mkdir()
    good = bad.read_bytes()
    bad.write_bytes(good + b"1\tcut off")
    with pytest.raises(DataError, match=r"day_20:5: the file ends within the line"):
        prepare(step(output, options(tmp_path)))
    read = [day for day in range(DAYS) if criteo_days.is_read(output / "days", day)]
    assert read
    for day in read:
        for path in (tmp_path / "days").glob(f"day_{day}*"):
            if path.stem == f"day_{day}":
                path.write_bytes(b"what was read is not read again")
    bad.write_bytes(good)
    prepare(step(output, options(tmp_path)))
    same(output, days)


def test_a_full_disk_is_named_and_nothing_is_lost(
    tmp_path: Path, days: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "output"
    output.mkdir()

    def full(path: Path) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patched:
        patched.setattr("engine.tasks.criteo_days.new_beside", full)
        with pytest.raises(StoreError, match=f"the disk is full at .*{TEST}"):
            prepare(step(output, options(tmp_path)))
    assert not (output / TEST).exists()
    assert all(criteo_days.is_read(output / "days", day) for day in range(DAYS))
    prepare(step(output, options(tmp_path)))
    same(output, days)


def test_a_last_day_without_rows_is_refused(tmp_path: Path, days: list[list[str]]) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (tmp_path / "days" / "day_23").write_bytes(b"")
    with pytest.raises(DataError, match="day_23 has no rows"):
        prepare(step(output, options(tmp_path)))
