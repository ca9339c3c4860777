"""Check the compliance runs of closed and network results, as the round defines them for each benchmark."""

from __future__ import annotations

import hashlib

from engine.mlperf import ACCURACY_LOG, ACCURACY_TEXT, DETAIL_LOG, VERIFY_ACCURACY, VERIFY_PERFORMANCE
from engine.profile.benchmark_rules import AccuracyRule
from engine.profile.run_rules import resolve_rules
from engine.profile.scenario_rules import TestOutput
from engine.submission.checker import accuracy, performance, rules
from engine.submission.checker.file_system import Folder, misfit
from engine.submission.checker.location import Location
from engine.submission.checker.log import Log
from engine.submission.verification import PASS, percent_apart, speed


def check(location: Location, result: Log | None) -> None:
    """Check a result's compliance runs; `result` is the log of its performance run."""
    path = location.place(location.context.rules.layout.compliance)
    collector = location.context.collector
    if not location.benchmark.compliance:
        return
    if location.compliance is None:
        collector.add("compliance.missing", path, "no such folder", ", ".join(location.benchmark.compliance))
        return
    first = True
    for name in location.benchmark.compliance:
        folder = location.compliance.at(name)
        if folder is None:
            collector.add("compliance.test_missing", f"{path}/{name}", "no such folder", "the runs of this test")
            continue
        test = location.context.rules.compliance[name]
        if test.tolerance is not None:
            _check_performance(location, folder, name, result, first=first)
            first = False
        if test.output is not None:
            check_output(location, folder, test.output)
        if test.accuracy:
            answers = check_answers(location, folder)
            if answers is not None:
                _check_log(location, answers)


def _check_performance(location: Location, folder: Folder, name: str, result: Log | None, *, first: bool) -> None:
    collector = location.context.collector
    check_verified(location, folder)
    run = folder.at("performance", "run_1")
    if run is None:
        collector.add("compliance.run_missing", f"{folder.path}/performance/run_1", "no such folder", "the test's run")
        return
    files = location.context.rules.files
    if fault := misfit(run, files.compliance_performance, files.tolerated + files.tolerated_performance):
        collector.add("compliance.files", run.path, fault, ", ".join(files.compliance_performance))
    elif DETAIL_LOG not in run.files:
        collector.add("performance.missing", f"{run.path}/{DETAIL_LOG}", "not there", "the detail log of the run")
    log = performance.check_log(location, run, name, overlooked=not first).log
    if log is not None:
        path = f"{run.path}/{DETAIL_LOG}"
        check_settings(location, log, name, path)
        if result is not None:
            _compare(location, name, log, result, path)


def check_verified(location: Location, folder: Folder) -> None:
    """Check the verdict in verify_performance.txt."""
    text = location.context.read(folder, VERIFY_PERFORMANCE)
    if text is None or PASS.encode() not in text:
        found = "no such file" if text is None else f"no line with {PASS}"
        location.context.collector.add(
            "compliance.verify_performance", f"{folder.path}/{VERIFY_PERFORMANCE}", found, PASS
        )


def check_output(location: Location, folder: Folder, output: TestOutput) -> None:
    """Check what a test's own script printed."""
    text = location.context.read(folder, output.file)
    lines = {line.strip() for line in (text or b"").decode(errors="replace").splitlines()}
    missing = [" or ".join(group) for group in output.lines if not lines.intersection(group)]
    if missing:
        found = "no such file" if text is None else f"no line {'; no line '.join(missing)}"
        wanted = "; ".join(" or ".join(group) for group in output.lines)
        location.context.collector.add("compliance.output", f"{folder.path}/{output.file}", found, wanted)


def check_settings(location: Location, log: Log, test: str, path: str) -> None:
    """Check that a run was made with the settings of its test."""
    for name, wanted in resolve_rules(
        location.context.rules, location.benchmark, location.scenario, test
    ).test_settings.items():
        key = f"effective_{name}"
        found = log.value(key)
        if found != wanted:
            location.context.collector.add("compliance.settings", path, f"{key} {found}", str(wanted))


