"""Writes submission trees that the rules of v2.1 have nothing against: small, complete, in the real file formats.

`SYSTEMS` covers the three divisions, both categories, all nine model classes, inferred results, power, and both ways to
pass TEST01. Tests take one of them, break one thing, and see what the checker says.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import profiles
from engine.mlperf import Scenario
from engine.profile.benchmark_rules import Benchmark
from engine.profile.round_file import load_round
from engine.profile.tree_rules import Division
from tests.engine.submission import loadgen_logs as logs

RULES = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")
SUBMITTER = "Acme"
CODE = "reference"

ACCURACY = {
    "acc": ("accuracy=", "76.456", "%, good=38228, total=50000"),
    "mAP": ("mAP=", "37.477", "%"),
    "AUC": ("AUC=", "80.185", "%, accuracy=96.608%, good=86114148, total=89137319, queries=330067"),
    "F1": ('{"exact_match": 83.68, "f1": ', "90.87400", "}"),
    "WER": ("Word Error Rate: 7.4477440303050795%, accuracy=", "92.55225596969493", "%"),
    "DICE": ("Accuracy: mean = ", "0.86240", ", kidney = 0.9350, tumor = 0.7898"),
}
"""Output of a scoring script, by metric: before the value, the value, and after it."""


@dataclass(frozen=True)
class System:
    """One system and its submission."""

    name: str
    division: Division
    system_type: str
    models: tuple[str, ...]
    scenarios: tuple[Scenario, ...] = ()
    """The required scenarios unless given."""
    power: bool = False
    inferred: bool = False
    """MultiStream and Offline are copies of SingleStream."""
    lower: bool = False
    """Scenario folders in lower case."""
    baseline: bool = False
    """TEST01 passes by comparing accuracies."""

    @property
    def home(self) -> str:
        """The submitter's folder."""
        return f"{self.division}/{SUBMITTER}"

    def benchmark(self, model: str) -> Benchmark:
        """The benchmark of a model folder."""
        found = RULES.benchmark_of(model)
        assert found is not None
        return found

    def scenarios_of(self, model: str) -> tuple[Scenario, ...]:
        """Return the scenarios submitted for a model."""
        return self.scenarios or self.benchmark(model).required(RULES.system.types[self.system_type])

    def at(self, kind: str, model: str, scenario: str) -> str:
        """The path of a scenario folder under results/, measurements/ or compliance/."""
        return f"{self.home}/{kind}/{self.name}/{model}/{scenario.lower() if self.lower else scenario}"


DATACENTER = tuple(name for name, one in RULES.benchmarks.items() if "datacenter" in one.scenarios)
EDGE = tuple(name for name, one in RULES.benchmarks.items() if "edge" in one.scenarios)

SYSTEMS = {
    one.name: one
    for one in (
        *(System(f"dc-{model}", "closed", "datacenter", (model,)) for model in DATACENTER),
        *(System(f"edge-{model}", "closed", "edge", (model,)) for model in EDGE),
        System("both", "closed", "datacenter,edge", ("resnet50",), power=True),
        System("baseline", "closed", "datacenter", ("bert-99",), baseline=True),
        System("baseline-99.9", "closed", "datacenter", ("bert-99.9",), baseline=True),
        System("inferring", "closed", "edge", ("resnet50",), inferred=True),
        System("net", "network", "datacenter", ("resnet50",)),
        System("open", "open", "edge", ("resnet50",)),
        System("open-dc", "open", "datacenter", ("bert-99.9",), ("Server",)),
        System("open-inferred", "open", "edge", ("resnet50",), power=True, inferred=True, lower=True),
        System("open-own", "open", "edge,datacenter", ("efficientnet-lite0", "bert-99_pruned"), ("SingleStream",)),
    )
}
"""Systems by name."""


def write_all(root: Path) -> None:
    """Write a tree with every system."""
    for system in SYSTEMS.values():
        write_system(root, system)


def write_system(root: Path, system: System) -> None:
    """Write the submission of one system."""
    home = root / system.home
    _write(home / "systems" / f"{system.name}.json", json.dumps(description(system), indent=4))
    if system.division != "open":
        _write(home / "calibration.md", "Weights and activations are quantised by their ranges.\n")
    for model in system.models:
        _write(home / "code" / model / CODE / "README.md", "How to run it.\n")
        for scenario in system.scenarios_of(model):
            write_result(root, system, model, scenario)


def description(system: System) -> dict[str, str | int]:
    """Return a complete system description."""
    network = system.division == "network"
    names = RULES.system.required + (RULES.system.network if network else ())
    return {
        **dict.fromkeys(names, "N/A"),
        "division": system.division,
        "submitter": SUBMITTER,
        "status": "available",
        "system_type": system.system_type,
        "system_name": f'Acme "{system.name}"',
        "number_of_nodes": 1,
        **({"is_network": "true"} if network else {}),
    }


