"""Report every result of a tree with its system, and why rejected ones are rejected.

`check` tells whether a tree passes, and its CSV is the official summary's, which has accepted results only. This report
also lists the rejected ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from engine.submission import pack
from engine.submission.checker.findings import Report, Result
from engine.submission.checker.report import as_json as checked
from engine.submission.grouping import ResultKey, errors_by_result, origins_by_result, result_of
from engine.submission.provenance import Provenance

DESCRIBED = (
    "system_name", "status", "system_type", "number_of_nodes", "host_processor_model_name",
    "host_processors_per_node", "accelerator_model_name", "accelerators_per_node", "framework",
)  # fmt: skip
"""Fields of a system that a report shows."""


@dataclass(frozen=True)
class ResultRow:
    """One result."""

    division: str
    submitter: str
    system: str
    benchmark: str
    scenario: str
    verdict: str
    metric: float | None
    """None where the result is rejected."""
    units: str
    accuracy: str
    inferred: bool
    power: float | None
    power_units: str
    no_submission: str
    """Why it can't be submitted regardless of the checker: synthetic weights, a non-submittable style."""
    broken: tuple[str, ...]
    """The rules for which it would be rejected."""


def result_rows(report: Report, tree: Path) -> list[ResultRow]:
    """Return the results of a checked tree by division, submitter, system, benchmark and scenario."""
    broken = errors_by_result(report.findings)
    origins = origins_by_result(tree)
    return [_row(result, broken, origins.get(result_of(result.path))) for result in report.results]


def _row(result: Result, broken: Mapping[ResultKey, set[str]], origin: Provenance | None) -> ResultRow:
    place = result_of(result.path)
    division, submitter, system, benchmark, scenario = place
    about = set().union(*(broken.get(place[:depth], set()) for depth in range(3, 6)))
    return ResultRow(
        division=division,
        submitter=submitter,
        system=system,
        benchmark=benchmark,
        scenario=scenario,
        verdict=result.verdict,
        metric=result.metric,
        units=result.units,
        accuracy=result.accuracy or "",
        inferred=result.inferred,
        power=result.power_metric,
        power_units=result.power_units if result.has_power else "",
        no_submission="" if origin is None else pack.not_submittable_reason(origin),
        broken=tuple(sorted(about)) if result.verdict == "fail" else (),
    )


def tree_as_json(report: Report, found: Sequence[ResultRow]) -> dict[str, Any]:
    """Return a report as JSON values; its findings are those that `check` prints."""
    return {
        "round": report.round,
        "verdict": report.verdict,
        "systems": {path: _described(system.fields) for path, system in report.systems.items()},
        "results": [asdict(row) for row in found],
        "findings": checked(report)["findings"],
    }


def _described(says: dict[str, str]) -> dict[str, str]:
    return {name: says.get(name, "") for name in DESCRIBED}


def tree_csv_rows(found: Sequence[ResultRow]) -> Iterator[tuple[object, ...]]:
    """Yield the header and a row for each result."""
    heads = [field.name for field in fields(ResultRow)]
    yield tuple(heads)
    for row in found:
        yield tuple(" ".join(row.broken) if name == "broken" else getattr(row, name) for name in heads)
