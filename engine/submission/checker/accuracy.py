"""Check the accuracy folder: value and hash in accuracy.txt, the truncated log, and the run's detail log."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from engine.mlperf import ACCURACY_LOG, ACCURACY_TEXT, DETAIL_LOG, TRUNCATION_MARK
from engine.mlperf_logs.kinds import kind_of
from engine.profile.benchmark_rules import AccuracyRule
from engine.profile.rounds import Round
from engine.submission.checker.file_system import Folder, misfit
from engine.submission.checker.location import CheckContext, Location
from engine.submission.checker.log import Log
from engine.submission.checker.rules import CUT

SHA256 = re.compile(r"[0-9a-fA-F]{64}")
"""Pattern of the accuracy log's hash."""


class Scores(NamedTuple):
    """Values and hashes in an accuracy.txt, as text."""

    values: dict[str, list[str]]
    """Metric → its values that count; metrics by the first of them."""
    hashes: list[str]

    def shown(self, metrics: Sequence[AccuracyRule], rules: Round) -> str | None:
        """Return what a result shows of them; None where there is none."""
        if rules.judging.all_metrics:
            wanted = {rule.metric for rule in metrics if rule.has_target}
            return "  ".join(f"{name}: {found[-1]}" for name, found in self.values.items() if name in wanted) or None
        found = self.values.get(metrics[0].metric)
        return found[-1] if found else None


def read_scores(data: bytes, metrics: Sequence[AccuracyRule], rules: Round) -> Scores:
    """Return the values of the metrics and the hashes in a text. Raises UnicodeDecodeError.

    Like the official checker, reading stops once the hash and a value of each metric are known, which in some rounds
    has to reach the target. In others the last one until then counts.
    """
    text = "\n" + data.decode().replace("\r\n", "\n").replace("\r", "\n")
    hashes = _matches(text, rules.accuracy_hash)
    lines = sorted(
        (position, number, value)
        for number, rule in enumerate(metrics)
        for position, value in _matches(text, rules.accuracy_lines[rule.metric].line)
    )
    sought = {number for number, rule in enumerate(metrics) if rule.has_target}
    first_hash, last, values = hashes[0][0] if hashes else len(text), -1, dict[str, list[str]]()
    for position, number, value in lines:
        if not sought and position > max(first_hash, last):
            break
        rule = metrics[number]
        if rules.judging.every_value:
            values.setdefault(rule.metric, []).append(value)
        else:
            values[rule.metric] = [value]
        if not rules.judging.every_value or _reaches(value, rule.target):
            sought.discard(number)
            last = position
    return Scores(values, [value for _, value in hashes])


def _reaches(value: str, target: float) -> bool:
    try:
        return float(value) >= target
    except ValueError:
        return False


def last_value(data: bytes, metric: str, rules: Round) -> str:
    """Return the last value of a metric in a text; empty where there is none. Raises UnicodeDecodeError."""
    found = _matches("\n" + data.decode().replace("\r\n", "\n").replace("\r", "\n"), rules.accuracy_lines[metric].line)
    return found[-1][1] if found else ""


def _matches(text: str, pattern: str) -> list[tuple[int, str]]:
    """Return position and value of every matching line; a scoring script may print 20,000 others."""
    match, head = _compiled(pattern)
    found = []
    start = text.find(head)
    while start >= 0:
        start = text.rfind("\n", 0, start + 1)
        end = text.find("\n", start + 1)
        line = text[start + 1 : end if end >= 0 else None]
        if matched := match(line):
            found.append((start, matched[1]))
        start = text.find(head, end) if end >= 0 else -1
    return found


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> tuple[Callable[[str], re.Match[str] | None], str]:
    """Return the line's compiled pattern, and a text that is in every matching line or, with a newline, before it."""
    inside = re.match(r"\.\*(['\"]?\w+['\"]?)(?=:)", pattern)
    letters = re.match(r"\w*(?=[\w= :])", "" if "|" in pattern else pattern)
    head = inside[1] if inside else "\n" + (letters[0] if letters else "")
    return re.compile(pattern).match, head