def write_result(root: Path, system: System, model: str, scenario: Scenario) -> None:
    """Write results, measurements and compliance of one scenario."""
    benchmark = system.benchmark(model)
    ran: Scenario = "SingleStream" if system.inferred else scenario
    results = root / system.at("results", model, scenario)
    write_run(results / "performance" / "run_1", logs.performance_values(RULES, benchmark, ran, sut=_sut(system)))
    _write(results / "performance" / "run_1" / "mlperf_log_accuracy.json", "[\n]\n")
    write_accuracy(results / "accuracy", benchmark, ran)
    if system.power:
        write_power(results / "performance")
    write_measurements(root, system, model, scenario)
    if system.division != "open":
        for test in benchmark.compliance:
            write_test(root / system.at("compliance", model, scenario) / test, test, benchmark, ran, system)


def _sut(system: System) -> str:
    return "Acme (Network SUT)" if system.division == "network" else "PySUT"


def write_run(folder: Path, values: logs.Values) -> None:
    """Write the logs of a performance run."""
    _write(folder / "mlperf_log_detail.txt", logs.detail(values))
    _write(folder / "mlperf_log_summary.txt", logs.summary(values))


def accuracy_text(benchmark: Benchmark, value: str = "") -> str:
    """Return the output of the scoring script."""
    before, usual, after = ACCURACY[benchmark.accuracy[0].metric]
    return f"Reading examples...\n{before}{value or usual}{after}\n"


def truncated(whole: bytes) -> bytes:
    """Return an accuracy log as the truncation tool leaves it."""
    return whole[:4096] + b"\n\n...\n\n" + whole[-4096:]


def write_accuracy(folder: Path, benchmark: Benchmark, scenario: Scenario) -> None:
    """Write an accuracy folder, truncated."""
    whole = logs.accuracy_log()
    _write(folder / "mlperf_log_detail.txt", logs.accuracy_detail(RULES, benchmark, scenario))
    _write(folder / "mlperf_log_summary.txt", logs.NO_TROUBLE)
    _write(folder / "mlperf_log_accuracy.json", truncated(whole))
    _write(folder / "accuracy.txt", accuracy_text(benchmark) + f"hash={hashlib.sha256(whole).hexdigest()}\n")


def write_measurements(root: Path, system: System, model: str, scenario: Scenario) -> None:
    """Write the measurements of a result."""
    folder = root / system.at("measurements", model, scenario)
    for name in (*RULES.files.measurements, RULES.files.calibration_process):
        _write(folder / name, "*.*.min_duration = 600000\n")
    fields = dict.fromkeys(RULES.files.measurement_fields, "fp32")
    _write(folder / f"{system.name}_{CODE}_{folder.name}.json", json.dumps(fields))


def write_power(performance: Path) -> None:
    """Write a power run: a sample each second, of 200 W while the run lasts."""
    for name in RULES.files.power_logs:
        _write(performance / "power" / name, "{}")
    begin = datetime(2022, 7, 27, 13, 11, 25, 612000, tzinfo=UTC)
    times = [begin + timedelta(seconds=second) for second in range(0, 620, 10)]
    inside = (logs.BEGIN, logs.END)
    lines = []
    for time in times:
        stamp = f"{time:%m-%d-%Y %H:%M:%S.%f}"[:-3]
        watts = 200.25 if inside[0] < stamp < inside[1] else 90.0
        lines.append(f"Time,{stamp},Watts,{watts:.6f},Volts,120.9,Amps,1.7789,PF,0.952,Mark,testing\n")
    _write(performance / "run_1" / "spl.txt", "".join(lines))
    for name in ("mlperf_log_detail.txt", "mlperf_log_summary.txt"):
        _write(performance / "ranging" / name, (performance / "run_1" / name).read_text())
    _write(performance / "ranging" / "spl.txt", "".join(lines))


def write_test(folder: Path, test: str, benchmark: Benchmark, scenario: Scenario, system: System) -> None:
    """Write a compliance test's run and the output of its verification."""
    rule = RULES.test(test)
    settings = rule.settings_of(benchmark.compliance_samples)
    values = logs.performance_values(RULES, benchmark, scenario, sut=_sut(system), seeds=rule.seeds, settings=settings)
    write_run(folder / "performance" / "run_1", values)
    scores = "reference score = 1099.25\ntest score = 1099.25\n"
    _write(folder / "verify_performance.txt", f"Verifying performance.\n{scores}TEST PASS\n")
    if not rule.accuracy:
        return
    whole = logs.accuracy_log(300)
    said = "FAIL" if system.baseline else "PASS"
    _write(folder / "verify_accuracy.txt", f"num_perf_log_data_mismatch = {int(system.baseline)}\nTEST {said}\n\n")
    _write(folder / "accuracy" / "accuracy.txt", f"hash={hashlib.sha256(whole).hexdigest()}\n")
    _write(folder / "accuracy" / "mlperf_log_accuracy.json", truncated(whole))
    if system.baseline:
        for name in RULES.files.compliance_baseline:
            _write(folder / "accuracy" / name, accuracy_text(benchmark))


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
