"""Faults of compliance runs, for every test, both divisions that need them, and every model class."""

from __future__ import annotations

from engine.mlperf import ACCURACY_LOG, ACCURACY_TEXT, DETAIL_LOG, SUMMARY_LOG
from engine.profile.tree_rules import Severity
from tests.engine.submission import loadgen_logs as logs
from tests.engine.submission.base_tree import DATACENTER, EDGE, RULES
from tests.engine.submission.checker.faults import Break, Fault, append, beside, own_hash, remove, replace, says, write

_TESTS = [("dc-resnet50", "Server", test) for test in ("TEST01", "TEST04", "TEST05")] + [
    ("net", "Offline", "TEST04"),
    ("edge-3d-unet-99", "SingleStream", "TEST01"),
    ("inferring", "MultiStream", "TEST05"),
]
_FIRST = [("dc-bert-99.9", "Offline", "TEST01"), ("net", "Server", "TEST01")]
_LATER = [
    ("dc-bert-99.9", "Offline", "TEST05"),
    ("net", "Server", "TEST04"),
    ("edge-retinanet", "MultiStream", "TEST05"),
]
_OVERLOOKED: list[tuple[tuple[str, str, str], Severity]] = [
    *((location, "error") for location in _FIRST),
    *((location, "warning") for location in _LATER),
]
"""The official checker crashes on the first log that it can't read; for a later one it reuses the previous verdict."""
_EACH_MODEL = [
    *((f"dc-{one}", "Offline", test) for one in DATACENTER for test in RULES.benchmark(one).compliance),
    *((f"edge-{one}", "SingleStream", "TEST01") for one in EDGE),
]


def at(location: tuple[str, str, str], name: str = "") -> str:
    """A test's folder, or something in it."""
    system, scenario, test = location
    return f"{beside(system, 'compliance', scenario)}/{test}/{name}".rstrip("/")


def fault(
    name: str,
    location: tuple[str, str, str],
    rule: str,
    severity: Severity,
    where: str,
    make: Break,
    broken: str = "",
    also: tuple[str, ...] = (),
) -> Fault:
    """A fault in a test's folder."""
    told = rule if "." in rule else f"compliance.{rule}"
    return Fault(
        name,
        location[0],
        told,
        severity,
        at(location, where),
        make,
        at=at(location, broken or where),
        also=frozenset(also),
    )


def log_fault(name: str, location: tuple[str, str, str], rule: str, severity: Severity, make: Break) -> Fault:
    """A fault in the detail log of a test's run."""
    also = ("compliance.performance_differs",)
    return fault(name, location, rule, severity, f"performance/run_1/{DETAIL_LOG}", make, also=also)


FOLDERS = [
    *(
        Fault("no compliance", system, "compliance.missing", "error", beside(system, "compliance", scenario), remove)
        for system, scenario in (("dc-rnnt", "Server"), ("edge-3d-unet-99.9", "Offline"), ("net", "Offline"))
    ),
    *(fault("no test", location, "test_missing", "error", "", remove) for location in _EACH_MODEL),
    *(fault("no run", location, "run_missing", "error", "performance/run_1", remove) for location in _TESTS),
    *(
        fault(name, location, "files", "error", "performance/run_1", make, f"performance/run_1/{file}")
        for location, name, file, make in (
            (_TESTS[0], "another file", "notes.txt", write("x")),
            (_TESTS[3], "no summary", SUMMARY_LOG, remove),
            (_LATER[0], "no detail log", DETAIL_LOG, remove),
        )
    ),
]

