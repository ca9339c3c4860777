"""Check the compliance runs of closed and network results, as the round defines them for each benchmark."""

from __future__ import annotations

import hashlib

from engine.mlperf import ACCURACY_LOG, ACCURACY_TEXT, DETAIL_LOG, VERIFY_ACCURACY, VERIFY_PERFORMANCE
from engine.profile.rounds import AccuracyRule
from engine.profile.run_rules import resolve
from engine.submission.checker import accuracy, performance, rules
from engine.submission.checker.file_system import Folder, misfit
from engine.submission.checker.log import Log
from engine.submission.checker.place import Place
from engine.submission.verification import PASS, percent_apart, speed


def check(place: Place, result: Log | None) -> None:
    """Check a result's compliance runs; `result` is the log of its performance run."""
    path = place.beside("compliance")
    ledger = place.site.ledger
    if place.compliance is None:
        ledger.add("compliance.missing", path, "no such folder", ", ".join(place.benchmark.compliance))
        return
    first = True
    for name in place.benchmark.compliance:
        folder = place.compliance.at(name)
        if folder is None:
            ledger.add("compliance.test_missing", f"{path}/{name}", "no such folder", "the runs of this test")
            continue
        test = place.site.rules.compliance[name]
        if test.tolerance is not None:
            _check_performance(place, folder, name, result, first=first)
            first = False
        if test.accuracy:
            answers = check_answers(place, folder)
            if answers is not None:
                _check_log(place, answers)


def _check_performance(place: Place, folder: Folder, name: str, result: Log | None, *, first: bool) -> None:
    ledger = place.site.ledger
    check_verified(place, folder)
    run = folder.at("performance", "run_1")
    if run is None:
        ledger.add("compliance.run_missing", f"{folder.path}/performance/run_1", "no such folder", "the test's run")
        return
    files = place.site.rules.files
    if fault := misfit(run, files.compliance_performance, files.tolerated + files.tolerated_performance):
        ledger.add("compliance.files", run.path, fault, ", ".join(files.compliance_performance))
    elif DETAIL_LOG not in run.files:
        ledger.add("performance.missing", f"{run.path}/{DETAIL_LOG}", "not there", "the detail log of the run")
    log = performance.check_log(place, run, name, overlooked=not first).log
    if log is not None:
        path = f"{run.path}/{DETAIL_LOG}"
        check_settings(place, log, name, path)
        if result is not None:
            _compare(place, name, log, result, path)


def check_verified(place: Place, folder: Folder) -> None:
    """Check the verdict in verify_performance.txt."""
    text = place.site.read(folder, VERIFY_PERFORMANCE)
    if text is None or PASS.encode() not in text:
        found = "no such file" if text is None else f"no line with {PASS}"
        place.site.ledger.add("compliance.verify_performance", f"{folder.path}/{VERIFY_PERFORMANCE}", found, PASS)


def check_settings(place: Place, log: Log, test: str, path: str) -> None:
    """Check that a run was made with the settings of its test."""
    for name, wanted in resolve(place.site.rules, place.benchmark, place.scenario, test).test_settings.items():
        key = f"effective_{name}"
        found = log.value(key)
        if found != wanted:
            place.site.ledger.add("compliance.settings", path, f"{key} {found}", str(wanted))


def _compare(place: Place, name: str, log: Log, result: Log, path: str) -> None:
    """Compare the test's score with the result's; the official checker trusts verify_performance.txt instead."""
    found = speed(place.site.rules, place.benchmark, name, result, log)
    if not found.passed and found.most is not None:
        least = "" if found.least is None else f"above {found.least:g} and "
        place.site.ledger.add("compliance.performance_differs", path, found.why, f"{least}below {found.most:g}")


def check_answers(place: Place, test: Folder) -> Folder | None:
    """Check the output of verifying a test's responses; return the folder of its accuracy."""
    ledger, files = place.site.ledger, place.site.rules.files
    text = place.site.read(test, VERIFY_ACCURACY)
    if text is None:
        path = f"{test.path}/{VERIFY_ACCURACY}"
        ledger.add("compliance.verify_accuracy", path, "no such file", "what verifying the responses printed")
        return None
    folder = test.at("accuracy")
    if folder is None:
        path = f"{test.path}/accuracy"
        ledger.add("compliance.accuracy_missing", path, "no such folder", ", ".join(files.compliance_accuracy))
        return None
    same = PASS.encode() in text
    wanted = files.compliance_accuracy if same else files.compliance_accuracy + files.compliance_baseline
    if fault := misfit(folder, wanted, files.tolerated):
        ledger.add("compliance.accuracy_files", folder.path, fault, ", ".join(wanted))
    if not same:
        _compare_accuracies(place, folder)
    return folder


def _compare_accuracies(place: Place, folder: Folder) -> None:
    """Check that the two accuracies agree in every metric, where responses differ."""
    for rule in place.run_rules.accuracy:
        _compare_metric(place, folder, rule)


def _compare_metric(place: Place, folder: Folder, rule: AccuracyRule) -> None:
    values, metric = [], rule.metric
    for name in place.site.rules.files.compliance_baseline:
        path = f"{folder.path}/{name}"
        data = place.site.read(folder, name)
        if data is None:
            if not folder.files:  # an empty folder is compared with nothing, so its absence was not found yet
                place.site.ledger.add("compliance.accuracy_value", path, "no such file", f"a line with {metric}")
            continue
        try:
            text = accuracy.read_scores(data, metric, place.site.rules).value
            values.append(float(text or ""))
        except ValueError as error:
            place.site.ledger.add("compliance.accuracy_value", path, f"no {metric} ({error})", f"a line with {metric}")
    if len(values) < 2:
        return
    limit = rule.baseline_percent or place.benchmark.baseline_percent
    difference = percent_apart(*values)
    if difference > limit:
        found = f"{metric} {values[0]:g} and {values[1]:g}, {difference:.3g} % apart"
        place.site.ledger.add("compliance.accuracy_differs", folder.path, found, f"at most {limit:g} %")


def _check_log(place: Place, folder: Folder) -> None:
    limit = place.site.rules.files.accuracy_log_max_bytes
    size = folder.files.get(ACCURACY_LOG, 0)
    if size > limit:
        path = f"{folder.path}/{ACCURACY_LOG}"
        place.site.ledger.add("compliance.log_size", path, f"{size} bytes", f"at most {limit} bytes")
    data = place.site.read(folder, ACCURACY_TEXT)
    if data is None:
        return
    path, ledger = f"{folder.path}/{ACCURACY_TEXT}", place.site.ledger
    is_cut = accuracy.is_cut(place.site, folder)
    if b"hash=" not in data:
        remedy = rules.CUT if is_cut else ""
        ledger.add("compliance.hash_missing", path, "no line hash=...", "the SHA-256 of the full log", remedy=remedy)
    elif is_cut:
        own = hashlib.sha256(place.site.read(folder, ACCURACY_LOG) or b"").hexdigest()
        if own.encode() in data.lower():
            ledger.add("compliance.hash_wrong", path, "the hash of the truncated log", "that of the full log")
