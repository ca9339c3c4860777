"""Check the measurements of a result: its configuration, its model, and that its code is included."""

from __future__ import annotations

import json
from typing import Any

from engine.mlperf_logs.kinds import kind_of
from engine.submission.checker.file_system import Folder
from engine.submission.checker.location import Location


def check(location: Location) -> int:
    """Check a result's measurements; return the issues that the official summary counts for them: 0 or 1."""
    path = location.sibling("measurements")
    if location.measurements is None:
        location.context.collector.add("measurements.missing", path, "no such folder", "the measurements of the result")
        return 1
    complete = _check_files(location, location.measurements)
    name = _json_name(location, location.measurements)
    if name is None:
        location.context.collector.add(
            "measurements.json_missing", path, "none", f"{location.system}_*_{location.spelling}.json"
        )
        return 1
    complete &= _check_fields(location, location.measurements, name)
    complete &= _check_code(location, f"{path}/{name}", name)
    return 0 if complete else 1


def _check_files(location: Location, folder: Folder) -> bool:
    files = location.context.rules.files
    missing = [name for name in files.measurements if name not in folder.files]
    for name in missing:
        location.context.collector.add(
            "measurements.file_missing", f"{folder.path}/{name}", "no such file", "the run's file"
        )
    for name in files.measurements:
        if folder.files.get(name) == 0:
            location.context.collector.add(
                "measurements.file_empty", f"{folder.path}/{name}", "0 bytes", "the run's file"
            )
    if files.calibration_process not in folder.files:
        wanted = f"{folder.path}/{files.calibration_process}"
        location.context.collector.add(
            "measurements.calibration", wanted, "no such file", "how the model was calibrated"
        )
    return not missing


def _json_name(location: Location, folder: Folder) -> str | None:
    names = sorted(name for name in folder.files if name.startswith(location.system) and name.endswith(".json"))
    exact = [name for name in names if name.endswith(f"_{location.spelling}.json")]
    return next(iter(exact + names), None)


def _check_fields(location: Location, folder: Folder, name: str) -> bool:
    path = f"{folder.path}/{name}"
    collector = location.context.collector
    data = location.context.read(folder, name)
    if data is None:
        return False
    try:
        found: Any = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        collector.add("measurements.json", path, kind_of(data) or str(error) or type(error).__name__, "a JSON object")
        return False
    if not isinstance(found, dict | list | str):
        collector.add("measurements.json", path, f"JSON, but {found!r}", "a JSON object")
        return False
    wanted = location.context.rules.files.measurement_fields
    missing = [field for field in wanted if field not in found]
    if missing:
        collector.add("measurements.field_missing", path, f"no {', '.join(missing)}", "every required field")
    values = found if isinstance(found, dict) else {}
    empty = [field for field in wanted if isinstance(values.get(field), str) and not values[field].strip()]
    if empty:
        collector.add("measurements.field_empty", path, ", ".join(empty), "values")
    return not missing


def _check_code(location: Location, path: str, name: str) -> bool:
    """Check that there is code of the implementation in the file's name, or of the model at all."""
    ending = f"_{location.spelling}.json" if name.endswith(f"_{location.spelling}.json") else ".json"
    implementation = name[len(location.system) + 1 : -len(ending)]
    context = location.context
    model = f"{context.home}/code/{location.model}"
    if context.disk.is_file(model):
        data = context.disk.read(model, context.disk.size(model), context.collector) or b""
        model = f"{context.home}/code/{data.decode(errors='replace').strip()}"
    if context.disk.exists(model) or context.disk.exists(f"{model}/{implementation}"):
        return True
    context.collector.add("measurements.code", path, f"no {model}", f"the code of '{implementation or location.model}'")
    return False
