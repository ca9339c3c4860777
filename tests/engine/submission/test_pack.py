"""The zip: the same bytes for the same tree, and no pretence in it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from engine.errors import DataError
from engine.submission.generate import Request, generate
from engine.submission.pack import pack
from engine.submission.provenance import Calibration
from tests.engine.submission.results_folder import DESCRIPTION, rules, write_run

RULES = rules()


def made(tmp_path: Path, division: str = "open", changes: Mapping[str, object] = MappingProxyType({})) -> Path:
    """Return a tree of one result."""
    write_run(tmp_path / "results", "box", "resnet50", "Offline", changes)
    description = {**DESCRIPTION, "division": division}
    generate(Request(results=tmp_path / "results", out=tmp_path / "tree", sut="box", description=description), RULES)
    return tmp_path / "tree"


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    tree = made(tmp_path)
    first = pack(tree, tmp_path / "a.zip").read_bytes()
    for path in tree.rglob("*"):
        os.utime(path, (1, 1))
    assert pack(tree, tmp_path / "b.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        assert "tree/open/Me/systems/box.json" in names
        assert names == sorted(names)
        assert archive.testzip() is None


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"style": "test"}, "style test"),
        ({"notice": "a demonstration"}, "a demonstration"),
        ({"stand_in": True}, "stand-in"),
    ],
)
def test_a_pretence_needs_its_mark(tmp_path: Path, changes: dict[str, object], what: str) -> None:
    tree = made(tmp_path, changes=changes)
    assert pack(tree, tmp_path / "marked.zip").exists()
    (tree / "DEMONSTRATION.txt").unlink()
    with pytest.raises(DataError, match=what):
        pack(tree, tmp_path / "unmarked.zip")
    assert not (tmp_path / "unmarked.zip").exists()


@pytest.mark.parametrize("division", ["closed", "network"])
def test_a_stand_in_can_never_be_closed(tmp_path: Path, division: str) -> None:
    tree = made(tmp_path, division, {"stand_in": True})
    with pytest.raises(DataError, match="can never be in"):
        pack(tree, tmp_path / "a.zip")


@pytest.mark.parametrize("division", ["closed", "network"])
def test_a_model_calibrated_with_other_pictures_can_only_be_open(tmp_path: Path, division: str) -> None:
    own = Calibration(text="9 pictures of mine", by_rules=False, sha256="0" * 64)
    with pytest.raises(DataError, match=f"9 pictures of mine: {division} allows only a list of the rules"):
        pack(made(tmp_path / "a", division, {"calibration": own}), tmp_path / "a.zip")
    by_rules = Calibration(text="500 pictures of list 1", by_rules=True, sha256="0" * 64)
    assert pack(made(tmp_path / "b", division, {"calibration": by_rules}), tmp_path / "b.zip").exists()
    assert pack(made(tmp_path / "c", "open", {"calibration": own}), tmp_path / "c.zip").exists()
