"""Serialise a report as JSON, and as the CSV of the official checker's summary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.submission.checker.findings import CheckedSystem, Finding, Report, Result

RESULT_KEYS = ("path", "verdict", "metric", "units", "accuracy", "inferred", "has_power", "power_metric")
FINDING_KEYS = ("rule", "severity", "path", "found", "expected", "remedy")

COLUMNS = (
    "Organization", "Availability", "Division", "SystemType", "SystemName", "Platform", "Model", "MlperfModel",
    "Scenario", "Result", "Accuracy", "number_of_nodes", "host_processor_model_name", "host_processors_per_node",
    "host_processor_core_count", "accelerator_model_name", "accelerators_per_node", "Location", "framework",
    "operating_system", "notes", "compilance", "errors", "version", "inferred", "has_power", "Units",
)  # fmt: skip
"""Columns as the official summary spells them."""


def as_json(report: Report) -> dict[str, Any]:
    """Return a report as JSON values."""
    return {
        "verdict": report.verdict,
        "results": [_picked(result, RESULT_KEYS) for result in report.results],
        "findings": [_picked(finding, FINDING_KEYS) for finding in report.findings],
    }


def _picked(record: Result | Finding, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: getattr(record, key) for key in keys}


def csv_rows(report: Report) -> Iterator[tuple[object, ...]]:
    """Yield the official summary: the header, and a row for each accepted result and for its power."""
    yield COLUMNS
    for result in report.results:
        if result.verdict == "pass":
            system = report.systems[result.path.rsplit("/", 2)[0]]
            yield _row(report, result, system, result.metric, result.units)
            if result.has_power:
                yield _row(report, result, system, result.power_metric, result.power_units)


def _row(report: Report, result: Result, system: CheckedSystem, value: float | None, units: str) -> tuple[object, ...]:
    division, submitter, _, name, model, _ = result.path.split("/")
    fields = system.fields
    notes = ". ".join(text for text in (fields["hw_notes"], fields["sw_notes"]) if text)
    return (
        submitter, fields["status"].lower(), division, fields["system_type"], fields["system_name"], name, model,
        result.checker_class, result.scenario, value, result.accuracy, fields["number_of_nodes"],
        fields["host_processor_model_name"], fields["host_processors_per_node"], fields["host_processor_core_count"],
        fields["accelerator_model_name"], fields["accelerators_per_node"], result.path, fields["framework"],
        fields["operating_system"], notes, 1, result.issues, report.round, int(result.inferred), result.has_power,
        units,
    )  # fmt: skip
