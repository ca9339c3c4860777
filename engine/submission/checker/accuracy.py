"""Check the accuracy folder: value and hash in accuracy.txt, the truncated log, and the run's detail log."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from engine.mlperf import ACCURACY_LOG, ACCURACY_TEXT, DETAIL_LOG, TRUNCATION_MARK
from engine.mlperf_logs.kinds import kind_of
from engine.profile.rounds import AccuracyRule, Round
from engine.submission.checker.file_system import Folder, misfit
from engine.submission.checker.log import Log
from engine.submission.checker.place import Place, Site
from engine.submission.checker.rules import CUT

SHA256 = re.compile(r"[0-9a-fA-F]{64}")
"""Pattern of the accuracy log's hash."""


class Scores(NamedTuple):
    """Values and hashes in an accuracy.txt, as text."""

    value: str | None
    hashes: list[str]


def read_scores(data: bytes, metric: str, rules: Round) -> Scores:
    """Return the value of a metric and the hashes in a text. Raises UnicodeDecodeError.

    Like the official checker, reading stops once both are known, and of several values the last one until then counts.
    """
    text = "\n" + data.decode().replace("\r\n", "\n").replace("\r", "\n")
    hashes = _matches(text, rules.accuracy_hash)
    values = _matches(text, rules.accuracy_lines[metric].line)
    before = [value for place, value in values if not hashes or place < hashes[0][0]]
    value = before[-1] if before else next((value for _, value in values), None)
    return Scores(value, [value for _, value in hashes])


def _matches(text: str, pattern: str) -> list[tuple[int, str]]:
    """Return position and value of every matching line; a scoring script may print 20,000 others."""
    match, head = _compiled(pattern)
    found = []
    start = text.find(head)
    while start >= 0:
        end = text.find("\n", start + 1)
        line = text[start + 1 : end if end >= 0 else None]
        if matched := match(line):
            found.append((start, matched[1]))
        start = text.find(head, start + 1)
    return found


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> tuple[Callable[[str], re.Match[str] | None], str]:
    """Return the line's compiled pattern, and its literal prefix including a newline."""
    letters = re.match(r"\w*(?=[\w= :])", "" if "|" in pattern else pattern)
    return re.compile(pattern).match, "\n" + (letters[0] if letters else "")


def check(place: Place) -> tuple[str | None, Log | None]:
    """Check the accuracy folder of a result; return the accuracy as written there, and the detail log."""
    folder = place.folder.at("accuracy")
    path = f"{place.folder.path}/accuracy"
    if folder is None or ACCURACY_TEXT not in folder.files:
        place.site.ledger.add(
            "accuracy.missing", f"{path}/{ACCURACY_TEXT}", "no such file", "the accuracy and the hash"
        )
        return None, None
    files = place.site.rules.files
    known_apart = {ACCURACY_LOG, DETAIL_LOG}
    wanted = tuple(name for name in files.accuracy if name in folder.files or name not in known_apart)
    if fault := misfit(folder, wanted, files.tolerated):
        place.site.ledger.add("accuracy.files", path, fault, ", ".join(files.accuracy))
    scores = _check_scores(place, folder)
    _check_log(place, folder, scores)
    return scores.value, check_detail(place, folder)


def _check_scores(place: Place, folder: Folder) -> Scores:
    site, path = place.site, f"{folder.path}/{ACCURACY_TEXT}"
    wanted = place.run_rules.accuracy
    data = site.read(folder, ACCURACY_TEXT)
    try:
        found = [read_scores(data or b"", rule.metric, site.rules) for rule in wanted]
    except UnicodeDecodeError as error:
        site.ledger.add("accuracy.text", path, kind_of(data or b"") or str(error), "text in UTF-8")
        return Scores(None, [])
    scores = found[0]
    if data is not None:
        for rule, one in zip(wanted, found, strict=True):
            check_value(place, path, one.value, rule)
        if not scores.hashes:
            whole = "the SHA-256 of the full accuracy log"
            remedy = CUT if is_cut(site, folder) else ""
            site.ledger.add("accuracy.hash_missing", path, "no line hash=...", whole, remedy=remedy)
    if len(set(scores.hashes)) > 1:
        site.ledger.add("accuracy.hash_twice", path, f"{len(scores.hashes)} lines hash=...", "one line")
    return scores


def check_value(place: Place, path: str, value: str | None, rule: AccuracyRule) -> None:
    """Check the accuracy value of a score, given as text."""
    ledger = place.site.ledger
    line = place.site.rules.accuracy_lines[rule.metric]
    target = f"{rule.metric} of at least {rule.target:.10g}{line.unit}"
    if value is None:
        ledger.add("accuracy.value_missing", path, f"no line that gives {rule.metric}", f"{line.line} ({target})")
        return
    try:
        number = float(value)
    except ValueError:
        ledger.add("accuracy.value", path, f"{rule.metric} '{value}'", "a number")
        return
    if not number >= rule.target:
        ledger.add("accuracy.target", path, f"{rule.metric} {value}{line.unit}", target)
    if rule.most is not None and number > rule.most:
        most = f"{rule.metric} of at most {rule.most:.10g}{line.unit}"
        ledger.add("accuracy.target", path, f"{rule.metric} {value}{line.unit}", most)


