"""Below a tree's root no link is followed by any operation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from engine.errors import DataError, InferdeckError, StoreError, UsageError
from engine.submission.tree import Tree, refuse_what_is_no_tree

DIVISIONS = ("closed", "open", "network")
FILE = PurePosixPath("a/b/file.txt")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "tree" / "a" / "b").mkdir(parents=True)
    (tmp_path / "tree" / FILE).write_text("inside")
    (tmp_path / "outside" / "b").mkdir(parents=True)
    (tmp_path / "outside" / "b" / "file.txt").write_text("outside")
    return Tree(tmp_path / "tree")


def test_files_are_read_written_and_found(tree: Tree) -> None:
    assert tree.read(FILE) == b"inside"
    tree.write(PurePosixPath("new/deep/x"), b"1")
    tree.write(FILE, b"2")
    assert [str(place) for place in tree.files()] == ["a/b/file.txt", "new/deep/x"]
    assert [str(place) for place in tree.glob("*/*/*.txt")] == ["a/b/file.txt"]
    assert not tree.exists(PurePosixPath("a/nothing"))
    assert not tree.exists(PurePosixPath("nothing/at/all"))
    assert not list(tree.root.rglob("*.part"))


@pytest.mark.parametrize("link", ["a", "a/b", "a/b/file.txt"])
def test_a_link_is_neither_read_nor_written_through(tree: Tree, tmp_path: Path, link: str) -> None:
    (tree.root / link).rename(tmp_path / "away")
    (tree.root / link).symlink_to(tmp_path / "outside" / Path(link).relative_to("a"))
    with pytest.raises(DataError, match=f"{link} is a link"):
        tree.read(FILE)
    with pytest.raises(DataError, match="is a link"):
        list(tree.files())
    with pytest.raises(DataError, match="is a link"):
        list(tree.glob("*/*/*", links=True))
    assert list(tree.glob("*/*/*")) == []
    if link != "a/b/file.txt":
        with pytest.raises(DataError, match="is a link"):
            tree.write(FILE, b"x")
    else:
        tree.write(FILE, b"x")
        assert tree.read(FILE) == b"x", "the link was replaced, not what it leads to"
    assert (tmp_path / "outside" / "b" / "file.txt").read_text() == "outside"


def test_a_pipe_is_refused_without_waiting(tree: Tree) -> None:
    os.mkfifo(tree.root / "pipe")
    with pytest.raises(DataError, match="pipe is not a plain file"):
        tree.read(PurePosixPath("pipe"))
    with pytest.raises(DataError, match="pipe is not a plain file"):
        list(tree.files())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tree: Tree) -> None:
    def halves() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"), tree.new(FILE) as out:
        out.writelines(halves())
    assert tree.read(FILE) == b"inside"
    assert [str(place) for place in tree.files()] == [str(FILE)]


@pytest.mark.parametrize("place", ["missing", "a", "a/b/file.txt/x"])
def test_faults_name_the_place(tree: Tree, place: str) -> None:
    with pytest.raises(InferdeckError) as caught:
        tree.read(PurePosixPath(place))
    assert str(tree.root / place.removesuffix("/x")) in caught.value.what
    assert caught.value.remedy


def test_a_limit_is_kept(tree: Tree) -> None:
    with pytest.raises(DataError, match="larger than 5 bytes"):
        tree.read(FILE, 5)
    with pytest.raises(StoreError, match="No such file"):
        tree.read(PurePosixPath("none"))


@pytest.mark.parametrize(
    ("folders", "given", "remedy"),
    [
        (["Network"], "", "rename Network to network"),
        (["t/open"], "", "did you mean"),
        (["t/closed"], "t/closed", "give the folder above it"),
        ([], "", "that holds closed/"),
    ],
)
def test_what_is_no_tree_is_named_with_the_nearest_that_is(
    tmp_path: Path, folders: list[str], given: str, remedy: str
) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(UsageError, match="is not a submission") as caught:
        refuse_what_is_no_tree(tmp_path / given, DIVISIONS)
    assert remedy in caught.value.remedy
