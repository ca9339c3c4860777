"""Faults of performance runs, for every scenario, model class and division."""

from __future__ import annotations

from typing import Any

from engine.mlperf import DETAIL_LOG
from engine.profile.tree_rules import Severity
from tests.engine.submission import loadgen_logs as logs
from tests.engine.submission.base_tree import DATACENTER, EDGE, RULES
from tests.engine.submission.checker.faults import Break, Fault, append, cut_line, remove, run_of, says, write

SPOKEN = frozenset({"performance.summary", "compliance.performance_differs", "accuracy.build"})
"""Rules that compare a detail log with other files also report a fault in that log."""

EVERYWHERE = (("dc-rnnt", "Server"), ("net", "Offline"), ("open", "MultiStream"), ("edge-bert-99", "SingleStream"))
_SCENARIOS = (("both", "Server"), ("both", "Offline"), ("both", "SingleStream"), ("both", "MultiStream"))
_MODELS = [
    *((f"dc-{one}", "Offline", one) for one in DATACENTER),
    *((f"edge-{one}", "SingleStream", one) for one in EDGE),
]
METRICS = {
    "Server": "result_scheduled_samples_per_sec",
    "Offline": "result_samples_per_second",
    "SingleStream": "early_stopping_latency_ss",
    "MultiStream": "early_stopping_latency_ms",
}


def fault(name: str, at: tuple[str, str], rule: str, severity: Severity, make: Break, *also: str) -> Fault:
    """A fault in the detail log of a performance run."""
    path = f"{run_of(*at)}/{DETAIL_LOG}"
    return Fault(name, at[0], f"performance.{rule}", severity, path, make, also=SPOKEN | set(also))


def says_twice(key: str, value: Any) -> Break:
    return append(logs.message(key, value))


READABLE = [
    *(fault("log gone", at, "missing", "error", remove, "performance.files") for at in EVERYWHERE),
    Fault("run gone", "open", "performance.missing", "error", run_of("open", "Offline"), remove),
    Fault(
        "folder gone",
        "dc-rnnt",
        "performance.missing",
        "error",
        run_of("dc-rnnt", "Offline"),
        remove,
        at=run_of("dc-rnnt", "Offline").rpartition("/")[0],
    ),
    *(
        fault(f"{name} for a log", at, "no_messages", "error", write(content))
        for at in EVERYWHERE
        for name, content in logs.NOT_LOGS.items()
    ),
    *(fault("rubbish after the marker", at, "line", "error", append(":::MLLOG {]\n")) for at in EVERYWHERE),
    fault("a line that ends early", ("open", "Offline"), "line", "error", cut_line("requested_print_timestamps")),
    fault("a list that ends early", ("net", "Server"), "line", "error", cut_line("loaded_qsl_set")),
    fault(
        "binary",
        ("dc-rnnt", "Offline"),
        "line",
        "error",
        lambda path: path.write_bytes(path.read_bytes() + b":::MLLOG \x00\xff\n"),
    ),
    fault("a very long line", ("open", "SingleStream"), "line", "error", append(":::MLLOG " + "[" * 3_000_000 + "\n")),
    *(
        fault(f"no {key}", at, "value", "error", says(**{key: None}))
        for at in (("dc-resnet50", "Server"), ("open", "Offline"))
        for key in ("effective_performance_sample_count", "effective_scenario", "effective_min_duration_ms")
    ),
    *(fault("no metric", at, "value", "error", says(**{METRICS[at[1]]: None})) for at in _SCENARIOS),
    fault(
        "target latency is text", ("dc-resnet50", "Server"), "value", "error", says(effective_target_latency_ns="15")
    ),
    fault("no target latency", ("net", "Server"), "value", "error", says(effective_target_latency_ns=None)),
    fault("no samples per query", ("net", "Offline"), "value", "error", says(effective_samples_per_query=None)),
    fault("no least query count", ("open", "Offline"), "value", "error", says(effective_min_query_count=None)),
    fault(
        "a scenario that does not exist",
        ("open", "Offline"),
        "value",
        "error",
        says(effective_scenario="Batch"),
        "accuracy.scenario",
    ),
    fault(
        "nothing to infer Offline from",
        ("inferring", "Offline"),
        "value",
        "error",
        says(result_qps_without_loadgen_overhead=None),
    ),
    fault("a line of other output", ("open", "Offline"), "other_line", "note", append("finished\n")),
    fault(
        "a warning",
        ("open", "Offline"),
        "warning",
        "note",
        append(logs.message("warning_x", "Careful.", is_warning=True)),
    ),
]

