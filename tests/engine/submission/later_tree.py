"""Writes a complete tree of one system and benchmark that a round after v2.1 has nothing against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import profiles
from engine.mlperf import Scenario
from engine.profile.benchmark_rules import AccuracyRule, Benchmark
from engine.profile.round_file import load_round
from engine.profile.rounds import Round
from engine.profile.run_rules import resolve_rules
from engine.profile.tree_rules import Division
from tests.engine.submission import base_tree
from tests.engine.submission import loadgen_logs as logs

ROUNDS = {path.stem: load_round(path) for path in sorted((profiles.FOLDER / "rounds").glob("*.yaml"))}
SUBMITTER, SYSTEM = "Acme", "box"

LINES = {
    "acc": "accuracy={}%, good=1",
    "mAP": "mAP={}%",
    "AUC": "AUC={}%, accuracy=96.608%",
    "F1": '{{"exact_match": 83.68, "f1": {}}}',
    "WER": "Word Error Rate: 7.4%, accuracy={}%",
    "ACCURACY": "Word Error Rate: 2.0%, accuracy={}%",
    "DICE": "Accuracy: mean = {}, kidney = 0.9",
    "F1_HIERARCHICAL": '{{"category": 1, "f1": {}}}',
    "DLRM_NE": "metric/lifetime_ne/rating: {}",
    "DLRM_ACC": "metric/lifetime_accuracy/rating: {}",
    "DLRM_AUC": "metric/lifetime_gauc/rating: {}",
    "E2E_ACCURACY": "Accuracy: {}",
    "CLIP_SCORE": "{{'CLIP_SCORE': {}}}",
    "FID_SCORE": "{{'FID_SCORE': {}}}",
}
"""Metric → a line of its scoring script; other metrics are printed as a dictionary with their name in it."""
NAMES = {"ROUGEL": "rougeL", "ROUGELSUM": "rougeLsum", "gsm8k_accuracy": "gsm8k", "mbxp_accuracy": "mbxp"}


@dataclass(frozen=True)
class LaterTree:
    """One system with one benchmark."""

    round: str
    model: str
    system_type: str = "edge"
    division: Division = "closed"
    scenarios: tuple[Scenario, ...] = ()
    """The required ones unless given."""
    power: bool = False
    inferred: bool = False

    @property
    def rules(self) -> Round:
        """The rules of the round."""
        return ROUNDS[self.round]

    @property
    def benchmark(self) -> Benchmark:
        """The rules of the benchmark."""
        return self.rules.benchmarks[self.model]

    @property
    def home(self) -> str:
        """The submitter's folder."""
        return f"{self.division}/{SUBMITTER}"

    def submitted(self) -> Sequence[Scenario]:
        """Return the scenarios of the tree."""
        return self.scenarios or self.rules.required(self.model, self.system_type)

    def place(self, kind: str, scenario: str = "") -> str:
        """Return a place of the layout: `results`, `measurements`, `compliance`, `system`, `code`."""
        template: str = getattr(self.rules.layout, kind)
        inside = template.format(system=SYSTEM, benchmark=self.model, scenario=scenario, implementation="reference")
        return f"{self.home}/{inside}"

    def write(self, root: Path) -> None:
        """Write the tree."""
        _write(root / self.place("system"), json.dumps(self.description(), indent=1))
        _write(root / self.place("code") / "README.md", "How to run it.\n")
        if self.division != "open":
            _write(root / self.home / "calibration.md", "By the ranges.\n")
        for scenario in self.submitted():
            self._write_result(root, scenario)

    def description(self) -> dict[str, Any]:
        """Return a complete system description."""
        system = self.rules.system
        names = system.required + (system.network if self.division == "network" else ())
        return {
            **dict.fromkeys(names, "N/A"),
            **dict.fromkeys(system.numbers, "1"),
            "division": self.division,
            "submitter": SUBMITTER,
            "status": "available",
            "system_type": self.system_type,
        }

    def _write_result(self, root: Path, scenario: Scenario) -> None:
        results, rules = root / self.place("results", scenario), self.rules
        ran: Scenario = "SingleStream" if self.inferred else rules.run_scenario(scenario)
        base_tree.write_run(results / "performance" / "run_1", self.values(scenario, ran))
        if self.power:
            base_tree.write_power(results / "performance")
        self._write_accuracy(results / "accuracy", scenario, ran)
        measured = root / self.place("measurements", scenario)
        equal = "*.*.sample_concatenate_permutation = 1\n"
        for name in (*rules.files.measurements, rules.files.calibration_process):
            _write(measured / name, equal)
        name = rules.layout.measurements_file.format(system=SYSTEM, implementation="reference", scenario=scenario)
        _write(measured / name, json.dumps(dict.fromkeys(rules.files.measurement_fields, "fp32")))
        for beginning in rules.files.power_measurements if self.power else ():
            _write(measured / f"{beginning}.md", "x")
        for test in self.benchmark.compliance if self.division != "open" else ():
            self._write_test(root / self.place("compliance", scenario) / test, test, scenario, ran)

    def values(self, scenario: Scenario, ran: Scenario, test: str = "performance") -> logs.Values:
        """Return the values of a performance run."""
        rules = resolve_rules(self.rules, self.benchmark, scenario, test)
        in_log = resolve_rules(self.rules, self.benchmark, ran, test)
        values = logs.performance_values(
            self.rules, self.benchmark, ran, sut=self._sut(), seeds=rules.seeds, settings=rules.test_settings
        )
        values |= {
            "effective_min_duration_ms": in_log.min_duration_ms,
            "requested_use_token_latencies": self.benchmark.token_latencies,
            "effective_sample_concatenate_permutation": self.benchmark.sample_concatenate_permutation,
        }
        values.setdefault(in_log.result_key, 1000.5)
        values["effective_samples_per_query"] = max(values["effective_samples_per_query"], in_log.min_sample_count)
        if rules.token_latency is not None:
            values["result_first_token_99.00_percentile_latency_ns"] = int(rules.token_latency.first_ms * 1e6) - 1
            values["result_time_per_output_token_99.00_percentile_ns"] = int(rules.token_latency.each_ms * 1e6) - 1
        return values

    def _sut(self) -> str:
        return "Acme (Network SUT)" if self.division == "network" else "PySUT"

    def _write_accuracy(self, folder: Path, scenario: Scenario, ran: Scenario) -> None:
        whole = logs.accuracy_log()
        digest = hashlib.sha256(whole).hexdigest()
        count = resolve_rules(self.rules, self.benchmark, scenario).accuracy_sample_count
        own = "" if count == self.benchmark.sample_count else logs.message("effective_accuracy_sample_count", count)
        _write(folder / "mlperf_log_detail.txt", logs.accuracy_detail(self.rules, self.benchmark, ran) + own)
        _write(folder / "mlperf_log_summary.txt", logs.NO_TROUBLE)
        _write(folder / "mlperf_log_accuracy.json", base_tree.truncated(whole))
        _write(folder / "accuracy.txt", f"{self.accuracy_text(scenario)}hash={digest}\n")
        for name, samples in self.benchmark.accuracy_samples.items():
            for sample in samples:
                _write(folder / name / f"{sample}.png", "x")

    def accuracy_text(self, scenario: Scenario) -> str:
        """Return the output of the scoring script: every metric at its target."""
        return "".join(score(one) for one in resolve_rules(self.rules, self.benchmark, scenario).accuracy)

    def _write_test(self, folder: Path, test: str, scenario: Scenario, ran: Scenario) -> None:
        rule, whole = self.rules.compliance[test], logs.accuracy_log(300)
        if rule.output is not None:
            _write(folder / rule.output.file, "".join(f"{group[0]}\n" for group in rule.output.lines))
        if rule.tolerance is not None:
            base_tree.write_run(folder / "performance" / "run_1", self.values(scenario, ran, test))
            _write(folder / "verify_performance.txt", "TEST PASS\n")
        if rule.accuracy:
            _write(folder / "verify_accuracy.txt", "TEST PASS\n")
            _write(folder / "accuracy" / "mlperf_log_accuracy.json", base_tree.truncated(whole))
            _write(folder / "accuracy" / "accuracy.txt", f"hash={hashlib.sha256(whole).hexdigest()}\n")


def score(rule: AccuracyRule, value: float | None = None) -> str:
    """Return the line of a metric, with its target by default."""
    name = NAMES.get(rule.metric, rule.metric.lower())
    found = value if value is not None else rule.target if rule.has_target else (rule.most or 0)
    return LINES.get(rule.metric, f"{{{{'{name}': {{}}}}}}").format(repr(found)) + "\n"


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
