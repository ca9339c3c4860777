"""Verify the compliance tests of a round: is a test's run as fast as the performance run, with the same responses?

Figures are read from LoadGen's detail and accuracy logs, never from its summary, whose wording changes between
versions. Tolerances are the round's; which figures are compared, and how, follows its verification scripts (v2.1).
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import msgspec

from engine.errors import DataError
from engine.mlperf import FACTS
from engine.mlperf_logs.accuracy_log import Record, records, write_log
from engine.profile.benchmark_rules import Benchmark
from engine.profile.rounds import Round
from engine.profile.scenario_rules import ComplianceTest

PASS, FAIL = "TEST PASS", "TEST FAIL"

NS_PER_S = 1e9
LATENCY, THROUGHPUT = "latency", "throughput"
SCORES = {name: facts.test_key for name, facts in FACTS.items()}
"""Scenario of a log → the key of its score: a latency in ns, or samples/s."""

Dtype = Literal["byte", "float32", "int32", "int64"]
"""Element type of a response. Only the first element of each response is compared."""
_ELEMENTS = {name: struct.Struct(form) for name, form in zip(get_args(Dtype), ("B", "<f", "<i", "<q"), strict=True)}


class RunLog(Protocol):
    """A detail log: the value of a key's first message, None where there is none."""

    def value(self, key: str) -> Any:
        """Return the value of `key`."""


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """A test's score and that of the performance run.

    Both in the unit of SCORES; where only a better score counts against a test, latencies are converted to queries/s.
    """

    passed: bool
    reference: float | None = None
    score: float | None = None
    least: float | None = None
    """Exclusive lower limit of the score; None where there is none."""
    most: float | None = None
    """Exclusive upper limit of the score."""
    why: str = ""
    """Why the test failed; empty where it passed."""


class ResponseCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Counts from comparing a test's logged responses with those of the accuracy run."""

    num_acc_log_entries: int = 0
    num_acc_log_duplicate_keys: int = 0
    num_acc_log_data_mismatch: int = 0
    """Samples that the accuracy run answered twice, and differently."""
    num_perf_log_entries: int = 0
    num_perf_log_qsl_idx_match: int = 0
    num_perf_log_data_mismatch: int = 0
    """Responses that differ from those of the accuracy run."""
    num_missing_qsl_idxs: int = 0
    """Responses to samples that the accuracy run did not answer; they are ignored."""

    @property
    def passed(self) -> bool:
        """Whether there were responses to compare, and all are the same."""
        return self.num_perf_log_qsl_idx_match > 0 and self.num_perf_log_data_mismatch == 0


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """Two accuracies over the sampled responses, which decide where single responses differ."""

    passed: bool
    baseline: float
    """Of the accuracy run's responses to these samples, in the principal metric."""
    compliance: float
    """Of the test's responses."""
    baseline_text: str
    compliance_text: str
    """Contents of baseline_accuracy.txt and compliance_accuracy.txt."""
    why: str = ""


class ComplianceOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """Result of one test in one scenario."""

    test: str
    scenario: str
    speed: Speed
    answers: ResponseCounts | None = None
    """None where the test compares no responses."""
    baseline: Baseline | None = None
    """None where the responses are the same, or there are none to compare."""

    @property
    def why(self) -> str:
        """Why it failed; empty where the test passed."""
        reasons = [self.speed.why]
        if self.baseline is not None:
            reasons.append(self.baseline.why)
        elif self.answers is not None and not self.answers.passed:
            reasons.append("no response of the test can be compared with one of the accuracy run")
        return "; ".join(reason for reason in reasons if reason)

    @property
    def passed(self) -> bool:
        """Whether the submission checker would accept the test."""
        return not self.why