def check(location: Location) -> tuple[str | None, Log | None]:
    """Check the accuracy folder of a result; return the accuracy as written there, and the detail log."""
    folder = location.folder.at("accuracy")
    path = f"{location.folder.path}/accuracy"
    if folder is None or ACCURACY_TEXT not in folder.files:
        location.context.collector.add(
            "accuracy.missing", f"{path}/{ACCURACY_TEXT}", "no such file", "the accuracy and the hash"
        )
        return None, None
    files = location.context.rules.files
    known_apart = {ACCURACY_LOG, DETAIL_LOG}
    wanted = tuple(name for name in files.accuracy if name in folder.files or name not in known_apart)
    if fault := misfit(folder, wanted, files.tolerated):
        location.context.collector.add("accuracy.files", path, fault, ", ".join(files.accuracy))
    scores = _check_scores(location, folder)
    _check_log(location, folder, scores)
    _check_samples_shown(location, folder)
    return scores.shown(location.run_rules.accuracy, location.context.rules), check_detail(location, folder)


def _check_scores(location: Location, folder: Folder) -> Scores:
    context, path = location.context, f"{folder.path}/{ACCURACY_TEXT}"
    data = context.read(folder, ACCURACY_TEXT)
    try:
        scores = read_scores(data or b"", location.run_rules.accuracy, context.rules)
    except UnicodeDecodeError as error:
        context.collector.add("accuracy.text", path, kind_of(data or b"") or str(error), "text in UTF-8")
        return Scores({}, [])
    if data is not None:
        check_values(location, path, scores)
        if not scores.hashes:
            whole = "the SHA-256 of the full accuracy log"
            remedy = CUT if is_cut(context, folder) else ""
            context.collector.add("accuracy.hash_missing", path, "no line hash=...", whole, remedy=remedy)
    if len(set(scores.hashes)) > 1:
        context.collector.add("accuracy.hash_twice", path, f"{len(scores.hashes)} lines hash=...", "one line")
    return scores


def check_values(location: Location, path: str, scores: Scores) -> None:
    """Check the accuracy values of a score."""
    # Where the division has no target, one of the metrics is enough.
    some = scores.values and not location.context.rules.divisions[location.context.division].accuracy_target
    for rule in location.run_rules.accuracy:
        found = scores.values.get(rule.metric, [])
        if not found and rule.has_target:
            line = location.context.rules.accuracy_lines[rule.metric]
            location.context.collector.add(
                "accuracy.value_missing",
                path,
                f"no line that gives {rule.metric}",
                f"{line.line} ({_target(rule, location.context.rules.unit_of(rule))})",
                severity="warning" if some else None,
            )
        for value in dict.fromkeys(found):
            _check_value(location, path, value, rule)


def _check_value(location: Location, path: str, value: str, rule: AccuracyRule) -> None:
    collector = location.context.collector
    unit = location.context.rules.unit_of(rule)
    try:
        number = float(value)
    except ValueError:
        collector.add("accuracy.value", path, f"{rule.metric} '{value}'", "a number")
        return
    if not number >= rule.target:
        collector.add("accuracy.target", path, f"{rule.metric} {value}{unit}", _target(rule, unit))
    if rule.most is not None and number > rule.most:
        most = f"{rule.metric} of at most {rule.most:.10g}{unit}"
        collector.add("accuracy.target", path, f"{rule.metric} {value}{unit}", most)


def _target(rule: AccuracyRule, unit: str) -> str:
    return f"{rule.metric} of at least {rule.target:.10g}{unit}"


def _check_samples_shown(location: Location, folder: Folder) -> None:
    """Check that the outputs for given samples, pictures or videos, are there."""
    for name, wanted in location.benchmark.accuracy_samples.items():
        inside = folder.folders.get(name, Folder(""))
        there = {file.split(".")[0] for file in inside.files}
        if missing := [sample for sample in wanted if sample not in there]:
            path, found = f"{folder.path}/{name}", f"no {', '.join(missing)}"
            location.context.collector.add("accuracy.samples_shown", path, found, ", ".join(wanted))


