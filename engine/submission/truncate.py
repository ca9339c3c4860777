"""Truncate accuracy logs for a submission, with the hash of the full log next to the score.

By the rules, the SHA-256 of the full log goes as `hash=` line into accuracy.txt, and the log keeps its first and last
bytes: 4,096 of each in v2.1. Nothing is changed before every log was examined and every full copy was verified. Safe to
kill and to run again at any moment: the copy comes first, then the hash, then the truncation.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

import msgspec

from engine.errors import DataError, InferdeckError, UsageError
from engine.mlperf import ACCURACY_LOG, ACCURACY_TEXT, TRUNCATION_MARK
from engine.profile.rounds import Round
from engine.submission.tree import Tree, literal, refuse_unknown_submitter, refuse_what_is_no_tree, tree_divisions

_SHA256 = re.compile(rb"[0-9a-f]{64}")
_PIECE = 1 << 20

Action = Literal["truncated", "hashed", "left alone"]


class Truncated(msgspec.Struct, frozen=True):
    """What was done to one log."""

    path: Path
    action: Action
    """`hashed`: the log was left unchanged, because it is small enough or truncated already."""


def whole_logs(tree: Path) -> Path:
    """Return the default folder for the full copies of a tree's logs."""
    return tree.with_name(f"{tree.name}-whole-logs")


def truncate(tree: Path, backup: Path, rules: Round, submitter: str | None = None) -> list[Truncated]:
    """Truncate every accuracy log of a tree, or of one submitter; full logs are copied to `backup` first.

    Raises UsageError where `tree` is not a submission, has no such submitter, or overlaps `backup`; DataError where a
    score is missing, the hash of a log that is already truncated is unknown, something is a link, or `backup` holds a
    different log at that place.
    """
    refuse_what_is_no_tree(tree, rules.divisions)
    refuse_unknown_submitter(tree, rules.divisions, submitter)
    _refuse_overlap(tree, backup)
    work = _Work(Tree(tree), Tree(backup.parent), PurePosixPath(backup.name), rules)
    found = [work.examine(folder) for folder in _folders(work.tree, rules, submitter)]
    for one in found:
        if one.action == "truncated":
            work.keep_copy(one)
    return [work.finish(one) for one in found]


def _refuse_overlap(tree: Path, backup: Path) -> None:
    inner, outer = tree.resolve(), backup.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise UsageError(
            f"the backup folder {backup} overlaps the tree {tree}",
            f"name a folder that is neither in the tree nor around it, or none: the default is {whole_logs(tree)}",
        )


def _folders(tree: Tree, rules: Round, submitter: str | None) -> Iterator[PurePosixPath]:
    """Yield the accuracy folders of results and of tests that have one, in every division.

    Raises DataError for a link.
    """
    owner = "*" if submitter is None else literal(submitter)
    for division in tree_divisions(tree.root, rules.divisions):
        every = {"system": "*", "benchmark": "*", "scenario": "*"}
        compliance = rules.layout.compliance.format(**every)
        for inside in (rules.layout.results.format(**every), *(f"{compliance}/{test}" for test in _tests(rules))):
            yield from (
                log.parent for log in tree.glob(f"{division}/{owner}/{inside}/accuracy/{ACCURACY_LOG}", links=True)
            )


def _tests(rules: Round) -> list[str]:
    """Return the compliance tests that produce an accuracy log."""
    return [name for name, test in rules.compliance.items() if test.accuracy]


@dataclass(frozen=True)
class _Pending:
    """What is to be done to one log."""

    folder: PurePosixPath
    action: Action
    score: bytes
    """The present content of accuracy.txt."""
    digest: str
    """SHA-256 of the full log."""
    stamp: tuple[int, int, int]
    """Identifies the examined state of the log, to detect later changes."""


