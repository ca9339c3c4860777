"""Faults of the measurements folder."""

from __future__ import annotations

from pathlib import Path

from tests.engine.submission.base_tree import CODE, SUBMITTER
from tests.engine.submission.checker.faults import Fault, beside, fields, remove, write

_EVERYWHERE = (("dc-bert-99", "Server"), ("net", "Offline"), ("open", "MultiStream"))


def folder(system: str, scenario: str) -> str:
    """The measurements of a result."""
    return beside(system, "measurements", scenario)


def file(system: str, scenario: str) -> str:
    """The JSON file among them."""
    return f"{folder(system, scenario)}/{system}_{CODE}_{folder(system, scenario).rpartition('/')[2]}.json"


def alias(path: Path) -> None:
    """Replace a folder with the name of another model's code, which does not exist."""
    remove(path)
    path.write_text("nothing")


CONTENTS: tuple[tuple[str, str | bytes], ...] = (("not JSON", "{"), ("binary", b"\x80\x81"), ("a number", "7"))

FAULTS = [
    *(
        Fault("gone", system, "measurements.missing", "error", folder(system, scenario), remove, results_stand=True)
        for system, scenario in (*_EVERYWHERE, ("edge-3d-unet-99", "SingleStream"))
    ),
    *(
        Fault(
            f"no {name}", system, "measurements.file_missing", "warning", f"{folder(system, scenario)}/{name}", remove
        )
        for (system, scenario), name in zip(_EVERYWHERE, ("mlperf.conf", "user.conf", "README.md"), strict=True)
    ),
    *(
        Fault(
            f"empty {name}",
            system,
            "measurements.file_empty",
            "warning",
            f"{folder(system, scenario)}/{name}",
            write(""),
        )
        for (system, scenario), name in zip(_EVERYWHERE, ("README.md", "mlperf.conf", "user.conf"), strict=True)
    ),
    *(
        Fault(
            "no JSON file",
            system,
            "measurements.json_missing",
            "warning",
            folder(system, scenario),
            remove,
            at=file(system, scenario),
        )
        for system, scenario in _EVERYWHERE
    ),
    *(
        Fault(name, system, "measurements.json", "error", file(system, scenario), write(content))
        for (system, scenario), (name, content) in zip(_EVERYWHERE, CONTENTS, strict=True)
    ),
    *(
        Fault(
            f"no {name}",
            system,
            "measurements.field_missing",
            "warning",
            file(system, scenario),
            fields(**{name: None}),
        )
        for (system, scenario), name in zip(
            _EVERYWHERE, ("retraining", "weight_data_types", "starting_weights_filename"), strict=True
        )
    ),
    Fault(
        "a list",
        "open-own",
        "measurements.field_missing",
        "warning",
        file("open-own", "SingleStream"),
        write("[]"),
        at=file("open-own", "SingleStream"),
    ),
    Fault(
        "an empty field",
        "edge-rnnt",
        "measurements.field_empty",
        "warning",
        file("edge-rnnt", "Offline"),
        fields(retraining=""),
    ),
    *(
        Fault(
            "no code",
            system,
            "measurements.code",
            "warning",
            file(system, scenario),
            remove,
            at=f"{division}/{SUBMITTER}/code/{model}",
        )
        for system, scenario, division, model in (
            ("dc-3d-unet-99", "Offline", "closed", "3d-unet-99"),
            ("open-dc", "Server", "open", "bert-99.9"),
        )
    ),
    Fault(
        "code of another model that is not there",
        "dc-3d-unet-99.9",
        "measurements.code",
        "warning",
        file("dc-3d-unet-99.9", "Offline"),
        alias,
        at=f"closed/{SUBMITTER}/code/3d-unet-99.9",
    ),
    *(
        Fault(
            "no calibration",
            system,
            "measurements.calibration",
            "note",
            f"{folder(system, scenario)}/calibration_process.adoc",
            remove,
        )
        for system, scenario in _EVERYWHERE
    ),
]
