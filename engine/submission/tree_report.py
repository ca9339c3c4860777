"""The results of a tree for those who read them: every one, with the system it is of, and why it would be refused.

`check` says whether a tree passes, and its CSV is the official summary's, which knows accepted results only. Here the
refused ones stand beside them, with what they were measured for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from engine.submission import pack
from engine.submission.checker.findings import Report, Result
from engine.submission.checker.report import as_json as checked
from engine.submission.checker.report import power_unit

DESCRIBED = (
    "system_name", "status", "system_type", "number_of_nodes", "host_processor_model_name",
    "host_processors_per_node", "accelerator_model_name", "accelerators_per_node", "framework",
)  # fmt: skip
"""What a report says of a system, of what the checker has read of it."""


@dataclass(frozen=True)
class Row:
    """One result."""

    division: str
    submitter: str
    system: str
    benchmark: str
    scenario: str
    verdict: str
    metric: float | None
    """None where the result is refused."""
    units: str
    accuracy: str
    inferred: bool
    power: float | None
    power_units: str
    no_submission: str
    """Why it can't be handed in whatever the checker says: a stand-in, a try-out."""
    broken: tuple[str, ...]
    """The rules for which it would be refused."""


def rows(report: Report, tree: Path) -> list[Row]:
    """Return the results of a checked tree by division, submitter, system, benchmark and scenario."""
    broken: dict[tuple[str, ...], set[str]] = {}
    for finding in report.findings:
        if finding.severity == "error":
            broken.setdefault(_place(finding.path), set()).add(finding.rule)
    pretence = {_place(place.relative_to(tree).as_posix()): pack.pretence(of) for place, of in pack.origins(tree)}
    return [_row(result, broken, pretence) for result in report.results]


def _place(path: str) -> tuple[str, ...]:
    """Return division, submitter, system, benchmark and scenario of a place in a tree, as far as it goes down."""
    parts = path.split("/")
    if parts[2:3] == ["systems"]:
        parts[-1] = parts[-1].removesuffix(".json")
    return (*parts[:2], *parts[3:6])


def _row(result: Result, broken: dict[tuple[str, ...], set[str]], pretence: dict[tuple[str, ...], str]) -> Row:
    place = _place(result.path)
    division, submitter, system, benchmark, scenario = place
    about = set().union(*(broken.get(place[:depth], set()) for depth in range(3, 6)))
    return Row(
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
        power_units=power_unit(result) if result.has_power else "",
        no_submission=pretence.get(place, ""),
        broken=tuple(sorted(about)) if result.verdict == "fail" else (),
    )


def as_json(report: Report, found: Sequence[Row]) -> dict[str, Any]:
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


def csv_rows(found: Sequence[Row]) -> Iterator[tuple[object, ...]]:
    """Yield the heads and a line for each result."""
    heads = [field.name for field in fields(Row)]
    yield tuple(heads)
    for row in found:
        yield tuple(" ".join(row.broken) if name == "broken" else getattr(row, name) for name in heads)
