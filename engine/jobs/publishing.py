"""Publish step outputs to the results folder atomically, file by file."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from engine.errors import UsageError
from engine.harness.spec import REPORT
from engine.store.files import disk_errors
from engine.survey.output_dir import REPLACED


def publish(output: Path, results: Path, inside: str, *, fresh: bool) -> Path | None:
    """Copy the files of `output` to `results/inside`; returns where an earlier run's files were moved, if there were
    any.

    With `fresh`, what an earlier run left there is moved to `results/.replaced/<time>/` first. Raises UsageError if
    `inside` would leave the results folder.
    """
    target = (results / inside).resolve()
    if not target.is_relative_to(results.resolve()) or target == results.resolve():
        raise UsageError(f"'{inside}' is not a folder inside the results", "give the SUT a plain name")
    grave = None
    with disk_errors(target):
        if fresh and target.exists():
            grave = results / REPLACED / time.strftime("%Y%m%d-%H%M%S") / inside
            grave = grave.with_name(f"{grave.name}-{os.getpid()}") if grave.exists() else grave
            grave.parent.mkdir(parents=True, exist_ok=True)
            target.rename(grave)
        files = sorted(
            (path for path in output.rglob("*") if path.is_file()), key=lambda path: (path.name == REPORT, path)
        )
        for path in files:
            place = target / path.relative_to(output)
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = place.with_name(f".{place.name}.part")
            shutil.copyfile(path, temporary)
            temporary.replace(place)
    return grave
