"""Faults of the tree itself: its folders, names, links."""

from __future__ import annotations

import os
from pathlib import Path

from tests.engine.submission.base_tree import SUBMITTER, System, write_system
from tests.engine.submission.checker.faults import Break, Fault, beside, remove, rename, result_of, write

NO_RESULTS = Fault(
    "division renamed",
    "open",
    "layout.no_results",
    "error",
    ".",
    rename("opened"),
    at="open",
    also=frozenset({"layout.division"}),
)


def link_to(target: str) -> Break:
    """Put a link in a file's place, or where nothing exists."""

    def make(path: Path) -> None:
        if path.exists():
            path.rename(path.with_name("moved.txt"))
        path.symlink_to(target)

    return make


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(50_000_001)


def second_system(path: Path) -> None:
    """Another system of the same division, with only a description."""
    root = path.parents[3]
    other = System("left-over", "closed", "datacenter", ("resnet50",))
    write_system(root, other)
    remove(root / f"closed/{SUBMITTER}/results/left-over")
    for kind in ("measurements", "compliance"):
        remove(root / f"closed/{SUBMITTER}/{kind}/left-over")


FAULTS = [
    NO_RESULTS,
    Fault("empty tree", "dc-rnnt", "layout.no_results", "error", ".", remove, at="closed"),
    Fault(
        "no results folder",
        "dc-rnnt",
        "layout.no_results",
        "error",
        ".",
        remove,
        at=f"closed/{SUBMITTER}/results",
        also=frozenset({"layout.submitter"}),
    ),
    Fault(
        "another folder at the top", "open", "layout.division", "warning", "private", write("x"), at="private/notes.txt"
    ),
    Fault(
        "a submitter with code only",
        "open",
        "layout.submitter",
        "warning",
        "closed/Other/results",
        write("x"),
        at="closed/Other/code/README.md",
    ),
    Fault(
        "a description without results",
        "dc-rnnt",
        "layout.unused",
        "warning",
        f"closed/{SUBMITTER}/systems/left-over.json",
        second_system,
    ),
    Fault(
        "measurements without results",
        "open",
        "layout.unused",
        "warning",
        f"open/{SUBMITTER}/measurements/other",
        write("x"),
        at=f"open/{SUBMITTER}/measurements/other/resnet50/Offline/README.md",
    ),
    Fault(
        "compliance without results",
        "net",
        "layout.unused",
        "warning",
        f"network/{SUBMITTER}/compliance/other",
        write("x"),
        at=f"network/{SUBMITTER}/compliance/other/resnet50/Offline/TEST05/verify_performance.txt",
    ),
    Fault(
        "an empty folder",
        "open",
        "layout.empty_folder",
        "warning",
        f"open/{SUBMITTER}/code/other",
        Path.mkdir,
    ),
    Fault(
        "a dot-file",
        "open",
        "layout.name",
        "warning",
        f"open/{SUBMITTER}/code/resnet50/reference/.secret",
        write("x"),
    ),
    Fault(
        "a blank in a name",
        "net",
        "layout.name",
        "warning",
        f"network/{SUBMITTER}/code/resnet50/reference/read me.md",
        write("x"),
    ),
    Fault(
        "compiled Python",
        "dc-rnnt",
        "layout.name",
        "warning",
        f"closed/{SUBMITTER}/code/rnnt/__pycache__",
        write("x"),
        at=f"closed/{SUBMITTER}/code/rnnt/__pycache__/main.pyc",
    ),
    Fault(
        "a file over 50 MB",
        "open",
        "layout.large_file",
        "warning",
        f"open/{SUBMITTER}/code/resnet50/weights.bin",
        large,
    ),
    Fault(
        "a link in the code",
        "open",
        "layout.symlink",
        "warning",
        f"open/{SUBMITTER}/code/resnet50/link",
        link_to("reference/README.md"),
    ),
    Fault(
        "a link to the folder it lies in",
        "open",
        "layout.symlink",
        "warning",
        f"{result_of('open', 'Offline')}/up",
        link_to("../.."),
    ),
    Fault(
        "a link to nowhere",
        "dc-rnnt",
        "layout.symlink",
        "warning",
        f"{beside('dc-rnnt', 'measurements', 'Server')}/gone",
        link_to("nowhere"),
    ),
    Fault(
        "a pipe",
        "open",
        "layout.special_file",
        "warning",
        f"{beside('open', 'measurements', 'Offline')}/pipe",
        os.mkfifo,
    ),
    *(
        Fault(
            "no calibration.md",
            system,
            "layout.calibration",
            "warning",
            f"{division}/{SUBMITTER}/calibration.md",
            remove,
        )
        for system, division in (("dc-rnnt", "closed"), ("net", "network"))
    ),
]
