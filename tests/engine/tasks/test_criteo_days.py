import errno
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DataError
from engine.tasks import criteo_days, criteo_trace
from engine.tasks.criteo_files import COUNTS, DAYS, TEST, TRACE
from tests.engine.tasks import criteo_day_cases, criteo_reference


def made(days: list[list[str]], max_ind_range: int, folder: Path) -> tuple[np.ndarray, list[int]]:
    """Return the test rows and the sizes of the dictionaries, the days read in another order than theirs."""
    criteo_day_cases.write(folder, days, packed=(3, DAYS - 1))
    work = folder / "work"
    work.mkdir()
    for source in sorted(folder.glob("day_*"), key=lambda path: path.name[::-1]):
        day = int(source.stem.removeprefix("day_"))
        assert not criteo_days.is_read(work, day)
        criteo_days.read_day(source, day, max_ind_range, work, lambda place: None)
        assert criteo_days.is_read(work, day)
    told: list[tuple[int, int]] = []
    samples = criteo_days.merge(work, max_ind_range, folder, lambda done, total: told.append((done, total)))
    rows = np.fromfile(folder / TEST, "<i4").reshape(-1, 40)
    assert samples == len(criteo_trace.read(folder / TRACE, len(rows)))
    assert told[-1] == (len(rows), len(rows))
    with np.load(folder / COUNTS) as file:
        return rows, file["counts"].tolist()


@pytest.mark.parametrize(("last", "max_ind_range"), [(430, 1_000_000), (431, 13), (1, 1)])
def test_the_days_become_what_the_reference_makes_of_them(tmp_path: Path, last: int, max_ind_range: int) -> None:
    days = [criteo_day_cases.lines(day, 3) for day in range(DAYS - 1)] + [criteo_day_cases.lines(DAYS, last)]
    rows, sizes = criteo_reference.prepare(days, max_ind_range)
    found, counts = made(days, max_ind_range, tmp_path)
    np.testing.assert_array_equal(found, rows)
    assert len(found) == (last + 1) // 2
    assert counts == sizes


def test_nothing_is_kept_of_a_day_that_could_not_be_read(tmp_path: Path) -> None:
    lines = criteo_day_cases.lines(1, 5)
    criteo_day_cases.write(tmp_path, [[*lines, "1\tx\n"]])
    for day in (0, DAYS - 1):
        with pytest.raises(DataError, match="day_0:6: 2 columns"):
            criteo_days.read_day(tmp_path / "day_0", day, 100, tmp_path, lambda place: None)
        assert not criteo_days.is_read(tmp_path, day)


def test_a_full_disk_in_the_middle_of_a_day_leaves_it_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    criteo_day_cases.write(tmp_path, [criteo_day_cases.lines(1, 5)])

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "full", str(path))

    with monkeypatch.context() as patched:
        patched.setattr("engine.tasks.criteo_days.new_beside", full)
        with pytest.raises(OSError, match="full"):
            criteo_days.read_day(tmp_path / "day_0", 5, 100, tmp_path, lambda place: None)
    assert not criteo_days.is_read(tmp_path, 5)
    criteo_days.read_day(tmp_path / "day_0", 5, 100, tmp_path, lambda place: None)
    assert criteo_days.is_read(tmp_path, 5)
