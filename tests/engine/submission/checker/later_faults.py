"""Single faults in trees of the rounds after v2.1, and the round from which on each severity holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.profile.tree_rules import Severity
from tests.engine.submission.checker.faults import Break, fields, remove, says, write
from tests.engine.submission.later_tree import ROUNDS, SYSTEM, LaterTree

LATER = [name for name in ROUNDS if name != "v2.1"]


def _link(path: Path) -> None:
    (path.parent / "file.md").write_text("x")
    path.symlink_to("file.md")


def _more(path: Path) -> None:
    (path / "notes.txt").write_text("x")


def _before(line: str) -> Break:
    """Put a line before the others of a file."""
    return lambda path: path.write_text(f"{line}\n{path.read_text()}")


def _without(word: str) -> Break:
    """Remove the lines with a word."""

    def make(path: Path) -> None:
        path.write_text("".join(one for one in path.read_text().splitlines(keepends=True) if word not in one))

    return make


def _no_json(path: Path) -> None:
    for file in path.glob("*.json"):
        file.unlink()


def _slow(path: Path) -> None:
    """Let the first token take longer than any limit."""
    text = path.read_text()
    changed = re.sub(r'(first_token_99.*?"value": )\d+', r"\g<1>99000000000", text)
    assert changed != text
    path.write_text(changed)


def _confs(text: str) -> Break:
    """Write the text into both configuration files."""

    def make(path: Path) -> None:
        for name in ("mlperf.conf", "user.conf"):
            (path / name).write_text(text)

    return make


def result(inside: str, scenario: str = "Offline", kind: str = "results") -> str:
    """The path of something of a result, with {kind} for the folder of the round's layout."""
    return f"{{{kind}_{scenario}}}/{inside}"


def path_of(tree: LaterTree, at: str) -> str:
    """Return a path with the places of a tree's layout in it."""
    file = tree.rules.layout.measurements_file
    places = {f"{kind}_{one}": tree.place(kind, one) for kind in KINDS for one in ("Offline", "Server", "SingleStream")}
    name = file.format(system=SYSTEM, implementation="reference", scenario="Offline")
    return at.format(home=tree.home, system=tree.place("system"), json=name, **places)


KINDS = ("results", "measurements", "compliance")


RESNET = {name: LaterTree(name, "resnet50") for name in LATER}
LLAMA = {
    name: LaterTree(name, "llama2-70b-99.9", "datacenter", scenarios=bench.allowed(["datacenter"]))
    for name in LATER
    if (bench := ROUNDS[name].benchmarks.get("llama2-70b-99.9")) is not None
}
RUN = "performance/run_1/mlperf_log_detail.txt"
ACCURACY = "accuracy/mlperf_log_detail.txt"

Since = tuple[tuple[str, Severity], ...]
"""Each severity holds from its round on."""
ALWAYS: Since = (("v3.0", "error"),)
TREE: Since = (("v3.0", "error"), ("v6.0", "warning"))
BESIDE: Since = (("v3.0", "note"), ("v3.1", "error"), ("v6.0", "note"))
SYSTEMS: Since = (("v3.0", "warning"), ("v5.1", "error"), ("v6.0", "warning"))
FROM_3_1: Since = (("v3.0", "warning"), ("v3.1", "error"))
NEW_IN_3_1: Since = (("v3.1", "error"),)
FROM_4_1: Since = (("v3.0", "warning"), ("v4.1", "error"))
NEW_IN_6: Since = (("v6.0", "error"),)
FROM_6: Since = (("v3.0", "warning"), ("v6.0", "error"))


@dataclass(frozen=True)
class Later:
    """A fault in a tree, and the finding."""

    name: str
    tree: LaterTree
    rule: str
    severity: Severity
    at: str
    make: Break
    stands: bool | None = None
    """Whether the results stand; None: as the tree."""