RULED = [
    *(fault("INVALID", at, "validity", "error", says(result_validity="INVALID")) for at in EVERYWHERE),
    fault("no verdict", ("dc-dlrm-99", "Server"), "validity", "error", says(result_validity=None)),
    fault(
        "VALID and then INVALID",
        ("open", "Offline"),
        "validity_twice",
        "warning",
        says_twice("result_validity", "INVALID"),
    ),
    *(
        fault("an error message", at, "error_message", "error", append(logs.message("error_x", "Bad.", is_error=True)))
        for at in EVERYWHERE
    ),
    fault(
        "uncommitted sources",
        ("dc-bert-99", "Offline"),
        "error_message",
        "error",
        append(
            logs.message("error_uncommitted_loadgen_changes", "Loadgen built with uncommitted changes!", is_error=True)
        ),
    ),
    *(
        fault(
            f"{model}: too few samples",
            (system, scenario),
            "sample_count",
            "error",
            says(effective_performance_sample_count=RULES.benchmark(model).performance_sample_count - 1),
        )
        for system, scenario, model in _MODELS
    ),
    *(
        fault("too few samples", at, "sample_count", "error", says(effective_performance_sample_count=20))
        for at in (("net", "Server"), ("open", "Offline"), ("open-inferred", "Offline"))
    ),
    *(
        fault(
            f"{model}: more samples than there are",
            (system, scenario),
            "sample_count_above",
            "warning",
            says(effective_performance_sample_count=RULES.benchmark(model).sample_count + 1),
        )
        for system, scenario, model in _MODELS[:9]
    ),
    fault(
        "more samples than there are",
        ("open", "Offline"),
        "sample_count_above",
        "warning",
        says(effective_performance_sample_count=50_001),
    ),
    *(
        fault(f"{name} seed", at, "seed", "warning", says(**{f"effective_{name}_rng_seed": value}))
        for at, name, value in (
            (("dc-rnnt", "Server"), "qsl", 14284205019438841328),
            (("net", "Offline"), "sample_index", 0),
            (("open", "SingleStream"), "schedule", None),
            (("edge-3d-unet-99", "Offline"), "qsl", 10003631887983097364),
        )
    ),
    *(
        fault("stopped too early", at, "early_stopping", "warning", says(early_stopping_met=value))
        for at, value in zip(
            (("dc-rnnt", "Server"), *_SCENARIOS[2:], ("open", "MultiStream")), (False, None, False, None), strict=True
        )
    ),
    *(
        fault(
            f"{model}: target above the bound",
            (f"dc-{model}", "Server"),
            "target_latency",
            "warning",
            says(effective_target_latency_ns=int((RULES.benchmark(model).server_latency_ms or 0) * 1e6) + 1),
        )
        for model in DATACENTER
        if RULES.benchmark(model).server_latency_ms
    ),
    fault(
        "target above the bound",
        ("net", "Server"),
        "target_latency",
        "warning",
        says(effective_target_latency_ns=15_000_001),
    ),
    *(
        fault(
            "measured above the bound",
            at,
            "latency",
            "warning",
            says(result_99__00_percentile_latency_ns=2_000_000_000),
        )
        for at in (("dc-rnnt", "Server"), ("net", "Server"), ("open-dc", "Server"))
    ),
    *(
        fault("no query wanted", at, "min_query_count", "warning", says(effective_min_query_count=0))
        for at in (("dc-3d-unet-99.9", "Offline"), ("net", "Offline"), ("open", "Offline"))
    ),
    *(
        fault("a small query", at, "samples_per_query", "warning", says(effective_samples_per_query=24_575))
        for at in (("dc-3d-unet-99.9", "Offline"), ("net", "Offline"), ("open", "Offline"))
    ),
    *(
        fault("a short run", at, "min_duration", "warning", says(effective_min_duration_ms=599_999))
        for at in (*EVERYWHERE, ("both", "MultiStream"), ("dc-dlrm-99.9", "Offline"))
    ),
    *(fault("metric 0", at, "metric", "error", says(**{METRICS[at[1]]: 0})) for at in _SCENARIOS),
    fault(
        "too few queries to infer from",
        ("inferring", "MultiStream"),
        "inferred_samples",
        "error",
        says(early_stopping_latency_ms=0),
    ),
    fault(
        "too few queries to infer from",
        ("open-inferred", "MultiStream"),
        "inferred_samples",
        "error",
        says(early_stopping_latency_ms=0),
    ),
    fault("no Network SUT", ("net", "Server"), "network_name", "error", says(sut_name="PySUT")),
    fault("no name", ("net", "Offline"), "network_name", "error", says(sut_name=None)),
]


FAULTS = [*READABLE, *RULED]
