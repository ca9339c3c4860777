"""Check the system description, and extract what the summary shows of it."""

from __future__ import annotations

import json
from typing import Any

from engine.mlperf_logs.kinds import kind_of
from engine.profile.benchmark_rules import Category
from engine.profile.rounds import Round
from engine.submission.checker.findings import CheckedSystem
from engine.submission.checker.location import CheckContext, DescribedSystem

LISTED = (
    "status", "system_type", "system_name", "number_of_nodes", "host_processor_model_name", "host_processors_per_node",
    "host_processor_core_count", "accelerator_model_name", "accelerators_per_node", "framework", "operating_system",
    "hw_notes", "sw_notes",
)  # fmt: skip
"""Fields that the summary shows."""

NOTHING = DescribedSystem(valid=False, network=False, categories=())


def describe(context: CheckContext, system: str) -> tuple[DescribedSystem, CheckedSystem]:
    """Check a system's description; return its implications and its fields."""
    path = f"{context.home}/systems/{system}.json"
    results = f"{context.home}/results/{system}"
    fields = _fields(context, path)
    if fields is None:
        return NOTHING, CheckedSystem(results, {})
    before = context.collector.errors
    network = _check_network(context, path, fields)
    _check_values(context, path, fields)
    _check_names(context, path, fields, network=network)
    types = context.rules.system.types
    kind = fields.get("system_type")
    categories: tuple[Category, ...] = types.get(kind, ()) if isinstance(kind, str) else ()
    described = DescribedSystem(valid=context.collector.errors == before, network=network, categories=categories)
    return described, CheckedSystem(results, {name: str(fields.get(name, "")) for name in LISTED})


def _fields(context: CheckContext, path: str) -> dict[str, Any] | None:
    if not context.disk.is_file(path):
        context.collector.add("system.missing", path, "no such file", "the description of a system with results")
        return None
    data = context.disk.read(path, context.disk.size(path), context.collector)
    if data is None:
        return None
    found = json_object(data)
    if isinstance(found, str):
        context.collector.add("system.json", path, found, "a JSON object")
        return None
    return found


def json_object(data: bytes) -> dict[str, Any] | str:
    """Return a JSON object, or a description of the data instead; as strict as the official checker's reader."""
    try:
        found = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        return kind_of(data) or str(error) or type(error).__name__
    return found if isinstance(found, dict) else f"JSON, but a {type(found).__name__}"


def _check_network(context: CheckContext, path: str, fields: dict[str, Any]) -> bool:
    """Return whether the system is a network system."""
    value = fields.get("is_network")
    network = isinstance(value, str) and value.lower() == "true"
    wanted = context.rules.divisions[context.division].network
    if wanted is not None and wanted is not network:
        expected = 'is_network "true"' if wanted else 'is_network "false", or none'
        context.collector.add("system.network", path, f"is_network {value!r}", f"{expected} in {context.division}")
    return network


def _check_values(context: CheckContext, path: str, fields: dict[str, Any]) -> None:
    rules = context.rules.system
    status = fields.get("status")
    if not isinstance(status, str) or status.lower() not in rules.status:
        context.collector.add("system.status", path, f"status {status!r}", ", ".join(rules.status))
    kind = fields.get("system_type")
    if kind not in tuple(rules.types):
        context.collector.add("system.type", path, f"system_type {kind!r}", " or ".join(rules.types))
    submitter = fields.get("submitter")
    if not isinstance(submitter, str) or submitter.lower() != context.submitter.lower():
        context.collector.add("system.submitter", path, f"submitter {submitter!r}", context.submitter)
    if fields.get("division") != context.division:
        context.collector.add("system.division", path, f"division {fields.get('division')!r}", context.division)
    given = [name for name in rules.texts if fields.get(name) is not None or name in fields.keys() & rules.required]
    wrong = [name for name in given if not isinstance(fields[name], str)]
    if wrong:
        shown = ", ".join(f"{name} {fields[name]!r}" for name in wrong)
        remedy = "; ".join(dict.fromkeys(_as_text(fields[name]) for name in wrong))
        context.collector.add("system.field_text", path, shown, "strings", remedy=remedy)


def _as_text(value: object) -> str:
    """Return how to write a value as a string."""
    if value is None:
        return 'write "" or "N/A" for null'
    if isinstance(value, list | dict):
        parts = value if isinstance(value, list) else (f"{name} {inner}" for name, inner in value.items())
        return f"write one string: {json.dumps(', '.join(map(str, parts)), ensure_ascii=False)}"
    return f'put it in quotes: "{json.dumps(value)}"'


def _check_names(context: CheckContext, path: str, fields: dict[str, Any], *, network: bool) -> None:
    rules = context.rules.system
    network = network or (rules.network_if_named and bool(fields.get("is_network")))
    required = required_fields(context.rules, network=network)
    named = {"status", "submitter", "division", "system_type"}
    missing = [name for name in required if name not in fields and name not in named]
    if missing:
        context.collector.add("system.field_missing", path, f"no {', '.join(missing)}", "every required field")
    unknown = sorted(fields.keys() - {*required, *rules.optional})
    if unknown:
        context.collector.add("system.field_unknown", path, ", ".join(unknown), "fields of the rules")
    lacking = [name for name in rules.meaningful if name in fields and not fields[name]]
    if lacking:
        context.collector.add(
            "system.field_meaningful", path, ", ".join(f"{name} {fields[name]!r}" for name in lacking)
        )
    odd = [name for name in rules.numbers if name in fields and not _is_number(fields[name])]
    if odd:
        found = ", ".join(f"{name} {fields[name]!r}" for name in odd)
        context.collector.add("system.field_number", path, found, "whole numbers")
    empty = [
        name
        for name in required
        if isinstance(fields.get(name), str) and not fields[name].strip() and name not in lacking
    ]
    if empty:
        context.collector.add("system.field_empty", path, ", ".join(empty), "values, or N/A")


def _is_number(value: object) -> bool:
    try:
        int(str(value))
    except ValueError:
        return isinstance(value, float)
    return True


def required_fields(rules: Round, *, network: bool) -> tuple[str, ...]:
    """Return the required fields of a description."""
    return rules.system.required + (rules.system.network if network else ())
