"""Truncating by the rules: hash, cut, copy; twice, interrupted, small, and without a final newline."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError
from engine.submission.truncate import LOG, truncate, with_hash
from tests.engine.submission.results_folder import rules

RULES = rules()
WHOLE = bytes(range(33, 127)) * 500


def tree(tmp_path: Path, log: bytes = WHOLE, score: str = "accuracy=76.456%, good=1, total=1\n") -> Path:
    """Write accuracy folders in all three divisions, and one of TEST01."""
    for division in ("closed", "open", "network"):
        folder = tmp_path / "tree" / division / "Me" / "results" / "box" / "resnet50" / "Offline" / "accuracy"
        folder.mkdir(parents=True)
        (folder / LOG).write_bytes(log)
        (folder / "accuracy.txt").write_text(score)
    test = tmp_path / "tree" / "closed" / "Me" / "compliance" / "box" / "resnet50" / "Offline" / "TEST01" / "accuracy"
    test.mkdir(parents=True)
    (test / LOG).write_bytes(log)
    return tmp_path / "tree"


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_logs_are_cut_hashed_and_kept(tmp_path: Path) -> None:
    root = tree(tmp_path)
    before = {name: data for name, data in snapshot(root).items() if name.endswith(LOG)}
    done = truncate(root, tmp_path / "backup", RULES)
    assert [one.action for one in done] == ["truncated"] * 4
    assert snapshot(tmp_path / "backup") == before
    for one in done:
        log = (one.path / LOG).read_bytes()
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
    assert (root / "open/Me/results/box/resnet50/Offline/accuracy" / LOG).read_bytes() == WHOLE[:size]
    assert {one.action for one in truncate(root, tmp_path / "backup", RULES)} == {"left alone"}


def test_a_kill_between_hash_and_cut_is_made_good(tmp_path: Path) -> None:
    root, other = tree(tmp_path / "a"), tree(tmp_path / "b")
    truncate(other, tmp_path / "b-backup", RULES)
    for folder in root.rglob("accuracy"):
        score = folder / "accuracy.txt"
        score.write_text(
            with_hash(score.read_text() if score.exists() else "", hashlib.sha256(WHOLE).hexdigest(), "hash=")
        )
    truncate(root, tmp_path / "a-backup", RULES)
    assert snapshot(root) == snapshot(other)


def test_a_backup_of_another_log_is_not_overwritten(tmp_path: Path) -> None:
    root = tree(tmp_path)
    copy = tmp_path / "backup" / "closed/Me/results/box/resnet50/Offline/accuracy" / LOG
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"another")
    with pytest.raises(DataError, match="is another log"):
        truncate(root, tmp_path / "backup", RULES)
    assert copy.read_bytes() == b"another"


def test_a_missing_score_is_named(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "open/Me/results/box/resnet50/Offline/accuracy/accuracy.txt").unlink()
    with pytest.raises(DataError, match=r"accuracy\.txt is missing"):
        truncate(root, tmp_path / "backup", RULES)


def test_one_submitter_alone(tmp_path: Path) -> None:
    root = tree(tmp_path)
    assert truncate(root, tmp_path / "backup", RULES, "You") == []


@given(st.text(alphabet="ab=\nhs"), st.text(alphabet="0123456789abcdef", min_size=64, max_size=64))
def test_with_hash_is_stable(text: str, digest: str) -> None:
    once = with_hash(text, digest, RULES.accuracy_hash)
    assert with_hash(once, digest, RULES.accuracy_hash) == once
    assert once.endswith(f"hash={digest}\n")