VERIFIED = [
    *(
        fault("TEST FAIL", location, "verify_performance", "error", "verify_performance.txt", replace("PASS", "FAIL"))
        for location in _TESTS
    ),
    *(
        fault("never verified", location, "verify_performance", "error", "verify_performance.txt", remove)
        for location in (_TESTS[1], _FIRST[1], _LATER[2])
    ),
    fault("binary", _TESTS[2], "verify_performance", "error", "verify_performance.txt", write(b"\xff\xfe")),
    *(
        fault("never verified", location, "verify_accuracy", "error", "verify_accuracy.txt", remove)
        for location in _FIRST
    ),
    *(
        fault("no accuracy", location, "accuracy_missing", "error", "accuracy", remove)
        for location in (*_FIRST, ("baseline", "Server", "TEST01"))
    ),
    *(
        fault(name, location, "accuracy_files", "error", "accuracy", make, f"accuracy/{file}")
        for location, name, file, make in (
            (_FIRST[0], "no log", ACCURACY_LOG, remove),
            (_FIRST[1], "another file", "notes.txt", write("x")),
            (("baseline", "Offline", "TEST01"), "no baseline", "baseline_accuracy.txt", remove),
            (("baseline", "Server", "TEST01"), "no accuracy.txt", ACCURACY_TEXT, remove),
        )
    ),
    fault(
        "responses differ, no baseline",
        _FIRST[0],
        "accuracy_files",
        "error",
        "accuracy",
        replace("PASS", "FAIL"),
        "verify_accuracy.txt",
    ),
    *(
        fault(
            "not an accuracy",
            ("baseline", "Server", "TEST01"),
            "accuracy_value",
            "error",
            f"accuracy/{name}",
            replace("exact_match", "match"),
        )
        for name in RULES.files.compliance_baseline
    ),
    *(
        fault(
            f"{value} against 90.874",
            (system, "Offline", "TEST01"),
            "accuracy_differs",
            "error",
            "accuracy",
            replace("90.87400", value),
            "accuracy/compliance_accuracy.txt",
        )
        for system, value in (("baseline", "89.96"), ("baseline", "0"), ("baseline-99.9", "90.78"))
    ),
    *(
        fault(
            "log not truncated",
            location,
            "log_size",
            "warning",
            f"accuracy/{ACCURACY_LOG}",
            write(logs.accuracy_log(1000)),
        )
        for location in _FIRST
    ),
    *(
        fault("no hash", location, "hash_missing", "warning", f"accuracy/{ACCURACY_TEXT}", write(""))
        for location in _FIRST
    ),
    *(
        fault("hash of the cut log", location, "hash_wrong", "warning", f"accuracy/{ACCURACY_TEXT}", own_hash)
        for location in _FIRST
    ),
]

RUNS = [
    *(
        log_fault("INVALID", location, "performance.validity", "error", says(result_validity="INVALID"))
        for location in _TESTS
    ),
    *(
        log_fault(
            "an error message",
            location,
            "performance.error_message",
            "error",
            append(logs.message("error_x", "Bad.", is_error=True)),
        )
        for location in (*_FIRST, *_LATER)
    ),
    *(
        log_fault(
            "too few samples",
            location,
            "performance.sample_count",
            "error",
            says(effective_performance_sample_count=40),
        )
        for location in _TESTS
    ),
    log_fault("no Network SUT", ("net", "Offline", "TEST05"), "performance.network_name", "error", says(sut_name="x")),
    *(
        log_fault("rubbish", location, "performance.line", severity, append(":::MLLOG rubbish\n"))
        for location, severity in _OVERLOOKED
    ),
    *(
        log_fault("no least duration", location, "performance.value", severity, says(effective_min_duration_ms=None))
        for location, severity in _OVERLOOKED
    ),
    *(
        log_fault(
            "a short run", location, "performance.min_duration", "warning", says(effective_min_duration_ms=60_000)
        )
        for location in _TESTS
    ),
    *(
        log_fault(
            "ordinary seeds",
            location,
            "performance.seed",
            "warning",
            says(
                effective_qsl_rng_seed=RULES.seeds.qsl,
                effective_sample_index_rng_seed=RULES.seeds.sample_index,
                effective_schedule_rng_seed=RULES.seeds.schedule,
            ),
        )
        for location in (("dc-resnet50", "Server", "TEST05"), ("net", "Offline", "TEST05"))
    ),
    *(
        log_fault(f"{key} {value}", location, "compliance.settings", "warning", says(**{key: value}))
        for location, key, value in (
            (("dc-resnet50", "Server", "TEST01"), "effective_accuracy_log_rng_seed", 0),
            (("dc-retinanet", "Server", "TEST01"), "effective_accuracy_log_sampling_target", 4096),
            (("edge-3d-unet-99", "Offline", "TEST01"), "effective_accuracy_log_sampling_target", 256),
            (("net", "Offline", "TEST04"), "effective_performance_issue_same", False),
            (("edge-resnet50", "SingleStream", "TEST04"), "effective_performance_issue_same_index", 0),
        )
    ),
    *(
        log_fault(f"score {value}", location, "compliance.performance_differs", "warning", says(**{key: value}))
        for location, key, value in (
            (("dc-rnnt", "Offline", "TEST01"), "result_samples_per_second", 980.0),
            (("dc-rnnt", "Offline", "TEST05"), "result_samples_per_second", 1160.0),
            (("net", "Server", "TEST04"), "result_completed_samples_per_sec", 560.0),
            (("edge-rnnt", "SingleStream", "TEST05"), "early_stopping_latency_ss", 2_640_000),
            (("edge-resnet50", "MultiStream", "TEST04"), "early_stopping_latency_ms", 16_000_000),
        )
    ),
]

FAULTS = [*FOLDERS, *VERIFIED, *RUNS]
