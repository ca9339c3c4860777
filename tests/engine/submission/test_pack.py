"""The zip: deterministic, and without results that are not submittable."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from engine.errors import DataError, InferdeckError
from engine.facts import CalibratedFacts
from engine.submission.checker.check import check
from engine.submission.generate import Request, generate
from engine.submission.pack import pack, refuse_the_refused
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
    first = pack(tree, tmp_path / "a.zip").file.read_bytes()
    for path in tree.rglob("*"):
        os.utime(path, (1, 1))
    assert pack(tree, tmp_path / "b.zip").file.read_bytes() == first
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
        ({"stand_in": True}, "synthetic weights"),
    ],
)
def test_a_pretence_needs_its_mark(tmp_path: Path, changes: dict[str, object], what: str) -> None:
    tree = made(tmp_path, changes=changes)
    assert pack(tree, tmp_path / "marked.zip").file.exists()
    (tree / "DEMONSTRATION.md").unlink()
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
    own = CalibratedFacts(text="9 images of mine", by_rules=False, sha256="0" * 64)
    with pytest.raises(DataError, match=f"9 images of mine: {division} allows only a list of the rules"):
        pack(made(tmp_path / "a", division, {"calibration": own}), tmp_path / "a.zip")
    by_rules = CalibratedFacts(text="500 images of list 1", by_rules=True, sha256="0" * 64)
    assert pack(made(tmp_path / "b", division, {"calibration": by_rules}), tmp_path / "b.zip").file.exists()
    assert pack(made(tmp_path / "c", "open", {"calibration": own}), tmp_path / "c.zip").file.exists()


def test_what_was_packed_is_said(tmp_path: Path) -> None:
    tree = made(tmp_path)
    packed = pack(tree, tmp_path / "a.zip")
    assert packed.files == len([path for path in tree.rglob("*") if path.is_file()])
    assert packed.size == packed.file.stat().st_size


@pytest.mark.parametrize("kind", ["link", "folder link", "dangling", "pipe", "name", "empty", "inside"])
def test_what_no_zip_may_hold_is_named_and_no_zip_is_left(tmp_path: Path, kind: str) -> None:
    tree, target = made(tmp_path), tmp_path / "a.zip"
    odd = tree / "open" / "Me" / "code" / "odd"
    (tmp_path / "secret.txt").write_text("secret")
    if kind in ("link", "folder link", "dangling"):
        odd.symlink_to(tmp_path / {"link": "secret.txt", "folder link": ".", "dangling": "nothing"}[kind])
    elif kind == "pipe":
        os.mkfifo(odd)
    elif kind == "name":
        Path(os.fsdecode(os.fsencode(odd) + b"\xe9")).write_text("x")
    elif kind == "empty":
        shutil.rmtree(tree)
        (tree / "open").mkdir(parents=True)
    else:
        target = tree / "a.zip"
    what = {"pipe": "not a plain file", "name": "not UTF-8", "empty": "holds no file", "inside": "is in the tree"}
    with pytest.raises(InferdeckError, match=what.get(kind, "odd is a link")):
        pack(tree, target)
    assert not target.exists()
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".part"]


def test_a_link_laid_where_the_zip_is_begun_is_not_written_through(tmp_path: Path) -> None:
    tree, victim = made(tmp_path), tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".a.zip.part").symlink_to(victim)
    pack(tree, tmp_path / "a.zip")
    assert victim.read_text() == "mine"


def test_what_the_checker_refuses_says_where_and_how_to_see_it(tmp_path: Path) -> None:
    tree = made(tmp_path)
    with pytest.raises(DataError, match=r"the checker rejects .*: .*the first of [0-9]+ errors") as caught:
        refuse_the_refused(tree, check(tree, RULES))
    assert caught.value.remedy.endswith(f"inferdeck submission check {tree}")
