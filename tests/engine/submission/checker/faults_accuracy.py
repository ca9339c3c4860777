"""Faults of the accuracy folder, for every model class."""

from __future__ import annotations

import gzip
from pathlib import Path

from engine.mlperf import ACCURACY_LOG, ACCURACY_TEXT, DETAIL_LOG, SUMMARY_LOG
from engine.profile.tree_rules import Severity
from tests.engine.submission import loadgen_logs as logs
from tests.engine.submission.base_tree import ACCURACY as VALUES
from tests.engine.submission.base_tree import DATACENTER, EDGE, RULES
from tests.engine.submission.checker.faults import (
    Break,
    Fault,
    append,
    cut_line,
    own_hash,
    remove,
    replace,
    result_of,
    says,
    write,
)

_CLOSED = [
    *((f"dc-{model}", "Offline", model) for model in DATACENTER),
    *((f"edge-{one}", "SingleStream", one) for one in EDGE),
]
_THREE: tuple[tuple[str, str, Severity], ...] = (
    ("dc-dlrm-99", "Server", "error"),
    ("net", "Offline", "error"),
    ("open", "SingleStream", "warning"),
)
"""One system of each division, and the severity there of what open tolerates."""


def at(system: str, scenario: str, name: str) -> str:
    """A file of a result's accuracy folder, or the folder itself."""
    return f"{result_of(system, scenario)}/accuracy/{name}".rstrip("/")


def each(name: str, rule: str, file: str, make: Break, *also: str) -> list[Fault]:
    """The same fault in each division; open tolerates it."""
    return [
        Fault(name, system, f"accuracy.{rule}", severity, at(system, scenario, file), make, also=frozenset(also))
        for system, scenario, severity in _THREE
    ]


def warned(name: str, rule: str, file: str, make: Break, broken: str = "") -> list[Fault]:
    """A fault that the official checker accepts everywhere; `broken` is the file with the fault, if different."""
    return [
        Fault(
            name,
            system,
            f"accuracy.{rule}",
            "warning",
            at(system, scenario, file),
            make,
            at=at(system, scenario, broken or file),
        )
        for system, scenario, _ in _THREE
    ]


def crash(name: str, rule: str, file: str, make: Break) -> list[Fault]:
    """A fault on which the official checker crashes, in any division."""
    return [
        Fault(name, system, f"accuracy.{rule}", "error", at(system, scenario, file), make)
        for system, scenario, _ in _THREE
    ]


def below(model: str) -> Break:
    """Set the accuracy slightly below the target."""
    rule = RULES.benchmark(model).accuracy[0]
    before, usual, _ = VALUES[rule.metric]
    return replace(f"{before}{usual}", f"{before}{rule.target * 0.99999:.7f}")


def glue(path: Path) -> None:
    """Delete the newline before the hash."""
    path.write_text(path.read_text().replace("\nhash=", "hash="))


def other_small_log(path: Path) -> None:
    """Write a small log next to the hash of a different one."""
    path.write_bytes(logs.accuracy_log(20))


TEXT = [
    *each("gone", "missing", ACCURACY_TEXT, remove)[:2],
    Fault("gone", "open", "accuracy.missing", "error", at("open", "Offline", ACCURACY_TEXT), remove),
    Fault(
        "folder gone",
        "edge-rnnt",
        "accuracy.missing",
        "error",
        at("edge-rnnt", "Offline", ACCURACY_TEXT),
        remove,
        at=f"{result_of('edge-rnnt', 'Offline')}/accuracy",
    ),
    *crash("not text", "text", ACCURACY_TEXT, write(b"accuracy=76.456%\n\xff\xfe\n")),
    *(
        Fault(
            f"{model} below the target",
            system,
            "accuracy.target",
            "error",
            at(system, scenario, ACCURACY_TEXT),
            below(model),
        )
        for system, scenario, model in _CLOSED
    ),
    Fault("below the target", "net", "accuracy.target", "error", at("net", "Server", ACCURACY_TEXT), below("resnet50")),
    Fault(
        "below the target", "open", "accuracy.target", "note", at("open", "Offline", ACCURACY_TEXT), below("resnet50")
    ),
    *(
        Fault(
            f"{model} with a blank in front",
            system,
            "accuracy.value_missing",
            "error",
            at(system, scenario, ACCURACY_TEXT),
            replace(
                VALUES[RULES.benchmark(model).accuracy[0].metric][0],
                " " + VALUES[RULES.benchmark(model).accuracy[0].metric][0],
            ),
        )
        for system, scenario, model in _CLOSED[:9]
    ),
    Fault(  # as the rules' script prints it, and their checker does not read it
        "more wrong words than were said",
        "edge-rnnt",
        "accuracy.value_missing",
        "error",
        at("edge-rnnt", "Offline", ACCURACY_TEXT),
        replace("accuracy=", "accuracy=-"),
    ),
    Fault(
        "no value",
        "open",
        "accuracy.value_missing",
        "warning",
        at("open", "Offline", ACCURACY_TEXT),
        replace("accuracy=", "accuracy: "),
    ),
    *(
        Fault(
            "not a number",
            system,
            "accuracy.value",
            "error",
            at(system, scenario, ACCURACY_TEXT),
            replace(old, "1.2.3"),
        )
        for system, scenario, old in (
            ("dc-resnet50", "Server", "76.456"),
            ("net", "Offline", "76.456"),
            ("open", "Offline", "76.456"),
        )
    ),
    *each(
        "no hash", "hash_missing", ACCURACY_TEXT, lambda path: path.write_text(path.read_text().partition("hash=")[0])
    ),
    *each("hash glued to another line", "hash_missing", ACCURACY_TEXT, glue)[:2],
    *warned("two hashes", "hash_twice", ACCURACY_TEXT, append("hash=" + "0" * 64 + "\n")),
    *warned("not a SHA-256", "hash_wrong", ACCURACY_TEXT, replace("hash=", "hash=x")),
    *warned("hash of the truncated log", "hash_wrong", ACCURACY_TEXT, own_hash),
    *warned("hash of another log", "hash_wrong", ACCURACY_TEXT, other_small_log, broken=ACCURACY_LOG),
]