def _compare(location: Location, name: str, log: Log, result: Log, path: str) -> None:
    """Compare the test's score with the result's; the official checker trusts verify_performance.txt instead."""
    found = speed(location.context.rules, location.benchmark, name, result, log)
    if not found.passed and found.most is not None:
        least = "" if found.least is None else f"above {found.least:g} and "
        location.context.collector.add(
            "compliance.performance_differs", path, found.why, f"{least}below {found.most:g}"
        )


def check_answers(location: Location, test: Folder) -> Folder | None:
    """Check the output of verifying a test's responses; return the folder of its accuracy."""
    collector, files = location.context.collector, location.context.rules.files
    text = location.context.read(test, VERIFY_ACCURACY)
    if text is None:
        path = f"{test.path}/{VERIFY_ACCURACY}"
        collector.add("compliance.verify_accuracy", path, "no such file", "what verifying the responses printed")
        return None
    folder, same = test.at("accuracy"), PASS.encode() in text
    rule = location.context.rules.compliance.get(test.path.rpartition("/")[2])
    if same and rule is not None and not rule.accuracy_when_same:
        return folder
    if folder is None:
        path = f"{test.path}/accuracy"
        collector.add("compliance.accuracy_missing", path, "no such folder", ", ".join(files.compliance_accuracy))
        return None
    wanted = files.compliance_accuracy if same else files.compliance_accuracy + files.compliance_baseline
    if fault := misfit(folder, wanted, files.tolerated):
        collector.add("compliance.accuracy_files", folder.path, fault, ", ".join(wanted))
    if not same:
        _compare_accuracies(location, folder)
    return folder


def _compare_accuracies(location: Location, folder: Folder) -> None:
    """Check that the two accuracies agree in every metric, where responses differ."""
    for rule in location.run_rules.accuracy:
        if rule.has_target:
            _compare_metric(location, folder, rule)


def _compare_metric(location: Location, folder: Folder, rule: AccuracyRule) -> None:
    values, metric = [], rule.metric
    for name in location.context.rules.files.compliance_baseline:
        path = f"{folder.path}/{name}"
        data = location.context.read(folder, name)
        if data is None:
            if not folder.files:  # an empty folder is compared with nothing, so its absence was not found yet
                location.context.collector.add(
                    "compliance.accuracy_value", path, "no such file", f"a line with {metric}"
                )
            continue
        try:
            values.append(float(accuracy.last_value(data, metric, location.context.rules)))
        except ValueError as error:
            location.context.collector.add(
                "compliance.accuracy_value", path, f"no {metric} ({error})", f"a line with {metric}"
            )
    if len(values) < 2:
        return
    limit = rule.baseline_percent or location.benchmark.baseline_percent
    difference = percent_apart(*values)
    if difference > limit:
        found = f"{metric} {values[0]:g} and {values[1]:g}, {difference:.3g} % apart"
        location.context.collector.add("compliance.accuracy_differs", folder.path, found, f"at most {limit:g} %")


def _check_log(location: Location, folder: Folder) -> None:
    limit = location.context.rules.files.accuracy_log_max_bytes
    size = folder.files.get(ACCURACY_LOG, 0)
    if size > limit:
        path = f"{folder.path}/{ACCURACY_LOG}"
        location.context.collector.add("compliance.log_size", path, f"{size} bytes", f"at most {limit} bytes")
    data = location.context.read(folder, ACCURACY_TEXT)
    if data is None:
        return
    path, collector = f"{folder.path}/{ACCURACY_TEXT}", location.context.collector
    is_cut = accuracy.is_cut(location.context, folder)
    if b"hash=" not in data:
        remedy = rules.CUT if is_cut else ""
        collector.add("compliance.hash_missing", path, "no line hash=...", "the SHA-256 of the full log", remedy=remedy)
    elif is_cut:
        own = hashlib.sha256(location.context.read(folder, ACCURACY_LOG) or b"").hexdigest()
        if own.encode() in data.lower():
            collector.add("compliance.hash_wrong", path, "the hash of the truncated log", "that of the full log")