ON_RESNET: tuple[tuple[str, str, Since, str, Break], ...] = (
    ("hidden file", "layout.name", TREE, "{home}/documentation/.hidden", write("x")),
    ("blank", "layout.name", TREE, "{home}/documentation/a b.md", write("x")),
    ("nothing", "layout.empty_folder", TREE, "{home}/documentation/nothing", lambda path: path.mkdir(parents=True)),
    ("link", "layout.symlink", TREE, "{home}/documentation/link", _link),
    ("file at root", "layout.root_file", BESIDE, "run.sh", write("x")),
    ("file in division", "layout.division_file", BESIDE, "closed/run.sh", write("x")),
    ("unused description", "layout.unused", SYSTEMS, "{home}/systems/other.json", write("{}")),
    ("no calibration", "layout.calibration", SYSTEMS, "{home}/calibration.md", remove),
    ("no user.conf", "measurements.file_missing", FROM_3_1, result("user.conf", kind="measurements"), remove),
    ("empty README", "measurements.file_empty", FROM_3_1, result("README.md", kind="measurements"), write("")),
    ("empty field", "measurements.field_empty", FROM_3_1, result("{json}", kind="measurements"), fields(retraining="")),
    ("no json", "measurements.json_missing", FROM_3_1, result("", kind="measurements"), _no_json),
    ("seed", "performance.seed", FROM_3_1, result(RUN), says(effective_qsl_rng_seed=7)),
    ("few samples", "performance.samples_per_query", FROM_3_1, result(RUN), says(effective_samples_per_query=7)),
    ("empty cooling", "system.field_meaningful", NEW_IN_3_1, "{system}", fields(cooling="")),
    ("zero unquoted", "system.field_meaningful", NEW_IN_3_1, "{system}", fields(host_network_card_count=0)),
    ("duration", "performance.min_duration", FROM_4_1, result(RUN), says(effective_min_duration_ms=1)),
    ("in accuracy", "accuracy.files", (*FROM_4_1, ("v6.0", "warning")), result("accuracy"), _more),
    (
        "in run",
        "performance.files",
        (*FROM_3_1, ("v6.0", "warning")),
        result("performance/run_1"),
        _more,
    ),
    ("invalid", "performance.validity", TREE, result(RUN), says(result_validity="INVALID")),
    ("small set", "accuracy.samples", FROM_6, result(ACCURACY), says(qsl_reported_total_count=9)),
    ("stopped", "performance.early_stopping", FROM_6, result(RUN, "SingleStream"), says(early_stopping_met=False)),
    ("no number", "system.field_number", NEW_IN_6, "{system}", fields(number_of_nodes="N/A")),
    ("named network", "system.field_missing", NEW_IN_6, "{system}", fields(is_network="false")),
    ("no src", "measurements.code", NEW_IN_6, "{home}/src", remove),
)
TREE_ONLY = ("layout.unused", "layout.calibration")
"""These faults reject the tree, but none of its results."""

TEST06 = result("TEST06", "Server", "compliance")
SERVER, TEXT = result(RUN, "Server"), result("accuracy/accuracy.txt")
ON_LLAMA: tuple[tuple[str, str, Since, str, Break], ...] = (
    ("invalid", "performance.validity", (("v4.0", "warning"), ("v5.0", "error"), ("v6.0", "warning")),
        result(RUN, "Server"), says(result_validity="INVALID")),
    ("no tokens", "performance.no_token_latencies", ALWAYS, SERVER, says(requested_use_token_latencies=False)),
    ("slow", "performance.token_latency", ALWAYS, SERVER, _slow),
    ("no TEST06", "compliance.test_missing", ALWAYS, TEST06, remove),
    ("cut text", "compliance.output", ALWAYS, f"{TEST06}/verify_accuracy.txt", write("EOS check pass: True\n")),
    ("second value", "accuracy.target", ALWAYS, TEXT, _before("{'rouge1': 1.5}")),
    ("long", "accuracy.target", ALWAYS, TEXT, _before("{'tokens_per_sample': 999.0}")),
    ("no rougeL", "accuracy.value_missing", ALWAYS, TEXT, _without("rougeL")),
    ("equal issue", "performance.equal_issue", (("v5.0", "error"), ("v6.0", "note")),
        result(RUN), says(effective_sample_concatenate_permutation=False)),
)  # fmt: skip


def faults() -> Iterable[Later]:
    """Return every fault in a tree of every round in which it is one."""
    for trees, table in ((RESNET, ON_RESNET), (LLAMA, ON_LLAMA)):
        for label, rule, since, at, make in table:
            for name, tree in trees.items():
                severity = next((one for first, one in reversed(since) if name >= first), None)
                if severity is not None and (rule != "performance.equal_issue" or severity == "error"):
                    stands = True if rule in TREE_ONLY else None
                    yield Later(f"{name} {label}", tree, rule, severity, path_of(tree, at).rstrip("/"), make, stands)
    for text in ("*.Server.sample_concatenate_permutation = 1\n", "# none\n"):
        place = LLAMA["v4.1"].place("measurements", "Offline")
        make = _confs(text)
        yield Later(f"v4.1 {text.strip()}", LLAMA["v4.1"], "performance.equal_issue", "error", place, make)
