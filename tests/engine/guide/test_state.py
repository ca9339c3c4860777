"""What a guide saves, and the error for a file that no guide wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import StoreError
from engine.guide import state
from tests.helpers import folders_in


def test_a_guide_is_kept(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    guide = state.save(folders, state.Guide(name=state.FIRST, system="box", made=1.0, offer="real", category="both"))
    assert state.load(folders, state.FIRST) == guide


@pytest.mark.parametrize("field", ["category", "tuning", "targets"])
def test_a_choice_that_there_is_not_is_named(tmp_path: Path, field: str) -> None:
    folders = folders_in(tmp_path)
    path = state.folder_of(folders, state.FIRST) / state.FILE
    path.parent.mkdir(parents=True)
    path.write_text(f'{{"name": "first", "system": "box", "made": 1.0, "{field}": "nonsense"}}')
    with pytest.raises(StoreError, match="nonsense"):
        state.load(folders, state.FIRST)


def test_the_folder_of_the_data_is_read_by_its_older_name(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    path = state.folder_of(folders, state.FIRST) / state.FILE
    path.parent.mkdir(parents=True)
    path.write_text('{"name": "first", "system": "box", "made": 1.0, "offer": "photographs", "pictures": "/data"}')
    guide = state.load(folders, state.FIRST)
    assert (guide.offer, guide.data) == ("photographs", "/data")
    assert state.load(folders, state.save(folders, guide).name) == guide
