"""Truncation by the rules: hash, truncate, copy; repeated, interrupted, small logs, and without a final newline."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError, StoreError, UsageError
from engine.mlperf import ACCURACY_LOG
from engine.submission.tree import Tree
from engine.submission.truncate import truncate, with_hash
from tests.engine.profile.later_round import later_round
from tests.engine.submission.results_folder import rules

RULES = rules()
WHOLE = bytes(range(33, 127)) * 500
PLACE = "open/Me/results/box/resnet50/Offline/accuracy"


def tree(tmp_path: Path, log: bytes = WHOLE, score: str = "accuracy=76.456%, good=1, total=1\n") -> Path:
    """Write accuracy folders in all three divisions, and one of TEST01."""
    for division in ("closed", "open", "network"):
        folder = tmp_path / "tree" / division / "Me" / "results" / "box" / "resnet50" / "Offline" / "accuracy"
        folder.mkdir(parents=True)
        (folder / ACCURACY_LOG).write_bytes(log)
        (folder / "accuracy.txt").write_text(score)
    test = tmp_path / "tree" / "closed" / "Me" / "compliance" / "box" / "resnet50" / "Offline" / "TEST01" / "accuracy"
    test.mkdir(parents=True)
    (test / ACCURACY_LOG).write_bytes(log)
    return tmp_path / "tree"


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_logs_are_cut_hashed_and_kept(tmp_path: Path) -> None:
    root = tree(tmp_path)
    before = {name: data for name, data in snapshot(root).items() if name.endswith(ACCURACY_LOG)}
    done = truncate(root, tmp_path / "backup", RULES)
    assert [one.action for one in done] == ["truncated"] * 4
    assert snapshot(tmp_path / "backup") == before
    for one in done:
        log = (one.path / ACCURACY_LOG).read_bytes()
        assert log == WHOLE[:4096] + b"\n\n...\n\n" + WHOLE[-4096:]
        assert len(log) == 8199
        text = (one.path / "accuracy.txt").read_text()
        assert text.endswith(f"\nhash={hashlib.sha256(WHOLE).hexdigest()}\n") or text.startswith("hash=")
    after = snapshot(root)
    assert [one.action for one in truncate(root, tmp_path / "backup", RULES)] == ["left alone"] * 4
    assert snapshot(root) == after


@pytest.mark.parametrize(
    "score", ["accuracy=1.000%, good=1, total=1", "accuracy=1.000%, good=1, total=1\n", "x\nhash=abc\n"]
)
def test_the_hash_stands_on_a_line_of_its_own_once(tmp_path: Path, score: str) -> None:
    root = tree(tmp_path, score=score)
    truncate(root, tmp_path / "backup", RULES)
    text = (root / "open/Me/results/box/resnet50/Offline/accuracy/accuracy.txt").read_text()
    assert text.splitlines() == [score.splitlines()[0], f"hash={hashlib.sha256(WHOLE).hexdigest()}"]


@pytest.mark.parametrize("size", [0, 4, 4095, 4096, 8198, 8199, 10_240])
def test_a_small_log_stays_whole(tmp_path: Path, size: int) -> None:
    root = tree(tmp_path, log=WHOLE[:size])
    assert {one.action for one in truncate(root, tmp_path / "backup", RULES)} == {"hashed"}
    assert (root / "open/Me/results/box/resnet50/Offline/accuracy" / ACCURACY_LOG).read_bytes() == WHOLE[:size]
    assert {one.action for one in truncate(root, tmp_path / "backup", RULES)} == {"left alone"}


def test_a_kill_between_hash_and_cut_is_made_good(tmp_path: Path) -> None:
    root, other = tree(tmp_path / "a"), tree(tmp_path / "b")
    truncate(other, tmp_path / "b-backup", RULES)
    for folder in root.rglob("accuracy"):
        score = folder / "accuracy.txt"
        before = score.read_bytes() if score.exists() else b""
        score.write_bytes(with_hash(before, hashlib.sha256(WHOLE).hexdigest(), RULES.accuracy_hash))
    truncate(root, tmp_path / "a-backup", RULES)
    assert snapshot(root) == snapshot(other)


def test_a_backup_of_another_log_is_not_overwritten(tmp_path: Path) -> None:
    root = tree(tmp_path)
    copy = tmp_path / "backup" / "closed/Me/results/box/resnet50/Offline/accuracy" / ACCURACY_LOG
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"another")
    with pytest.raises(DataError, match="is a different log"):
        truncate(root, tmp_path / "backup", RULES)
    assert copy.read_bytes() == b"another"


def test_a_missing_score_is_named(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "open/Me/results/box/resnet50/Offline/accuracy/accuracy.txt").unlink()
    with pytest.raises(DataError, match=r"accuracy\.txt is missing"):
        truncate(root, tmp_path / "backup", RULES)


def test_one_submitter_alone(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "open" / "Me").rename(root / "open" / "You")
    done = truncate(root, tmp_path / "backup", RULES, "You")
    assert [one.path.relative_to(root).parts[:2] for one in done] == [("open", "You")]
    with pytest.raises(UsageError, match="has no submitter 'you'") as caught:
        truncate(root, tmp_path / "backup", RULES, "you")
    assert "did you mean 'You'" in caught.value.remedy


@pytest.mark.parametrize(
    ("place", "remedy"), [("tree/open", "folder above it"), ("", "did you mean"), ("empty", "give")]
)
def test_what_is_no_tree_is_refused(tmp_path: Path, place: str, remedy: str) -> None:
    tree(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is not a submission") as caught:
        truncate(tmp_path / place, tmp_path.with_name("backup"), RULES)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("place", ["tree", "tree/whole", "tree/../tree", "", "to-tree"])
def test_a_backup_that_overlaps_the_tree_is_refused(tmp_path: Path, place: str) -> None:
    root = tree(tmp_path)
    (tmp_path / "to-tree").symlink_to("tree")
    before = snapshot(tmp_path)
    with pytest.raises(UsageError, match="overlaps the tree"):
        truncate(root, tmp_path / place, RULES)
    assert snapshot(tmp_path) == before


def test_a_copy_that_is_the_log_itself_is_no_copy(tmp_path: Path) -> None:
    root = tree(tmp_path)
    shutil.copytree(root, tmp_path / "backup", copy_function=os.link)
    before = snapshot(tmp_path)
    with pytest.raises(DataError, match="the same file"):
        truncate(root, tmp_path / "backup", RULES)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("score", [b"r\xe9sum\xe9\r\naccuracy=1%", b"\xff\xfea\x00\n\x00", b"a\x85b\x0cc\r\rd\n", b""])
def test_a_score_is_kept_byte_by_byte(tmp_path: Path, score: bytes) -> None:
    root = tree(tmp_path)
    path = root / PLACE / "accuracy.txt"
    path.write_bytes(score)
    truncate(root, tmp_path / "backup", RULES)
    written = path.read_bytes()
    assert written.startswith(score)
    assert written[len(score) :].lstrip(b"\n") == f"hash={hashlib.sha256(WHOLE).hexdigest()}\n".encode()


LINKS = {
    "score": (f"{PLACE}/accuracy.txt", "accuracy.txt"),
    "log": (f"{PLACE}/{ACCURACY_LOG}", ACCURACY_LOG),
    "accuracy": (PLACE, "accuracy"),
    "scenario": (str(Path(PLACE).parent), "Offline"),
    "submitter": ("open/Me", "Me"),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_in_the_tree_is_named_and_nothing_is_changed(tmp_path: Path, name: str) -> None:
    root = tree(tmp_path)
    inside, last = LINKS[name]
    (root / inside).rename(tmp_path / "outside")
    (root / inside).symlink_to(tmp_path / "outside")
    before = snapshot(tmp_path)
    with pytest.raises(DataError, match=f"{last} is a link"):
        truncate(root, tmp_path / "backup", RULES)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("inside", ["", "closed", "closed/Me/results"])
def test_a_link_in_the_backup_is_not_followed(tmp_path: Path, inside: str) -> None:
    root = tree(tmp_path)
    (tmp_path / "outside").mkdir()
    link = tmp_path / "backup" / inside
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path / "outside")
    before = snapshot(tmp_path)
    with pytest.raises(DataError, match="is a link"):
        truncate(root, tmp_path / "backup", RULES)
    assert snapshot(tmp_path) == before


def without_hashes(root: Path) -> None:
    for score in root.rglob("accuracy.txt"):
        score.write_bytes(b"".join(line for line in score.read_bytes().splitlines(True) if b"hash=" not in line))


def test_a_log_that_is_cut_already_is_never_hashed(tmp_path: Path) -> None:
    root = tree(tmp_path)
    truncate(root, tmp_path / "backup", RULES)
    whole = snapshot(root)
    without_hashes(root)
    before = snapshot(root)
    with pytest.raises(DataError, match="is already truncated") as caught:
        truncate(root, tmp_path / "other", RULES)
    assert "--backup=DIR" in caught.value.remedy
    assert snapshot(root) == before
    assert {one.action for one in truncate(root, tmp_path / "backup", RULES)} == {"hashed"}
    assert snapshot(root) == whole, "the hash was found in the backup"


def test_the_hash_of_a_cut_log_is_mended(tmp_path: Path) -> None:
    root = tree(tmp_path)
    truncate(root, tmp_path / "backup", RULES)
    whole = snapshot(root)
    for log in root.rglob(ACCURACY_LOG):
        score = log.with_name("accuracy.txt")
        cut = hashlib.sha256(log.read_bytes()).hexdigest()
        score.write_bytes(with_hash(score.read_bytes(), cut, RULES.accuracy_hash))
    for copy in (tmp_path / "backup").rglob(ACCURACY_LOG):
        copy.rename(copy.with_suffix(".aside"))
        copy.write_bytes(WHOLE[:-1] + b"?")
    with pytest.raises(DataError, match="is not its full log"):
        truncate(root, tmp_path / "backup", RULES)
    for copy in (tmp_path / "backup").rglob("*.aside"):
        copy.rename(copy.with_suffix(".json"))
    truncate(root, tmp_path / "backup", RULES)
    assert snapshot(root) == whole


def test_a_small_log_that_was_replaced_gets_its_own_hash(tmp_path: Path) -> None:
    root = tree(tmp_path, log=b"[\n]\n", score=f"accuracy=1%\nhash={'0' * 64}\n")
    assert {one.action for one in truncate(root, tmp_path / "backup", RULES)} == {"hashed"}
    assert hashlib.sha256(b"[\n]\n").hexdigest() in (root / PLACE / "accuracy.txt").read_text()


def test_a_fault_in_one_folder_leaves_all_as_it_was(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / PLACE / "accuracy.txt").unlink()
    before = snapshot(tmp_path)
    with pytest.raises(DataError, match="is missing"):
        truncate(root, tmp_path / "backup", RULES)
    assert snapshot(tmp_path) == before


def test_a_disk_that_fills_up_says_where_the_whole_copies_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path)
    write = Tree.write

    def full(self: Tree, place: PurePosixPath, data: bytes) -> None:
        if place.parts[0] == "open":
            raise StoreError("the disk is full", "free some space")
        write(self, place, data)

    monkeypatch.setattr(Tree, "write", full)
    with pytest.raises(StoreError, match="the disk is full") as caught:
        truncate(root, tmp_path / "backup", RULES)
    assert str(tmp_path / "backup") in caught.value.remedy
    monkeypatch.undo()
    truncate(root, tmp_path / "backup", RULES)
    assert {log.stat().st_size for log in root.rglob(ACCURACY_LOG)} == {8199}
    assert {log.read_bytes() for log in (tmp_path / "backup").rglob(ACCURACY_LOG)} == {WHOLE}


@given(st.binary() | st.text(alphabet="ab=\nhs").map(str.encode), st.text(alphabet="0123456789abcdef", min_size=64))
def test_with_hash_is_stable(score: bytes, digest: str) -> None:
    once = with_hash(score, digest, RULES.accuracy_hash)
    assert with_hash(once, digest, RULES.accuracy_hash) == once
    assert once.endswith(f"hash={digest}\n".encode())


def test_the_round_says_which_tests_have_a_log_and_how_much_is_kept(tmp_path: Path) -> None:
    root = tree(tmp_path)
    test = root / "closed" / "Me" / "compliance" / "box" / "resnet50" / "Offline"
    shutil.copytree(test / "TEST01", test / "TEST06")
    shutil.copytree(test / "TEST01", test / "TEST05")
    changed = later_round(tmp_path, **{"accuracy_log_kept_bytes: 4096": "accuracy_log_kept_bytes: 100"})
    done = truncate(root, tmp_path / "backup", changed)
    assert {one.path.parent.name for one in done} == {"Offline", "TEST01", "TEST06"}
    assert (test / "TEST06" / "accuracy" / ACCURACY_LOG).read_bytes() == WHOLE[:100] + b"\n\n...\n\n" + WHOLE[-100:]
    assert (test / "TEST05" / "accuracy" / ACCURACY_LOG).read_bytes() == WHOLE
