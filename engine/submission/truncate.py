"""Cut accuracy logs to what a submission may hold, with the hash of the whole log beside the score.

By the rules of v2.1: the SHA-256 of the whole log goes as `hash=` line into accuracy.txt, and the log keeps its first
and last 4,096 bytes. Safe to kill and to run again at any moment: the copy comes first, then the hash, then the cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from engine.errors import DataError
from engine.profile.rounds import Round
from engine.store.files import disk_errors, sha256_of, write_atomic

LOG = "mlperf_log_accuracy.json"
SCORE = "accuracy.txt"
KEPT = 4096
"""Bytes kept at either end."""
GAP = b"\n\n...\n\n"

Action = Literal["truncated", "hashed", "left alone"]


class Truncated(msgspec.Struct, frozen=True):
    """What was done to one log."""

    path: Path
    action: Action
    """`hashed`: the log is small enough to stay whole."""


def truncate(tree: Path, backup: Path, rules: Round, submitter: str | None = None) -> list[Truncated]:
    """Truncate every accuracy log of a tree, or of one submitter; whole logs are copied to `backup` first.

    Raises DataError where a score is missing, or `backup` holds another log of that place.
    """
    return [_one(folder, backup / folder.relative_to(tree), rules) for folder in _folders(tree, rules, submitter)]


def _folders(tree: Path, rules: Round, submitter: str | None) -> Iterator[Path]:
    """Yield the accuracy folders of the results and of TEST01, in every division."""
    for division in rules.divisions:
        for owner in sorted(path for path in (tree / division).glob("*") if path.is_dir()):
            if submitter is None or owner.name == submitter:
                logs = [
                    *owner.glob(f"results/*/*/*/accuracy/{LOG}"),
                    *owner.glob(f"compliance/*/*/*/TEST01/accuracy/{LOG}"),
                ]
                yield from sorted(log.parent for log in logs)


def _one(folder: Path, backup: Path, rules: Round) -> Truncated:
    log, score = folder / LOG, folder / SCORE
    text = _score_text(score)
    small = log.stat().st_size <= rules.files.accuracy_log_max_bytes
    has_hash = re.search(rules.accuracy_hash, text, re.MULTILINE) is not None
    if has_hash and small:
        return Truncated(folder, "left alone")
    digest = sha256_of(log)
    if not small:
        _keep_copy(log, backup / LOG, digest)
    write_atomic(score, with_hash(text, digest, rules.accuracy_hash).encode())
    if small:
        return Truncated(folder, "hashed")
    with disk_errors(log), log.open("rb") as handle:
        head = handle.read(KEPT)
        handle.seek(-KEPT, 2)
        tail = handle.read()
    write_atomic(log, head + GAP + tail)
    return Truncated(folder, "truncated")


def with_hash(text: str, digest: str, pattern: str) -> str:
    """Return a score's text with exactly one hash line, on a line of its own at the end."""
    lines = [line for line in text.splitlines() if not re.match(pattern, line)]
    return "".join(f"{line}\n" for line in (*lines, f"hash={digest}"))


def _score_text(score: Path) -> str:
    if score.exists():
        with disk_errors(score):
            return score.read_text(encoding="utf-8")
    if score.parent.parent.name == "TEST01":
        return ""
    raise DataError(f"{score} is missing", "score the accuracy run before truncating")


def _keep_copy(log: Path, copy: Path, digest: str) -> None:
    if copy.exists():
        if sha256_of(copy) != digest:
            raise DataError(f"{copy} is another log than {log}", "give a backup folder of its own to each submission")
        return
    with disk_errors(copy):
        write_atomic(copy, log.read_bytes())
