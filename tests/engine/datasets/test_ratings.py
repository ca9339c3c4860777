from pathlib import Path

import numpy as np
import pytest

from engine.datasets import ratings
from engine.errors import DataError
from engine.tasks import criteo_trace
from engine.tasks.criteo_files import COUNTS, TEST, TRACE
from tests.engine.datasets import film_ratings
from tests.engine.networks.running import step


def test_ratings_become_rows(tmp_path: Path) -> None:
    found = ratings.read(film_ratings.package(tmp_path, 10_500))
    assert (len(found.training), len(found.test)) == (500, 10_000)
    rows = np.concatenate([found.training, found.test])
    assert rows.min() == 0
    assert (rows[:, 14:] < found.tables).all()
    who, what = rows[:, 14] + 1, rows[:, 15] + 1
    np.testing.assert_array_equal(rows[:, 0], (who + what) % 2 == 0)
    np.testing.assert_array_equal(rows[:, 1], 18 + who)
    np.testing.assert_array_equal(rows[:, 2], np.where(what < 40, 50 + what, 0))
    np.testing.assert_array_equal(rows[:, 3], np.where((what < 40) & (what % 2 == 1), 2, 1))
    assert not rows[:, 4:14].any()
    genres = dict(zip(ratings.GENRES, rows[:, 21:].T, strict=True))
    np.testing.assert_array_equal(genres["War"], (what < 40) & (what % 2 == 1))
    np.testing.assert_array_equal(genres["unknown"], what == 40)


@pytest.mark.parametrize("count", [3, 40])
def test_the_test_file_has_as_many_samples_as_asked_for(tmp_path: Path, count: int) -> None:
    package = film_ratings.package(tmp_path / "package", 10_500)
    facts = ratings.test_rows(step(tmp_path, {"count": count}, {"package": package}))
    rows = np.fromfile(tmp_path / TEST, "<i4").reshape(-1, 40)
    assert len(criteo_trace.read(tmp_path / TRACE, len(rows))) == count
    assert facts == {"images": "", "labels": TEST, "count": count}
    np.testing.assert_array_equal(rows, ratings.read(package).test[: len(rows)])
    with np.load(tmp_path / COUNTS) as file:
        assert (rows[:, 14:].max(0) < file["counts"]).all()


@pytest.mark.parametrize(
    ("name", "text"), [("user", "names\n1\t2\n"), ("item", "names\n"), ("inter", "names\n1\t2\tgood\t0\n")]
)
def test_other_files_are_refused(tmp_path: Path, name: str, text: str) -> None:
    package = film_ratings.package(tmp_path, 10)
    (tmp_path / film_ratings.FOLDER / f"ml-100k.{name}").write_text(text)
    with pytest.raises(DataError, match="is not MovieLens 100k"):
        ratings.read(package)


def test_a_package_without_ratings_is_refused(tmp_path: Path) -> None:
    package = film_ratings.package(tmp_path, 10)
    package.facts["files"].pop()
    with pytest.raises(DataError, match=r"has no ml-100k.inter"):
        ratings.read(package)