def speed(rules: Round, benchmark: Benchmark, test: str, reference: RunLog, tested: RunLog) -> Speed:
    """Compare the detail log of a test's run with that of the performance run.

    Both must be VALID and of one scenario, and the test's run must have been made with the settings of the test. A test
    that is not about speed passes. Raises UsageError for an unknown test.
    """
    rule = rules.test(test)
    if rule.tolerance is None:
        return Speed(passed=True)
    fault = _fault(rules, benchmark, rule, reference, tested)
    scenario = str(reference.value("effective_scenario"))
    figures = [_score(log, scenario, rule) for log in (reference, tested)]
    if fault or figures[0] is None or figures[1] is None:
        why = fault or "LoadGen gives no score: the run had too few queries"
        return Speed(passed=False, reference=figures[0], score=figures[1], why=why)
    least, most = limits(rules, rule, scenario, figures[0])
    passed = figures[1] < most and (least is None or figures[1] > least)
    of = quantity(scenario, rule)
    faster = (figures[1] >= most) is (of == THROUGHPUT)
    why = (
        f"its {of} is {figures[1] / figures[0]:.1%} of the performance run's: "
        f"{'faster' if faster else 'slower'} than the test allows; other work may have slowed one of them"
    )
    return Speed(
        passed=passed, reference=figures[0], score=figures[1], least=least, most=most, why="" if passed else why
    )


def quantity(scenario: str, rule: ComplianceTest) -> str:
    """Return which quantity a test's score is: a latency, or a rate."""
    return LATENCY if FACTS[scenario].streams and not rule.one_sided else THROUGHPUT


def limits(rules: Round, rule: ComplianceTest, scenario: str, reference: float) -> tuple[float | None, float]:
    """Return the exclusive lower and upper limits of a score, given that of the performance run.

    Very short latencies may differ more. A one-sided test's script applies that to figures already converted to
    queries/s, so that nearly every latency counts as short; what it accepts is what the rules accept.
    """
    short = any(name == scenario and reference <= limit for name, limit in rules.relaxation.below_ns.items())
    tolerance = rules.relaxation.tolerance if short else rule.tolerance or 0.0
    return None if rule.one_sided else reference * (1 - tolerance), reference * (1 + tolerance)


def _fault(rules: Round, benchmark: Benchmark, rule: ComplianceTest, reference: RunLog, tested: RunLog) -> str:
    """Return why two logs can't be compared; empty where they can."""
    scenarios = [log.value("effective_scenario") for log in (reference, tested)]
    if scenarios[0] != scenarios[1]:
        return f"the test was run in {scenarios[1]}, the performance run in {scenarios[0]}"
    if scenarios[0] not in SCORES:
        return f"the logs are of no known scenario ({scenarios[0]})"
    for name, log in (("performance", reference), ("test's", tested)):
        if log.value("result_validity") != "VALID":
            return f"the {name} run is {log.value('result_validity') or 'unfinished'}"
    seeds = rule.seeds or rules.seeds
    wanted = {f"{name}_rng_seed": getattr(seeds, name) for name in ("qsl", "sample_index", "schedule")}
    for name, value in {**wanted, **rule.settings_of(benchmark.compliance_samples)}.items():
        found = tested.value(f"effective_{name}")
        if found != value:
            return f"this is no run of the test: {name} is {found}, not {value}"
    return ""


def _score(log: RunLog, scenario: str, rule: ComplianceTest) -> float | None:
    """Return a log's score; LoadGen writes 0 where early stopping gives no estimate."""
    value = log.value(SCORES.get(scenario, ""))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        return None
    return NS_PER_S / value if rule.one_sided and FACTS[scenario].streams else value


def answers(reference: Path, tested: Path, dtype: Dtype = "float32") -> ResponseCounts:
    """Compare the responses that a test logged with those of the accuracy run to the same samples.

    Both are accuracy logs; where the accuracy run answered a sample twice, its first answer counts. Raises DataError
    where a log is invalid or truncated.
    """
    element = _ELEMENTS[dtype]
    first: dict[int, object] = {}
    counts = dict.fromkeys(ResponseCounts.__struct_fields__, 0)
    for record in records(reference):
        counts["num_acc_log_entries"] += 1
        value = _first(record, element)
        if record.qsl_idx in first:
            counts["num_acc_log_duplicate_keys"] += 1
            counts["num_acc_log_data_mismatch"] += first[record.qsl_idx] != value
        first.setdefault(record.qsl_idx, value)
    for record in records(tested):
        counts["num_perf_log_entries"] += 1
        known = record.qsl_idx in first
        counts["num_perf_log_qsl_idx_match"] += known
        counts["num_missing_qsl_idxs"] += not known
        counts["num_perf_log_data_mismatch"] += known and first[record.qsl_idx] != _first(record, element)
    return ResponseCounts(**counts)


