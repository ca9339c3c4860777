"""Faults of the power folders."""

from __future__ import annotations

from pathlib import Path

from engine.mlperf import DETAIL_LOG
from tests.engine.submission.checker.faults import Break, Fault, append, remove, replace, run_of, says, write

_BOTH = (("both", "Offline"), ("open-inferred", "MultiStream"))
_ALL = (*_BOTH, ("both", "Server"), ("both", "SingleStream"))


def at(location: tuple[str, str], name: str) -> str:
    """A path in the power folders of a result."""
    return f"{run_of(*location).rpartition('/')[0]}/{name}"


def fault(name: str, location: tuple[str, str], rule: str, where: str, make: Break, broken: str = "") -> Fault:
    """A fault in the power run of a result."""
    return Fault(
        name, location[0], f"power.{rule}", "error", at(location, where), make, at=at(location, broken or where)
    )


def earlier(path: Path) -> None:
    """Set all samples to another year."""
    path.write_text(path.read_text().replace("-2022 ", "-2021 "))


def in_place_of_folder(path: Path) -> None:
    """Replace a folder by a file."""
    remove(path)
    path.write_text("")


FAULTS = [
    *(
        fault(f"no {name}", location, "files", "power", remove, f"power/{name}")
        for location, name in zip(_ALL, ("client.json", "client.log", "ptd_logs.txt", "server.log"), strict=True)
    ),
    *(
        fault("another file", location, "files", folder, write("x"), f"{folder}/analyzer_table.csv")
        for location, folder in zip(_ALL[:3], ("power", "run_1", "ranging"), strict=True)
    ),
    *(fault("no spl.txt in ranging", location, "files", "ranging", remove, "ranging/spl.txt") for location in _BOTH),
    *(fault("no spl.txt", location, "files", "run_1", remove, "run_1/spl.txt") for location in _BOTH),
    *(fault("no ranging", location, "ranging_missing", "ranging", remove) for location in _BOTH),
    fault("a file named power", ("both", "Offline"), "files", "power", in_place_of_folder),
    *(
        fault(f"no {key}", location, "window", f"run_1/{DETAIL_LOG}", says(**{key: None}))
        for location, key in zip(_BOTH, ("power_begin", "power_end"), strict=True)
    ),
    fault(
        "another form of time",
        ("both", "Server"),
        "window",
        f"run_1/{DETAIL_LOG}",
        says(power_end="2022-07-27 13:21:31"),
    ),
    *(fault("rubbish", location, "sample_line", "run_1/spl.txt", append("rubbish\n")) for location in _BOTH),
    fault("an impossible day", ("both", "Server"), "sample_line", "run_1/spl.txt", replace("07-27-2022", "02-30-2022")),
    fault("no number", ("both", "SingleStream"), "sample_line", "run_1/spl.txt", replace("200.250000", "much")),
    fault("an empty line", ("both", "Server"), "sample_line", "run_1/spl.txt", append("\n")),
    fault("binary", ("both", "SingleStream"), "sample_line", "run_1/spl.txt", write(b"\xff\xfe")),
    *(fault("of another year", location, "no_samples", "run_1/spl.txt", earlier) for location in _ALL),
    fault("no sample", ("both", "Offline"), "no_samples", "run_1/spl.txt", write("")),
    *(
        fault(f"{value} queries", location, "query_count", f"run_1/{DETAIL_LOG}", says(result_query_count=value))
        for location, value in (
            (("both", "SingleStream"), 0),
            (("both", "MultiStream"), None),
            (("open-inferred", "SingleStream"), "many"),
        )
    ),
]
