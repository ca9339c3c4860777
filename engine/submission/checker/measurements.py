"""Check the measurements of a result: its configuration, its model, and that its code is included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engine.mlperf import MLPERF_CONF, USER_CONF
from engine.mlperf_logs.kinds import kind_of
from engine.submission.checker.file_system import Folder
from engine.submission.checker.findings import FindingCollector
from engine.submission.checker.location import Location

EQUAL_ISSUE = "sample_concatenate_permutation"
"""LoadGen's setting by which every sample is issued equally often."""


def check(location: Location) -> int:
    """Check a result's measurements; return the issues that the official summary counts for them: 0 or 1."""
    path = location.place(location.context.rules.layout.measurements)
    if location.measurements is None:
        location.context.collector.add("measurements.missing", path, "no such folder", "the measurements of the result")
        return 1
    _check_equal_issue(location, location.measurements)
    complete = _check_files(location, location.measurements)
    name = _json_name(location, location.measurements)
    if name is None:
        location.context.collector.add("measurements.json_missing", path, "none", _pattern(location))
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


def _check_equal_issue(location: Location, folder: Folder) -> None:
    """Check that the configuration asks for every sample equally often, where the round looks for it there."""
    rule = location.context.rules.equal_issue
    if rule is None or rule.source != "configuration" or location.context.division not in rule.divisions:
        return
    if not location.benchmark.equal_issue_checked:
        return
    asked = False
    for name in (MLPERF_CONF, USER_CONF):
        text = (location.context.read(folder, name) or b"").decode(errors="replace")
        asked = next(_equal_issue(text, _reference(location.model), location.spelling), asked)
    if not asked:
        wanted = f"{_reference(location.model)}.*.{EQUAL_ISSUE} = 1 in {MLPERF_CONF}"
        location.context.collector.add("performance.equal_issue", folder.path, "not asked for", wanted)


def _equal_issue(text: str, benchmark: str, scenario: str) -> Iterator[bool]:
    """Yield what the lines of a configuration file say that hold for a benchmark and scenario."""
    for line in text.splitlines():
        key, _, value = line.replace(" ", "").partition("=")
        parts = key.split(".", 2)
        if len(parts) == 3 and parts[0] in ("*", benchmark) and parts[1] in ("*", scenario) and parts[2] == EQUAL_ISSUE:
            yield value == "1"


def _reference(model: str) -> str:
    """Return a model folder's name without its share of the reference accuracy."""
    return model.replace("-99.9", "").replace("-99", "")


def check_power(location: Location) -> None:
    """Check that the power meter's settings are in the measurements of a result, or in a folder above within them."""
    files, wanted = location.context.rules.files, location.place(location.context.rules.layout.measurements)
    places = [wanted, *(wanted.rsplit("/", up)[0] for up in (1, 2, 3))]
    silent = FindingCollector(location.context.collector.severities)
    folders = [location.context.disk.list(place, silent, deep=False) for place in places if files.power_measurements]
    there = {name: size for folder in folders if folder is not None for name, size in folder.files.items()}
    for beginning in files.power_measurements:
        sizes = [size for name, size in there.items() if name.startswith(beginning)]
        if not any(sizes):
            found = "0 bytes" if sizes else "no such file"
            location.context.collector.add("measurements.power", f"{wanted}/{beginning}", found, "the meter's settings")


def _pattern(location: Location) -> str:
    """Return the name of the JSON file, with * for what may be anything."""
    template = location.context.rules.layout.measurements_file
    return template.format(system=location.system, implementation="*", scenario=location.spelling, benchmark="*")


def _json_name(location: Location, folder: Folder) -> str | None:
    pattern = _pattern(location)
    if "*" not in pattern:
        return pattern if pattern in folder.files else None
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
    empty = [field for field in wanted if field in values and not values[field]]
    blank = [field for field in wanted if isinstance(values.get(field), str) and values[field].isspace()]
    if empty:
        collector.add("measurements.field_empty", path, ", ".join(empty), "values")
    if blank:
        collector.add("measurements.field_empty", path, ", ".join(blank), "values", severity="warning")
    return not missing


def _check_code(location: Location, path: str, name: str) -> bool:
    """Check that there is code of the implementation in the file's name, or of the model at all."""
    ending = f"_{location.spelling}.json" if name.endswith(f"_{location.spelling}.json") else ".json"
    implementation = name[len(location.system) + 1 : -len(ending)]
    context = location.context
    code = context.rules.layout.code
    model = location.place(code.removesuffix("/{implementation}"))
    if code.endswith("/{implementation}") and context.disk.is_file(model):
        data = context.disk.read(model, context.disk.size(model), context.collector) or b""
        model = f"{model.rpartition('/')[0]}/{data.decode(errors='replace').strip()}"
    if context.disk.exists(model) or context.disk.exists(f"{model}/{implementation}"):
        return True
    context.collector.add("measurements.code", path, f"no {model}", f"the code of '{implementation or location.model}'")
    return False