def _check_log(place: Place, folder: Folder, scores: Scores) -> None:
    site, path = place.site, f"{folder.path}/{ACCURACY_LOG}"
    size = folder.files.get(ACCURACY_LOG)
    if size is None:
        site.ledger.add("accuracy.log_missing", path, "no such file", "the truncated accuracy log")
        return
    limit = site.rules.files.accuracy_log_max_bytes
    if size > limit:
        site.ledger.add("accuracy.log_size", path, f"{size} bytes", f"at most {limit} bytes")
        return
    data = site.read(folder, ACCURACY_LOG) or b""
    if b"{" not in data:
        found = f"{size} bytes without a response" + (f": {kind_of(data)}" if kind_of(data) else "")
        site.ledger.add("accuracy.log_empty", path, found, "the responses' beginning and end")
        return
    own = hashlib.sha256(data).hexdigest()
    truncated = TRUNCATION_MARK in data
    for given in scores.hashes[:1]:
        where = f"{folder.path}/{ACCURACY_TEXT}"
        if not SHA256.fullmatch(given):
            site.ledger.add("accuracy.hash_wrong", where, f"hash={given}", "the 64 hexadecimal digits of a SHA-256")
        elif truncated and given.lower() == own:
            site.ledger.add("accuracy.hash_wrong", where, "the hash of the truncated log", "that of the full log")
        elif not truncated and given.lower() != own:
            site.ledger.add("accuracy.hash_wrong", where, f"hash={given}", f"hash={own}, of the log in this folder")


def is_cut(site: Site, folder: Folder) -> bool:
    """Return whether the accuracy log in a folder is truncated; False for logs too large to be."""
    size = folder.files.get(ACCURACY_LOG, 0)
    small = size <= site.rules.files.accuracy_log_max_bytes
    return small and TRUNCATION_MARK in (site.read(folder, ACCURACY_LOG) or b"")


def check_detail(place: Place, folder: Folder) -> Log | None:
    """Check the detail log of an accuracy run; return it where it can be read."""
    site, path = place.site, f"{folder.path}/{DETAIL_LOG}"
    ledger = site.ledger
    if DETAIL_LOG not in folder.files:
        ledger.add("accuracy.detail_missing", path, "no such file", "the detail log of the accuracy run")
        return None
    log = site.log(folder, "accuracy.no_messages")
    if log is None:
        return None
    if log.malformed:
        first = log.malformed[0]
        ledger.add("accuracy.detail_line", path, f"line {first.line}: {first.text[:120]}", "a message in JSON")
    if log.errors:
        ledger.add("accuracy.detail_error", path, "; ".join(log.errors[:3]), "no error messages")
    modes = site.rules.test_modes.accuracy
    mode = log.value("effective_test_mode")
    if mode not in modes:
        ledger.add("accuracy.mode", path, f"effective_test_mode {mode}", " or ".join(modes))
    return log


def check_run(place: Place, log: Log, performance: Log | None) -> None:
    """Check the accuracy run against the data set and its performance run."""
    path = f"{place.folder.path}/accuracy/{DETAIL_LOG}"
    ledger = place.site.ledger
    other = None if performance is None else performance.value("effective_scenario")
    scenario = log.value("effective_scenario")
    if scenario not in (place.scenario, other):
        ledger.add("accuracy.scenario", path, f"effective_scenario {scenario}", place.scenario)
    _check_samples(place, log, performance, path)
    if performance is None:
        return
    builds = [run.value("loadgen_version") for run in (log, performance)]
    if builds[0] != builds[1]:
        ledger.add("accuracy.build", path, f"LoadGen {builds[0]}", f"LoadGen {builds[1]}, as in the performance run")


def _check_samples(place: Place, log: Log, performance: Log | None, path: str) -> None:
    whole = place.benchmark.sample_count
    total = log.value("qsl_reported_total_count")
    if not isinstance(total, int):
        return
    same = performance is None or performance.value("qsl_reported_total_count") == total
    if place.site.division == "open" and total < whole and same:
        place.site.ledger.add("accuracy.data_set", path, f"{total} samples", f"{whole} samples")
        whole = total
    run = min(total, _issued(log, total))
    if run < whole:
        place.site.ledger.add("accuracy.samples", path, f"{run} samples", f"{whole} samples")


def _issued(log: Log, default: int) -> int:
    """Return how many samples LoadGen issued, summed over the sample sets that it loaded."""
    queries, sizes = log.values("generated_query_count"), log.values("generated_samples_per_query")
    if not queries or not all(isinstance(value, int) for value in (*queries, *sizes)):
        return default
    return sum(count * size for count, size in zip(queries, sizes, strict=False))
