"""Check a performance run: its detail log against the rules of its scenario; and compute its result.

Compliance runs are performance runs too and are checked by the same rules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from engine.errors import DataError
from engine.mlperf import DETAIL_LOG, NS_PER_MS, SCENARIOS, Scenario
from engine.mlperf_logs.metric import Metric, metric
from engine.mlperf_logs.stopping import stopping_words
from engine.profile.run_rules import RunRules, resolve_rules
from engine.profile.tree_rules import Severity
from engine.submission.checker.file_system import Folder, misfit
from engine.submission.checker.location import Location
from engine.submission.checker.log import Log

TTFT = "result_first_token_99.00_percentile_latency_ns"
TPOT = "result_time_per_output_token_99.00_percentile_ns"
"""Keys of the time to the first token, and of the time per output token."""

_METRIC_KEYS = (
    "effective_scenario", "effective_samples_per_query", "early_stopping_latency_ss", "early_stopping_latency_ms",
    "result_samples_per_second", "result_scheduled_samples_per_sec", "result_qps_without_loadgen_overhead",
    "result_mean_query_latency_ns",
)  # fmt: skip


@dataclass(frozen=True)
class PerformanceCheck:
    """Outcome of checking a performance log."""

    valid: bool
    metric: Metric | None
    log: Log | None


NO_RUN = PerformanceCheck(valid=False, metric=None, log=None)


def check(location: Location) -> PerformanceCheck:
    """Check the performance run of a result."""
    path = f"{location.folder.path}/performance"
    collector = location.context.collector
    performance = location.folder.at("performance")
    folder = location.folder.at("performance", "run_1")
    if folder is None or DETAIL_LOG not in folder.files:
        missing = f"{path}/run_1" + (f"/{DETAIL_LOG}" if folder is not None else "")
        collector.add("performance.missing", missing, "not there", "the detail log of the run")
    if performance is None:
        return NO_RUN
    for name in performance.folders:
        if name.startswith("run_") and name != "run_1":
            collector.add("performance.extra_run", f"{path}/{name}", name, "run_1 only")
    if folder is None:
        return NO_RUN
    files = location.context.rules.files
    fault = misfit(folder, files.performance, files.tolerated + files.tolerated_performance)
    if fault and "power" not in performance:
        collector.add("performance.files", folder.path, fault, ", ".join(files.performance))
    run = check_log(location, folder)
    if run.log is not None and run.log.warnings:
        found = f"{run.log.warnings} messages marked as warnings"
        collector.add("performance.warning", f"{folder.path}/{DETAIL_LOG}", found, "none")
    return run


def check_log(
    location: Location, folder: Folder, mode: str = "performance", *, overlooked: bool = False
) -> PerformanceCheck:
    """Check the detail log in a folder, if there is one.

    `mode` may name a compliance test. `overlooked`: an unreadable log is only a warning, because the official checker
    reuses the verdict of the previous compliance test where it fails to read one.
    """
    log = location.context.log(folder, "performance.no_messages") if DETAIL_LOG in folder.files else None
    if log is None:
        return NO_RUN
    return _LogCheck(location, log, f"{folder.path}/{DETAIL_LOG}", mode, overlooked=overlooked).run()


class _LogCheck:
    """Checks one log by the rules; every violation becomes a finding."""

    def __init__(self, location: Location, log: Log, path: str, mode: str, *, overlooked: bool) -> None:
        self.location = location
        self.log = log
        self.path = path
        self.severity: Severity | None = "warning" if overlooked else None
        """Severity of an unreadable log; None takes the round's."""
        self.rules = location.context.rules
        self.mode = mode
        self.collector = location.context.collector

    def run(self) -> PerformanceCheck:
        before = self.collector.errors
        self._check_readable()
        self._check_validity()
        self._check_sample_count()
        self._check_seeds()
        self._check_equal_issue()
        logged_scenario = self.log.value("effective_scenario")
        value = None
        if isinstance(logged_scenario, str) and logged_scenario in SCENARIOS:
            self._check_scenario(logged_scenario)
            self._check_settings(self._rules_in(logged_scenario))
            self._check_tokens(logged_scenario)
            value = self._metric(logged_scenario)
        else:
            self._value("effective_scenario", "one of " + ", ".join(SCENARIOS))
        self._check_identity()
        return PerformanceCheck(self.collector.errors == before, value, self.log)

    def _rules_in(self, scenario: Scenario) -> RunRules:
        if (scenario, self.mode) == (self.location.scenario, self.location.run_rules.mode):
            return self.location.run_rules
        return resolve_rules(self.rules, self.location.benchmark, scenario, self.mode)

    def _add(self, rule: str, found: str, expected: str, *, severity: Severity | None = None) -> None:
        self.collector.add(rule, self.path, found, expected, severity=severity)

    def _value(self, key: str, expected: str) -> None:
        found = f"{key} {self.log.value(key)!r}" if self.log.value(key) is not None else f"no {key}"
        self.collector.add("performance.value", self.path, found, expected, severity=self.severity)

    def _number(self, key: str) -> float | None:
        """Return a value that must be a number; None, with a finding, where it is not."""
        value: Any = self.log.value(key)
        if isinstance(value, int | float):
            return value
        self._value(key, "a number")
        return None

    def _check_readable(self) -> None:
        if self.log.malformed:
            first = self.log.malformed[0]
            found = f"line {first.line}: {first.text[:120]}"
            self.collector.add("performance.line", self.path, found, "a message in JSON", severity=self.severity)
        if self.log.errors:
            self._add("performance.error_message", "; ".join(self.log.errors[:3]), "no error messages")
        if self.log.other_lines:
            self._add("performance.other_line", f"{self.log.other_lines} lines", "messages only")

    def _check_validity(self) -> None:
        verdicts = self.log.values("result_validity")
        if not verdicts or verdicts[0] != "VALID":
            why = self.log.value("result_invalid_reason")
            if not why and self.log.value("early_stopping_met") is False:
                why = " ".join(stopping_words(self.log.value("early_stopping_result")))
            found = f"result_validity {verdicts[0]}" if verdicts else "no result_validity"
            accepted: Severity | None = "warning" if self.location.benchmark.invalid_accepted else None
            self._add("performance.validity", f"{found} ({why})" if why else found, "VALID", severity=accepted)
        elif any(value != "VALID" for value in verdicts):
            self._add("performance.validity_twice", ", ".join(map(str, verdicts[:4])), "VALID once")

    def _check_sample_count(self) -> None:
        count = self._number("effective_performance_sample_count")
        if count is None:
            return
        least = self.location.benchmark.performance_sample_count
        if count < least:
            self._add("performance.sample_count", f"effective_performance_sample_count {count}", f"at least {least}")
        total = self.log.value("qsl_reported_total_count")
        totals = [total] if isinstance(total, int) else []
        if self.location.context.division != "open":
            totals.append(self.location.benchmark.sample_count)
        if totals and count > min(totals):
            found = f"effective_performance_sample_count {count}"
            self._add("performance.sample_count_above", found, f"at most {min(totals)}, the size of the data set")

    def _check_seeds(self) -> None:
        seeds = self._rules_in(self.location.scenario).seeds
        wanted = {"qsl": seeds.qsl, "sample_index": seeds.sample_index, "schedule": seeds.schedule}
        for name, seed in wanted.items():
            key = f"effective_{name}_rng_seed"
            found = self.log.value(key)
            if found != seed:
                self._add("performance.seed", f"{key} {found}", str(seed))

    def _check_equal_issue(self) -> None:
        rule, bench = self.rules.equal_issue, self.location.benchmark
        if rule is None or rule.source != "detail_log" or self.location.context.division not in rule.divisions:
            return
        found = self.log.value("effective_sample_concatenate_permutation")
        if bench.equal_issue_checked and found is not True:
            self._add("performance.equal_issue", f"effective_sample_concatenate_permutation {found}", "true")

    def _check_tokens(self, logged_scenario: Scenario) -> None:
        """Check the latencies of tokens, by the limits of the scenario that the official checker takes."""
        if not self.location.benchmark.token_latencies:
            return
        if not self.log.value("requested_use_token_latencies"):
            self._add("performance.no_token_latencies", "requested_use_token_latencies is not set", "true")
        judged = logged_scenario if self.rules.judging.token_limits_of_log else self.location.scenario
        for scenario in dict.fromkeys((judged, self.location.scenario)):
            limits = self._rules_in(scenario).token_latency
            for key, most in ((TTFT, limits.first_ms), (TPOT, limits.each_ms)) if limits else ():
                value = self.log.value(key)
                if not isinstance(value, int | float) or value >= most * NS_PER_MS:
                    severity: Severity | None = None if scenario == judged else "warning"
                    wanted = f"below {most * NS_PER_MS:.0f} ({scenario})"
                    self._add("performance.token_latency", f"{key} {value}", wanted, severity=severity)

    def _check_settings(self, rule: RunRules) -> None:
        if rule.refused:
            self._add("performance.refused", f"{rule.scenario} of {self.location.model}", rule.refused)
        if rule.early_stopping and not self.log.value("early_stopping_met"):
            why = self.log.value("early_stopping_result")
            self._add("performance.early_stopping", str(why or "no early_stopping_met"), "early_stopping_met true")
        self._check_latency(rule)
        if rule.scenario == "Offline":
            self._at_least("performance.min_query_count", "effective_min_query_count", rule.min_query_count)
            self._at_least("performance.samples_per_query", "effective_samples_per_query", rule.min_sample_count)
        self._at_least("performance.min_duration", "effective_min_duration_ms", rule.min_duration_ms)

    def _at_least(self, rule: str, key: str, least: int) -> None:
        value = self._number(key)
        if value is not None and value < least:
            self._add(rule, f"{key} {value}", f"at least {least}")

    def _check_latency(self, rule: RunRules) -> None:
        if rule.checked_latency_ms is None:
            return
        bound = rule.checked_latency_ms * NS_PER_MS
        target = self._number("effective_target_latency_ns")
        if target is not None and target > bound:
            self._add("performance.target_latency", f"effective_target_latency_ns {target}", f"at most {bound:.0f}")
        measured = self.log.value(f"result_{rule.percentile:.2f}_percentile_latency_ns")
        whole = not self.location.benchmark.token_latencies  # else the latencies of tokens count
        if whole and isinstance(measured, int | float) and measured > bound:
            self._add(
                "performance.latency", f"{rule.percentile:g}th percentile {measured} ns", f"at most {bound:.0f} ns"
            )

    def _check_scenario(self, logged_scenario: Scenario) -> None:
        run = self.rules.run_scenario(self.location.scenario)
        if logged_scenario == run:
            return
        if not self.rules.infers(logged_scenario, self.location.scenario):
            # A scenario with another name in LoadGen is always refused with a log of a third.
            severity: Severity | None = None if run == self.location.scenario else "error"
            self._add("performance.scenario", f"effective_scenario {logged_scenario}", run, severity=severity)
        elif not set(self.location.described.categories) & set(self.rules.inferring_categories):
            allowed = " or ".join(self.rules.inferring_categories)
            self._add(
                "performance.inferred_category", f"inferred from {logged_scenario}", f"a run, or a system of {allowed}"
            )

    def _metric(self, logged_scenario: Scenario) -> Metric | None:
        """Return the result as the official checker computes it: for a foreign scenario's log that scenario's own."""
        scenario, per_query = self.location.scenario, self.rules.scenarios["MultiStream"].samples_per_query
        ran = self._rules_in(logged_scenario)
        log = self.log.detail((*_METRIC_KEYS, ran.result_key))
        infers = self.rules.infers(logged_scenario, scenario)
        try:
            found = metric(log, logged_scenario, per_query, ran.result_key)
            if infers:
                found = metric(log, scenario, per_query)
        except DataError as error:
            if "too few queries" in error.what:
                self._add("performance.inferred_samples", "early_stopping_latency_ms 0", "an estimate above 0")
            else:
                self.collector.add("performance.value", self.path, error.what, "a number", severity=self.severity)
            return None
        unit = self.location.run_rules.unit
        if not math.isfinite(found.value) or found.value <= 0:
            self._add("performance.metric", f"{found.value} {unit}", "a number above 0")
            return None
        return Metric(found.value, unit, infers)

    def _check_identity(self) -> None:
        modes = self.rules.test_modes.performance
        mode = self.log.value("effective_test_mode")
        if mode not in modes:
            self._add("performance.test_mode", f"effective_test_mode {mode}", " or ".join(modes))
        if self.location.described.network:
            name = self.log.value("sut_name")
            if not isinstance(name, str) or self.rules.network_sut not in name:
                self._add("performance.network_name", f"sut_name {name!r}", f"a name with '{self.rules.network_sut}'")
