"""Check the system description, and extract what the summary shows of it."""

from __future__ import annotations

import json
from typing import Any

from engine.mlperf_logs.kinds import kind_of
from engine.profile.rounds import Category, Round
from engine.submission.checker.findings import System
from engine.submission.checker.place import Described, Site

LISTED = (
    "status", "system_type", "system_name", "number_of_nodes", "host_processor_model_name", "host_processors_per_node",
    "host_processor_core_count", "accelerator_model_name", "accelerators_per_node", "framework", "operating_system",
    "hw_notes", "sw_notes",
)  # fmt: skip
"""Fields that the summary shows."""

NOTHING = Described(valid=False, network=False, categories=())


def describe(site: Site, system: str) -> tuple[Described, System]:
    """Check a system's description; return its implications and its fields."""
    path = f"{site.home}/systems/{system}.json"
    results = f"{site.home}/results/{system}"
    fields = _fields(site, path)
    if fields is None:
        return NOTHING, System(results, {})
    before = site.ledger.errors
    network = _check_network(site, path, fields)
    _check_values(site, path, fields)
    _check_names(site, path, fields, network=network)
    types = site.rules.system.types
    kind = fields.get("system_type")
    categories: tuple[Category, ...] = types.get(kind, ()) if isinstance(kind, str) else ()
    described = Described(valid=site.ledger.errors == before, network=network, categories=categories)
    return described, System(results, {name: str(fields.get(name, "")) for name in LISTED})


def _fields(site: Site, path: str) -> dict[str, Any] | None:
    if not site.disk.is_file(path):
        site.ledger.add("system.missing", path, "no such file", "the description of a system with results")
        return None
    data = site.disk.read(path, site.disk.size(path), site.ledger)
    if data is None:
        return None
    found = json_object(data)
    if isinstance(found, str):
        site.ledger.add("system.json", path, found, "a JSON object")
        return None
    return found


def json_object(data: bytes) -> dict[str, Any] | str:
    """Return a JSON object, or a description of the data instead; as strict as the official checker's reader."""
    try:
        found = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        return kind_of(data) or str(error) or type(error).__name__
    return found if isinstance(found, dict) else f"JSON, but a {type(found).__name__}"


def _check_network(site: Site, path: str, fields: dict[str, Any]) -> bool:
    """Return whether the system is a network system."""
    value = fields.get("is_network")
    network = isinstance(value, str) and value.lower() == "true"
    wanted = site.rules.divisions[site.division].network
    if wanted is not None and wanted is not network:
        expected = 'is_network "true"' if wanted else 'is_network "false", or none'
        site.ledger.add("system.network", path, f"is_network {value!r}", f"{expected} in {site.division}")
    return network


def _check_values(site: Site, path: str, fields: dict[str, Any]) -> None:
    rules = site.rules.system
    status = fields.get("status")
    if not isinstance(status, str) or status.lower() not in rules.status:
        site.ledger.add("system.status", path, f"status {status!r}", ", ".join(rules.status))
    kind = fields.get("system_type")
    if kind not in tuple(rules.types):
        site.ledger.add("system.type", path, f"system_type {kind!r}", " or ".join(rules.types))
    submitter = fields.get("submitter")
    if not isinstance(submitter, str) or submitter.lower() != site.submitter.lower():
        site.ledger.add("system.submitter", path, f"submitter {submitter!r}", site.submitter)
    if fields.get("division") != site.division:
        site.ledger.add("system.division", path, f"division {fields.get('division')!r}", site.division)
    given = [name for name in rules.texts if fields.get(name) is not None or name in fields.keys() & rules.required]
    wrong = [name for name in given if not isinstance(fields[name], str)]
    if wrong:
        shown = ", ".join(f"{name} {fields[name]!r}" for name in wrong)
        remedy = "; ".join(dict.fromkeys(_as_text(fields[name]) for name in wrong))
        site.ledger.add("system.field_text", path, shown, "strings", remedy=remedy)


def _as_text(value: object) -> str:
    """Return how to write a value as a string."""
    if value is None:
        return 'write "" or "N/A" for null'
    if isinstance(value, list | dict):
        parts = value if isinstance(value, list) else (f"{name} {inner}" for name, inner in value.items())
        return f"write one string: {json.dumps(', '.join(map(str, parts)), ensure_ascii=False)}"
    return f'put it in quotes: "{json.dumps(value)}"'


def _check_names(site: Site, path: str, fields: dict[str, Any], *, network: bool) -> None:
    rules = site.rules.system
    required = required_fields(site.rules, network=network)
    named = {"status", "submitter", "division", "system_type"}
    missing = [name for name in required if name not in fields and name not in named]
    if missing:
        site.ledger.add("system.field_missing", path, f"no {', '.join(missing)}", "every required field")
    unknown = sorted(fields.keys() - {*required, *rules.optional})
    if unknown:
        site.ledger.add("system.field_unknown", path, ", ".join(unknown), "fields of the rules")
    empty = [name for name in required if isinstance(fields.get(name), str) and not fields[name].strip()]
    if empty:
        site.ledger.add("system.field_empty", path, ", ".join(empty), "values, or N/A")


def required_fields(rules: Round, *, network: bool) -> tuple[str, ...]:
    """Return the required fields of a description."""
    return rules.system.required + (rules.system.network if network else ())