FILES = [
    *warned("empty detail log", "no_messages", DETAIL_LOG, write("")),
    *warned("detail log of an old LoadGen", "no_messages", DETAIL_LOG, write("pid, tid\n1, 2\n")),
    *crash("packed detail log", "no_messages", DETAIL_LOG, write(gzip.compress(b"x"))),
    *crash("detail log in UTF-16", "no_messages", DETAIL_LOG, write(":::MLLOG {}\n".encode("utf-16"))),
    *each("no log", "log_missing", ACCURACY_LOG, remove),
    *each("log not truncated", "log_size", ACCURACY_LOG, write(logs.accuracy_log(1000))),
    *each("log a byte too large", "log_size", ACCURACY_LOG, write(b"{" * 10_241)),
    *warned("empty log", "log_empty", ACCURACY_LOG, write("")),
    *warned("log without responses", "log_empty", ACCURACY_LOG, write("[\n]\n")),
    *warned("no summary", "files", "", remove, broken=SUMMARY_LOG),
    *warned("another file", "files", "", write("x"), broken="notes.txt"),
]

RUN = [
    *each("no detail log", "detail_missing", DETAIL_LOG, remove),
    *each(
        "an error message", "detail_error", DETAIL_LOG, append(logs.message("error_runtime", "Ran out.", is_error=True))
    ),
    *crash("a line that ends early", "detail_line", DETAIL_LOG, cut_line("requested_print_timestamps")),
    *crash("rubbish after the marker", "detail_line", DETAIL_LOG, append(":::MLLOG rubbish\n")),
    *crash(
        "a list that ends early",
        "detail_line",
        DETAIL_LOG,
        append(':::MLLOG {"key": "loaded_qsl_set", "value": [1, 2\n'),
    ),
    *crash(
        "binary", "detail_line", DETAIL_LOG, lambda path: path.write_bytes(path.read_bytes() + b":::MLLOG \xff\x00\n")
    ),
    *warned("a performance run", "mode", DETAIL_LOG, says(effective_test_mode="PerformanceOnly")),
    *warned("another scenario", "scenario", DETAIL_LOG, lambda path: says(effective_scenario=_other(path))(path)),
    *(
        Fault(
            f"{model} over 500 samples",
            system,
            "accuracy.samples",
            "warning",
            at(system, scenario, DETAIL_LOG),
            says(qsl_reported_total_count=min(500, RULES.benchmark(model).sample_count - 1)),
        )
        for system, scenario, model in _CLOSED[:9]
    ),
    *(
        Fault(
            "over 500 samples",
            system,
            "accuracy.samples",
            "warning",
            at(system, "Offline", DETAIL_LOG),
            says(qsl_reported_total_count=500),
        )
        for system in ("net", "open")
    ),
    Fault(
        "a set not issued",
        "edge-resnet50",
        "accuracy.samples",
        "warning",
        at("edge-resnet50", "Offline", DETAIL_LOG),
        says(generated_samples_per_query=1),
    ),
    Fault(
        "a data set of its own",
        "open-dc",
        "accuracy.data_set",
        "note",
        at("open-dc", "Server", DETAIL_LOG),
        lambda path: (
            says(qsl_reported_total_count=10_570)(path),
            says(qsl_reported_total_count=10_570)(path.parents[1] / "performance" / "run_1" / DETAIL_LOG),
        ),
        also=frozenset({"performance.sample_count_above"}),
    ),
    Fault(
        "another build",
        "edge-retinanet",
        "accuracy.build",
        "note",
        at("edge-retinanet", "Offline", DETAIL_LOG),
        says(loadgen_version="2.0 @ 0123456789"),
    ),
]


def _other(path: Path) -> str:
    return "SingleStream" if path.parts[-3] == "Server" else "Server"


FAULTS = [*TEXT, *FILES, *RUN]