def _first(record: Record, element: struct.Struct) -> object:
    """Return the first element of a response; one that is too short is returned whole."""
    return element.unpack_from(record.data)[0] if len(record.data) >= element.size else record.data


def baseline(
    rules: Round, benchmark: Benchmark, reference: Path, tested: Path, score: Callable[[Path], str], scratch: Path
) -> Baseline:
    """Score the sampled responses of a test, and those of the accuracy run to the same samples, and compare the two.

    `score` returns the text of accuracy.txt for an accuracy log. Both accuracies are over the samples that both runs
    answered. `scratch` is a temporary folder for parts of the logs. Raises DataError where a log or the score's text is
    invalid.
    """
    sampled = {record.qsl_idx for record in records(tested)}
    common = sampled.intersection(record.qsl_idx for record in records(reference))
    logs = [
        _part(reference, common, scratch / "baseline.json"),
        tested if common == sampled else _part(tested, common, scratch / "compliance.json"),
    ]
    texts = [score(log) for log in logs]
    values = [[_value(rules, benchmark, one.metric, text) for text in texts] for one in benchmark.accuracy]
    reasons = [
        _apart(one.metric, expected, found, one.baseline_percent or benchmark.baseline_percent)
        for one, (expected, found) in zip(benchmark.accuracy, values, strict=True)
    ]
    why = "; ".join(reason for reason in reasons if reason)
    return Baseline(
        passed=not why,
        baseline=values[0][0],
        compliance=values[0][1],
        baseline_text=texts[0],
        compliance_text=texts[1],
        why=why,
    )


def _apart(metric: str, expected: float, found: float, percent: float) -> str:
    """Return the error where two accuracies differ by more than `percent`; empty where they do not."""
    if percent_apart(expected, found) <= percent:
        return ""
    return (
        f"the sampled responses have {metric} {found:g}, the accuracy run's to the same samples "
        f"{expected:g}: more than {percent:g} % apart"
    )


def _part(log: Path, indices: Container[int], part: Path) -> Path:
    """Write the first response to each of these samples into a separate log."""
    write_log(part, (record for record in _once(records(log)) if record.qsl_idx in indices))
    return part


def percent_apart(baseline: float, compliance: float) -> float:
    """Return the difference of two accuracies: |1 - baseline / compliance| in per cent (v2.1 checker)."""
    return abs(1 - baseline / compliance) * 100 if compliance else float("inf")


def _once(found: Iterator[Record]) -> Iterator[Record]:
    seen = set()
    for record in found:
        if record.qsl_idx not in seen:
            seen.add(record.qsl_idx)
            yield record


def _value(rules: Round, benchmark: Benchmark, metric: str, text: str) -> float:
    """Return the accuracy that the submission checker reads from a score's text."""
    pattern = rules.accuracy_lines[metric].line
    for line in text.splitlines():
        if match := re.match(pattern, line):
            return float(match[1])
    raise DataError(f"the score of {benchmark.title} has no line with its {metric}: {text!r}")


def performance_text(found: Speed) -> str:
    """Return the content of verify_performance.txt."""
    lines = ["Verifying performance."]
    if found.reference is not None and found.score is not None:
        lines += [f"reference score = {found.reference}", f"test score = {found.score}"]
    return "\n".join([*lines, PASS if found.passed else f"{FAIL}: {found.why}", ""])


def accuracy_text(found: ResponseCounts) -> str:
    """Return the content of verify_accuracy.txt. A fail in it makes the submission checker compare the two
    accuracies."""
    counts = msgspec.structs.asdict(found)
    lines = [f"{name} = {count}" for name, count in counts.items()]
    return "\n".join(["Verifying accuracy.", *lines, PASS if found.passed else FAIL, ""])