def _check_log(location: Location, folder: Folder, scores: Scores) -> None:
    context, path = location.context, f"{folder.path}/{ACCURACY_LOG}"
    size = folder.files.get(ACCURACY_LOG)
    if size is None:
        context.collector.add("accuracy.log_missing", path, "no such file", "the truncated accuracy log")
        return
    limit = context.rules.files.accuracy_log_max_bytes
    if size > limit:
        context.collector.add("accuracy.log_size", path, f"{size} bytes", f"at most {limit} bytes")
        return
    data = context.read(folder, ACCURACY_LOG) or b""
    if b"{" not in data:
        found = f"{size} bytes without a response" + (f": {kind_of(data)}" if kind_of(data) else "")
        context.collector.add("accuracy.log_empty", path, found, "the responses' beginning and end")
        return
    own = hashlib.sha256(data).hexdigest()
    truncated = TRUNCATION_MARK in data
    for given in scores.hashes[:1]:
        where = f"{folder.path}/{ACCURACY_TEXT}"
        if not SHA256.fullmatch(given):
            context.collector.add(
                "accuracy.hash_wrong", where, f"hash={given}", "the 64 hexadecimal digits of a SHA-256"
            )
        elif truncated and given.lower() == own:
            context.collector.add("accuracy.hash_wrong", where, "the hash of the truncated log", "that of the full log")
        elif not truncated and given.lower() != own:
            context.collector.add(
                "accuracy.hash_wrong", where, f"hash={given}", f"hash={own}, of the log in this folder"
            )


def is_cut(context: CheckContext, folder: Folder) -> bool:
    """Return whether the accuracy log in a folder is truncated; False for logs too large to be."""
    size = folder.files.get(ACCURACY_LOG, 0)
    small = size <= context.rules.files.accuracy_log_max_bytes
    return small and TRUNCATION_MARK in (context.read(folder, ACCURACY_LOG) or b"")


def check_detail(location: Location, folder: Folder) -> Log | None:
    """Check the detail log of an accuracy run; return it where it can be read."""
    context, path = location.context, f"{folder.path}/{DETAIL_LOG}"
    collector = context.collector
    if DETAIL_LOG not in folder.files:
        collector.add("accuracy.detail_missing", path, "no such file", "the detail log of the accuracy run")
        return None
    log = context.log(folder, "accuracy.no_messages")
    if log is None:
        return None
    if log.malformed:
        first = log.malformed[0]
        collector.add("accuracy.detail_line", path, f"line {first.line}: {first.text[:120]}", "a message in JSON")
    if log.errors:
        collector.add("accuracy.detail_error", path, "; ".join(log.errors[:3]), "no error messages")
    modes = context.rules.test_modes.accuracy
    mode = log.value("effective_test_mode")
    if mode not in modes:
        collector.add("accuracy.mode", path, f"effective_test_mode {mode}", " or ".join(modes))
    return log


def check_run(location: Location, log: Log, performance: Log | None) -> None:
    """Check the accuracy run against the data set and its performance run."""
    path = f"{location.folder.path}/accuracy/{DETAIL_LOG}"
    collector = location.context.collector
    other = None if performance is None else performance.value("effective_scenario")
    scenario = log.value("effective_scenario")
    if scenario not in (location.scenario, other):
        collector.add("accuracy.scenario", path, f"effective_scenario {scenario}", location.scenario)
    _check_samples(location, log, performance, path)
    if performance is None:
        return
    builds = [run.value("loadgen_version") for run in (log, performance)]
    if builds[0] != builds[1]:
        collector.add("accuracy.build", path, f"LoadGen {builds[0]}", f"LoadGen {builds[1]}, as in the performance run")


def _check_samples(location: Location, log: Log, performance: Log | None, path: str) -> None:
    collector, whole = location.context.collector, location.run_rules.accuracy_sample_count
    total = log.value("effective_accuracy_sample_count")
    if total is None:
        total = log.value("qsl_reported_total_count")
    if not isinstance(total, int):
        return
    same = performance is None or performance.value("qsl_reported_total_count") == total
    if location.context.division == "open" and total < whole and same:
        collector.add("accuracy.data_set", path, f"{total} samples", f"{whole} samples")
        whole = total
    run = min(total, _issued(log, total))
    if run < whole:
        collector.add("accuracy.samples", path, f"{run} samples", f"{whole} samples")
    elif total > whole:
        collector.add("accuracy.samples", path, f"a set of {total} samples", f"{whole} samples")


def _issued(log: Log, default: int) -> int:
    """Return how many samples LoadGen issued, summed over the sample sets that it loaded."""
    queries, sizes = log.values("generated_query_count"), log.values("generated_samples_per_query")
    if not queries or not all(isinstance(value, int) for value in (*queries, *sizes)):
        return default
    return sum(count * size for count, size in zip(queries, sizes, strict=False))