@dataclass(frozen=True)
class _Work:
    """A tree that is being truncated, and the place of its full logs."""

    tree: Tree
    backup_parent: Tree
    """The folder that contains the backup, so that the backup itself is not a link either."""
    backup: PurePosixPath
    rules: Round

    def examine(self, folder: PurePosixPath) -> _Pending:
        """Decide what is to be done, changing nothing."""
        score = self._score(folder)
        hashes = _hashes(score, self.rules.accuracy_hash)
        with self.tree.open(folder / ACCURACY_LOG) as file:
            stamp = _stamp(file)
            digest, is_cut = _digest(file)
        action: Action = "truncated"
        if is_cut:
            given = next(iter(hashes)) if len(hashes) == 1 else b""
            known = _SHA256.fullmatch(given) is not None and given != digest.encode()
            action = "left alone" if known else "hashed"
            digest = "" if known else self._digest_of_copy(folder)
        elif stamp[1] <= self.rules.files.accuracy_log_max_bytes:
            action = "left alone" if hashes == {digest.encode()} else "hashed"
        elif self._has_copy(folder):
            self._refuse_other_copy(folder, digest)
        return _Pending(folder, action, score, digest, stamp)

    def _score(self, folder: PurePosixPath) -> bytes:
        place = folder / ACCURACY_TEXT
        if self.tree.exists(place):
            return self.tree.read(place)
        if folder.parent.name in _tests(self.rules):
            return b""
        raise DataError(f"{self.tree.at(place)} is missing", "score the accuracy run before truncating")

    def _copy(self, folder: PurePosixPath) -> PurePosixPath:
        return self.backup / folder / ACCURACY_LOG

    def _has_copy(self, folder: PurePosixPath) -> bool:
        return self.backup_parent.exists(self._copy(folder))

    def _digest_of_copy(self, folder: PurePosixPath) -> str:
        """Return the hash of the full copy of a truncated log. Raises DataError where there is no such copy."""
        copy = self._copy(folder)
        log = self.tree.at(folder / ACCURACY_LOG)
        problem = f"{log} is already truncated, and {ACCURACY_TEXT} has no hash of the full log"
        if not self._has_copy(folder):
            raise DataError(
                f"{problem}; there is no full copy {self.backup_parent.at(copy)}",
                "name the folder of the full copies: --backup=DIR; or restore the full log and truncate again",
            )
        head, _, tail = self.tree.read(folder / ACCURACY_LOG).partition(TRUNCATION_MARK)
        with self.backup_parent.open(copy) as file:
            digest, is_cut = _digest(file)
            fits = not is_cut and _ends(file, len(head), len(tail)) == (head, tail)
        if not fits:
            raise DataError(
                f"{problem}; {self.backup_parent.at(copy)} is not its full log",
                "name the folder of the full copies: --backup=DIR; or restore the full log and truncate again",
            )
        return digest

    def _refuse_other_copy(self, folder: PurePosixPath, digest: str) -> None:
        """Raise DataError where the backup holds a different log than the tree, or is the very file in the tree."""
        copy, log = self._copy(folder), folder / ACCURACY_LOG
        with self.backup_parent.open(copy) as file, self.tree.open(log) as mine:
            if os.path.samestat(os.fstat(file.fileno()), os.fstat(mine.fileno())) or _digest(file)[0] != digest:
                raise DataError(
                    f"{self.backup_parent.at(copy)} is a different log than {self.tree.at(log)}, or the same file",
                    "give a backup folder of its own to each submission",
                )

    def keep_copy(self, one: _Pending) -> None:
        """Copy a full log, and verify the copy."""
        copy = self._copy(one.folder)
        if not self._has_copy(one.folder):
            with self.tree.open(one.folder / ACCURACY_LOG) as source, self.backup_parent.new(copy) as out:
                shutil.copyfileobj(source, out, _PIECE)
        self._refuse_other_copy(one.folder, one.digest)

    def finish(self, one: _Pending) -> Truncated:
        """Write the hash, and truncate the log. Errors name the folder of the full copies."""
        log, kept = one.folder / ACCURACY_LOG, self.rules.files.accuracy_log_kept_bytes
        try:
            if one.action != "left alone":
                with self.tree.open(log) as file:
                    self._refuse_change(file, one)
                    head, tail = _ends(file, kept, kept)
                self.tree.write(one.folder / ACCURACY_TEXT, with_hash(one.score, one.digest, self.rules.accuracy_hash))
            if one.action == "truncated":
                self.tree.write(log, head + TRUNCATION_MARK + tail)
        except InferdeckError as error:
            whole = f"full copies are in {self.backup_parent.at(self.backup)}"
            raise type(error)(error.what, f"{error.remedy}; {whole}, and the same command resumes") from None
        return Truncated(self.tree.at(one.folder), one.action)

    def _refuse_change(self, file: BinaryIO, one: _Pending) -> None:
        if _stamp(file) != one.stamp:
            raise DataError(
                f"{self.tree.at(one.folder / ACCURACY_LOG)} has changed meanwhile", "make sure nothing writes to it"
            )


def with_hash(score: bytes, digest: str, pattern: str) -> bytes:
    """Return a score with exactly one hash line, as a separate line at the end; the rest is unchanged."""
    kept = b"".join(line for line in score.splitlines(keepends=True) if not _hash_of(line, pattern))
    gap = b"" if not kept or kept.endswith((b"\n", b"\r")) else b"\n"
    return kept + gap + f"hash={digest}\n".encode()


def _hashes(score: bytes, pattern: str) -> set[bytes]:
    return {found for line in score.splitlines() if (found := _hash_of(line, pattern))}


def _hash_of(line: bytes, pattern: str) -> bytes:
    found = re.match(pattern.encode(), line.rstrip(b"\r\n"))
    return found[1].lower() if found else b""


def _digest(file: BinaryIO) -> tuple[str, bool]:
    """Return the SHA-256 of a file in hex, and whether the file is a truncated log."""
    digest, is_cut, end = hashlib.sha256(), False, b""
    file.seek(0)
    while piece := file.read(_PIECE):
        digest.update(piece)
        is_cut = is_cut or TRUNCATION_MARK in end + piece
        end = (end + piece)[-len(TRUNCATION_MARK) :]
    return digest.hexdigest(), is_cut


def _ends(file: BinaryIO, first: int, last: int) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of a file, fewer where it is shorter."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(first)
    file.seek(max(0, size - last))
    return head, file.read()


def _stamp(file: BinaryIO) -> tuple[int, int, int]:
    status = os.fstat(file.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns
