from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from engine.datasets.click_files import generate, write_day
from engine.datasets.clicks import LAST_DAY, ClickSet, Impressions, other_days
from engine.tasks import criteo_trace
from engine.tasks.criteo_files import COUNTS, DAYS, TEST, TRACE
from tests.engine.networks.running import step
from tests.engine.tasks import criteo_reference


@pytest.mark.parametrize("max_ind_range", [50, 40_000_000])
def test_the_test_file_is_what_the_reference_makes_of_the_days(tmp_path: Path, max_ind_range: int) -> None:
    facts = generate(step(tmp_path, {"count": 3, "seed": 5, "max_ind_range": max_ind_range}))
    assert facts == {"images": "", "labels": TEST, "count": 3}
    assert criteo_trace.read(tmp_path / TRACE, 600).tolist() == [200, 200, 200]

    days = [_lines(tmp_path, [one]) for one in other_days()]
    assert len(days) == DAYS - 1
    test = list(ClickSet(5).rows(LAST_DAY, 600))
    rows, sizes = criteo_reference.prepare([*days, _lines(tmp_path, test * 2)], max_ind_range)
    np.testing.assert_array_equal(np.fromfile(tmp_path / TEST, "<i4").reshape(-1, 40), rows)
    with np.load(tmp_path / COUNTS) as file:
        assert file["counts"].tolist() == sizes
    assert max(sizes) <= max_ind_range


def _lines(folder: Path, blocks: Iterable[Impressions]) -> list[str]:
    write_day(folder / "day", blocks)
    return (folder / "day").read_text("ascii").splitlines(keepends=True)
