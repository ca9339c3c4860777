"""Performance logs in wrong places, and files that do not match each other."""

from __future__ import annotations

from pathlib import Path

from engine.mlperf import DETAIL_LOG, SUMMARY_LOG
from tests.engine.submission.base_tree import SYSTEMS, System
from tests.engine.submission.checker.faults import Break, Fault, described, fields, remove, replace, run_of, says, write
from tests.engine.submission.checker.faults_performance import EVERYWHERE, fault


def same_log_as(scenario: str) -> Break:
    """Copy both logs of another scenario's run over these, performance and accuracy."""

    def make(path: Path) -> None:
        result = path.parents[2]
        other = result.with_name(scenario)
        for name in ("performance/run_1/" + DETAIL_LOG, "performance/run_1/" + SUMMARY_LOG, "accuracy/" + DETAIL_LOG):
            (result / name).write_bytes((other / name).read_bytes())

    return make


def datacenter(log: Path) -> None:
    """Make the system one that may not infer results."""
    root = log.parents[8]
    system: System = SYSTEMS["open-inferred"]
    fields(system_type="datacenter")(root / described(system.name))


FAULTS = [
    *(
        fault(f"{scenario}'s log", (system, folder), "scenario", "warning", same_log_as(scenario))
        for system, folder, scenario in (
            ("edge-rnnt", "SingleStream", "Offline"),
            ("dc-bert-99", "Server", "Offline"),
            ("dc-resnet50", "Offline", "Server"),
            ("net", "Server", "Offline"),
            ("open", "SingleStream", "MultiStream"),
        )
    ),
    *(
        fault("an accuracy run", at, "test_mode", "warning", says(effective_test_mode="AccuracyOnly"))
        for at in EVERYWHERE
    ),
    *(
        Fault(
            name,
            system,
            "performance.files",
            "warning",
            run_of(system, scenario),
            make,
            at=f"{run_of(system, scenario)}/{file}",
        )
        for system, scenario, name, file, make in (
            ("dc-rnnt", "Offline", "no summary", SUMMARY_LOG, remove),
            ("net", "Server", "another file", "notes.txt", write("x")),
            ("open", "SingleStream", "no summary", SUMMARY_LOG, remove),
            ("open-dc", "Server", "power samples without power", "spl.txt", write("x")),
        )
    ),
    Fault(
        "power gone",
        "both",
        "performance.files",
        "warning",
        run_of("both", "Offline"),
        remove,
        at=f"{run_of('both', 'Offline').rpartition('/')[0]}/power",
    ),
    *(
        Fault(
            "another run",
            system,
            "performance.extra_run",
            "warning",
            f"{run_of(system, scenario)[:-1]}2",
            write("x"),
            at=f"{run_of(system, scenario)[:-1]}2/{SUMMARY_LOG}",
        )
        for system, scenario in EVERYWHERE
    ),
    *(
        Fault(
            f"summary: {new}",
            system,
            "performance.summary",
            "warning",
            f"{run_of(system, scenario)}/{SUMMARY_LOG}",
            replace(old, new),
        )
        for system, scenario, old, new in (
            ("dc-rnnt", "Server", "Result is : VALID", "Result is : INVALID"),
            ("net", "Offline", "per second: 1099.25", "per second: 1199.25"),
            ("open", "SingleStream", "min_duration (ms) : 600000", "min_duration (ms) : 60000"),
            ("open", "MultiStream", "Scenario : MultiStream", "Scenario : Offline"),
            ("edge-bert-99", "Offline", "satisfied : Yes", "satisfied : NO"),
            ("both", "Server", "14284205019438841327", "14284205019438841328"),
        )
    ),
    Fault(
        "inferred in a datacenter",
        "open-inferred",
        "performance.inferred_category",
        "warning",
        f"{run_of('open-inferred', 'Offline')}/{DETAIL_LOG}",
        datacenter,
        also=frozenset({"performance.inferred_category"}),
    ),
]
