"""Verify a compliance test against the performance and accuracy runs of its scenario, and write the files required."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from engine import codec, events
from engine.facts import SamplesFacts
from engine.mlperf import (
    ACCURACY_LOG,
    ACCURACY_TEXT,
    DETAIL_LOG,
    TEST_FOLDER,
    VERIFY_ACCURACY,
    VERIFY_PERFORMANCE,
    Scenario,
)
from engine.mlperf_logs import detail
from engine.profile.benchmark_rules import Benchmark
from engine.profile.known_rounds import round_of
from engine.profile.rounds import Round
from engine.profile.scenario_rules import ComplianceTest
from engine.step import Options, Step
from engine.steps.measuring import run_findings as findings
from engine.submission import verification as compliance
from engine.submission import verified
from engine.submission.checker import single
from engine.submission.verification import ComplianceOutcome

ACCURACY = "accuracy"


class VerifyOptions(Options, frozen=True, kw_only=True):
    """What a compliance test is of; the task reads options of its own."""

    round: str
    benchmark: str
    scenario: Scenario
    test: Literal["TEST01", "TEST04", "TEST05"]
    task: str
    """Module of the task."""
    dtype: Literal["byte", "float32", "int32", "int64"]
    """Element type of a response."""


def verify(step: Step) -> dict[str, Any]:
    """Compare the need `test` with the needs `performance` and, where the test requires it, `accuracy`.

    The output folder gets verify_performance.txt, the record of the compared runs, and for a test that compares
    responses verify_accuracy.txt and `accuracy/` with the responses and their score; where responses differ, those of
    the accuracy run too. A failed test is a result, not an error. Facts: `passed`, `why`, `reference`, `score`,
    `least`, `most`.
    """
    options = step.read_options(VerifyOptions)
    rules = round_of(step.profiles, options.round)
    benchmark, name = rules.benchmark(options.benchmark), options.test
    tested = step.inputs["test"].folder / TEST_FOLDER
    speed = compliance.speed(
        rules,
        benchmark,
        name,
        detail.read(step.inputs["performance"].folder / DETAIL_LOG),
        detail.read(tested / DETAIL_LOG),
    )
    outcome = ComplianceOutcome(test=name, scenario=options.scenario, speed=speed)
    if rules.test(name).accuracy:
        outcome = _compare_answers(step, rules, benchmark, outcome, tested / ACCURACY_LOG)
    if rules.test(name).tolerance is not None:
        (step.output / VERIFY_PERFORMANCE).write_text(compliance.performance_text(speed))
    _remember(step, rules.test(name))
    _report(step, outcome, rules)
    facts = {field: getattr(speed, field) for field in ("reference", "score", "least", "most")}
    return {"passed": outcome.passed, "why": outcome.why, **facts}


def _remember(step: Step, rule: ComplianceTest) -> None:
    """Record which runs were compared, to detect a verification of other runs."""
    accuracy = step.inputs["accuracy"].folder if rule.accuracy else None
    compared = verified.verified(step.inputs["performance"].folder, accuracy)
    (step.output / verified.FILE).write_bytes(codec.encode(compared))


def _compare_answers(
    step: Step, rules: Round, benchmark: Benchmark, outcome: ComplianceOutcome, tested: Path
) -> ComplianceOutcome:
    reference = step.inputs["accuracy"].folder / ACCURACY_LOG
    answers = compliance.answers(reference, tested, step.read_options(VerifyOptions).dtype)
    (step.output / VERIFY_ACCURACY).write_text(compliance.accuracy_text(answers))
    folder = step.output / ACCURACY
    folder.mkdir()
    shutil.copyfile(tested, folder / ACCURACY_LOG)
    score = _scorer(step)
    (folder / ACCURACY_TEXT).write_text(score(tested) if answers.num_perf_log_entries else "")
    baseline = None
    if not answers.passed and answers.num_perf_log_qsl_idx_match:
        with tempfile.TemporaryDirectory() as scratch:
            baseline = compliance.baseline(rules, benchmark, reference, tested, score, Path(scratch))
        (folder / "baseline_accuracy.txt").write_text(baseline.baseline_text)
        (folder / "compliance_accuracy.txt").write_text(baseline.compliance_text)
    if answers.num_missing_qsl_idxs:
        count = f"{answers.num_missing_qsl_idxs} of {answers.num_perf_log_entries}"
        step.warn(f"{count} responses are to samples that the accuracy run did not answer; they were not compared")
    return ComplianceOutcome(
        test=outcome.test, scenario=outcome.scenario, speed=outcome.speed, answers=answers, baseline=baseline
    )


def _scorer(step: Step) -> Any:
    """Return the function that scores an accuracy log like the accuracy run's."""
    task = importlib.import_module(step.read_options(VerifyOptions).task)
    samples = step.inputs["preprocessed"]
    labels = samples.folder / samples.read(SamplesFacts).labels
    return lambda log: task.score(log, labels).text


def _report(step: Step, outcome: ComplianceOutcome, rules: Round) -> None:
    speed = outcome.speed
    share = 100 * speed.score / speed.reference if speed.score and speed.reference else None
    step.emit(
        events.Measured(
            at=time.time(),
            step=step.id,
            scenario=outcome.scenario,
            mode=outcome.test,
            metric=compliance.PASS if outcome.passed else compliance.FAIL,
            value=share,
            unit=f"% of the performance run's {compliance.quantity(outcome.scenario, rules.test(outcome.test))}",
            valid=None,
        )
    )
    if not outcome.passed:
        what = findings.about(step.options, rules)
        broken = next(iter(single.verification(step.output, what, outcome.test)))
        text = f"{broken.severity} {broken.rule}: {outcome.test} {outcome.scenario}: {compliance.FAIL}: {outcome.why}"
        step.warn(text, rule=broken.rule, remedy=broken.remedy)
