"""Check the measurements of a result: its configuration, its model, and that its code is included."""

from __future__ import annotations

import json
from typing import Any

from engine.mlperf_logs.kinds import kind_of
from engine.submission.checker.file_system import Folder
from engine.submission.checker.place import Place


def check(place: Place) -> int:
    """Check a result's measurements; return the issues that the official summary counts for them: 0 or 1."""
    path = place.beside("measurements")
    if place.measurements is None:
        place.site.ledger.add("measurements.missing", path, "no such folder", "the measurements of the result")
        return 1
    complete = _check_files(place, place.measurements)
    name = _json_name(place, place.measurements)
    if name is None:
        place.site.ledger.add("measurements.json_missing", path, "none", f"{place.system}_*_{place.spelling}.json")
        return 1
    complete &= _check_fields(place, place.measurements, name)
    complete &= _check_code(place, f"{path}/{name}", name)
    return 0 if complete else 1


def _check_files(place: Place, folder: Folder) -> bool:
    files = place.site.rules.files
    missing = [name for name in files.measurements if name not in folder.files]
    for name in missing:
        place.site.ledger.add("measurements.file_missing", f"{folder.path}/{name}", "no such file", "the run's file")
    for name in files.measurements:
        if folder.files.get(name) == 0:
            place.site.ledger.add("measurements.file_empty", f"{folder.path}/{name}", "0 bytes", "the run's file")
    if files.calibration_process not in folder.files:
        wanted = f"{folder.path}/{files.calibration_process}"
        place.site.ledger.add("measurements.calibration", wanted, "no such file", "how the model was calibrated")
    return not missing


def _json_name(place: Place, folder: Folder) -> str | None:
    names = sorted(name for name in folder.files if name.startswith(place.system) and name.endswith(".json"))
    exact = [name for name in names if name.endswith(f"_{place.spelling}.json")]
    return next(iter(exact + names), None)


def _check_fields(place: Place, folder: Folder, name: str) -> bool:
    path = f"{folder.path}/{name}"
    ledger = place.site.ledger
    data = place.site.read(folder, name)
    if data is None:
        return False
    try:
        found: Any = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        ledger.add("measurements.json", path, kind_of(data) or str(error) or type(error).__name__, "a JSON object")
        return False
    if not isinstance(found, dict | list | str):
        ledger.add("measurements.json", path, f"JSON, but {found!r}", "a JSON object")
        return False
    wanted = place.site.rules.files.measurement_fields
    missing = [field for field in wanted if field not in found]
    if missing:
        ledger.add("measurements.field_missing", path, f"no {', '.join(missing)}", "every required field")
    values = found if isinstance(found, dict) else {}
    empty = [field for field in wanted if isinstance(values.get(field), str) and not values[field].strip()]
    if empty:
        ledger.add("measurements.field_empty", path, ", ".join(empty), "values")
    return not missing


def _check_code(place: Place, path: str, name: str) -> bool:
    """Check that there is code of the implementation in the file's name, or of the model at all."""
    ending = f"_{place.spelling}.json" if name.endswith(f"_{place.spelling}.json") else ".json"
    implementation = name[len(place.system) + 1 : -len(ending)]
    site = place.site
    model = f"{site.home}/code/{place.model}"
    if site.disk.is_file(model):
        data = site.disk.read(model, site.disk.size(model), site.ledger) or b""
        model = f"{site.home}/code/{data.decode(errors='replace').strip()}"
    if site.disk.exists(model) or site.disk.exists(f"{model}/{implementation}"):
        return True
    site.ledger.add("measurements.code", path, f"no {model}", f"the code of '{implementation or place.model}'")
    return False
