"""The system description as a form: every field with its meaning, the rules' requirements and its validity.

Pure: what this machine detects is passed in, and no value is made up for an empty field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.profile.names import folder_fault, system_fault
from engine.profile.rounds import Round
from engine.submission.describe import NOT_APPLICABLE

Verdict = Literal["ok", "empty", "warning", "problem"]
"""Valid; empty, which the checker accepts with a warning; accepted with a warning; rejected."""

Said = tuple[Verdict, str, str]
"""Validation of a value: verdict, problem, remedy."""

FINE: Said = ("ok", "", "")
LACKING: Said = ("problem", "missing from the description", "add it; an empty value is accepted")

YOURS, READ, EMPTY, NETWORK, FURTHER = (
    "only you know",
    "detected on this machine",
    "optional",
    "of a network system",
    "further fields",
)
"""Groups of the form in display order, the most important first."""


@dataclass(frozen=True)
class FieldChoice:
    """A value that can be chosen."""

    value: str
    help: str = ""
    refused: str = ""
    """Why it can't be chosen; empty where it can."""


@dataclass(frozen=True)
class Field:
    """One line of a form."""

    name: str
    """Name as the rules, or the file, spell it."""
    label: str
    group: str
    value: str
    rule: str
    """The requirement, in a sentence."""
    picks: tuple[FieldChoice, ...] = ()
    """Allowed values; empty for free text."""
    detected: str = ""
    """Value detected on this machine; empty where there is none."""
    verdict: Verdict = "ok"
    said: str = ""
    """The problem; empty where there is none."""
    remedy: str = ""


_MEANING = {
    "submitter": ("submitter", "your organisation; it becomes the name of a folder, so no blanks"),
    "division": ("division", "closed compares systems on the rules' own model; open lets you change the model"),
    "system_type": ("category", "decides which scenarios are required"),
    "status": ("availability", "available: generally available; preview: soon; rdi: research or internal"),
    "system_name": ("system's title", "shown in the table of results"),
    "number_of_nodes": ("machines", "how many computers the system is made of"),
    "host_processor_model_name": ("processor", "the model as its maker writes it"),
    "host_processors_per_node": ("processors", "sockets in one machine"),
    "host_processor_core_count": ("cores each", "physical cores in one processor"),
    "host_processor_frequency": ("frequency", "of the processor, with its unit"),
    "host_processor_caches": ("caches", "level, number and size"),
    "host_processor_interconnect": ("processor link", "between the sockets: UPI, xGMI; N/A with one"),
    "host_memory_capacity": ("memory", "of one machine, with its unit"),
    "host_memory_configuration": ("memory modules", "number, size and speed: 12 x 64 GB DDR4-3200"),
    "host_storage_capacity": ("storage", "with its unit"),
    "host_storage_type": ("storage type", "NVMe SSD, SATA SSD, network"),
    "host_networking": ("network card", "what connects the machine; N/A for a single machine"),
    "host_networking_topology": ("network topology", "how machines are connected; N/A with one"),
    "host_network_card_count": ("network cards", "how many, and which: 1x 10 GbE"),
    "system_type_detail": ("kind of system", "in a few words: edge server, workstation, embedded"),
    "accelerators_per_node": ("accelerators", "how many in one machine; 0 where there is none"),
    "accelerator_model_name": ("accelerator", "the model; N/A where there is none"),
    "accelerator_memory_capacity": ("accelerator memory", "of one accelerator; N/A where there is none"),
    "accelerator_frequency": ("accelerator frequency", "of the accelerator; N/A where there is none"),
    "accelerator_host_interconnect": ("accelerator host link", "PCIe 4.0 x16; N/A where there is none"),
    "accelerator_interconnect": ("accelerator link", "between accelerators; N/A where there is none"),
    "accelerator_interconnect_topology": ("accelerator topology", "of that link; N/A where there is none"),
    "accelerator_memory_configuration": ("accelerator memory type", "HBM2e, GDDR6; N/A where there is none"),
    "accelerator_on-chip_memories": ("on-chip memory", "of the accelerator; N/A where there is none"),
    "cooling": ("cooling", "air, liquid, passive"),
    "framework": ("framework", "what runs the model, with its version"),
    "operating_system": ("operating system", "with its version"),
    "other_software_stack": ("other software", "kernel, C library, compiler, driver"),
    "hw_notes": ("hardware notes", "what a reader should know of the hardware"),
    "sw_notes": ("software notes", "what a reader should know of the software"),
    "is_network": ("network system", 'true where queries come over a network: only in the division "network"'),
}

_FIRST = ("submitter", "division", "system_type", "status", "system_name")
_COUNTS = ("number_of_nodes", "host_processors_per_node", "host_processor_core_count", "accelerators_per_node")


def form(
    description: Mapping[str, object],
    rules: Round,
    detected: Mapping[str, str],
    differing: Mapping[str, str] | None = None,
) -> tuple[Field, ...]:
    """Return the fields of a description with their validation, the most important first.

    `detected` are the values of this machine (`describe.detected`), `differing` the contradictions to it, by field.
    """
    found = [_field(name, description, rules, detected, differing or {}) for name in _names(description, rules)]
    order = (YOURS, READ, EMPTY, NETWORK, FURTHER)
    return tuple(sorted(found, key=lambda field: order.index(field.group)))


def problems(fields: tuple[Field, ...]) -> list[Field]:
    """Return the fields for which the description would be rejected."""
    return [field for field in fields if field.verdict == "problem"]


def folder_name(name: str) -> Said:
    """Validate a name that becomes a folder: verdict, problem, remedy."""
    fault = folder_fault(name)
    if fault is not None:
        return "problem", *fault
    if " " in name:
        return "warning", "the checker warns of a blank in the name of a folder", "write - or _ for it"
    return FINE


def system_name(name: str) -> Said:
    """Validate the name of a system under test like `folder_name`, but rejecting blanks."""
    fault = system_fault(name)
    return FINE if fault is None else ("problem", *fault)


def _names(description: Mapping[str, object], rules: Round) -> list[str]:
    system = rules.system
    network = system.network if _is_network(description, rules) else ()
    shown = dict.fromkeys((*_FIRST, *system.required, *network))
    return [*shown, *(name for name in description if name not in shown)]


def _is_network(description: Mapping[str, object], rules: Round) -> bool:
    division = rules.divisions.get(str(description.get("division", "")))  # type: ignore[call-overload]
    return str(description.get("is_network", "")).lower() == "true" or (division is not None and bool(division.network))


def _field(
    name: str,
    description: Mapping[str, object],
    rules: Round,
    detected: Mapping[str, str],
    differing: Mapping[str, str],
) -> Field:
    value = _text(description.get(name))
    label, rule = _MEANING.get(name, (name.replace("_", " "), "a field of the rules"))
    verdict, said, remedy = _check(name, value, description, rules, differing)
    return Field(
        name=name,
        label=label,
        group=_group(name, rules, detected),
        value=value,
        rule=rule,
        picks=_picks(name, rules),
        detected=detected.get(name, ""),
        verdict=verdict,
        said=said,
        remedy=remedy,
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _group(name: str, rules: Round, detected: Mapping[str, str]) -> str:
    if name in _FIRST:
        return YOURS
    if name in rules.system.network:
        return NETWORK
    if name not in rules.system.required:
        return FURTHER
    return READ if detected.get(name) else EMPTY


def _picks(name: str, rules: Round) -> tuple[FieldChoice, ...]:
    if name == "division":
        return tuple(FieldChoice(one, _division(one, rules)) for one in rules.divisions)
    if name == "status":
        return tuple(FieldChoice(one) for one in rules.system.status)
    if name == "system_type":
        return tuple(FieldChoice(one) for one in rules.system.types)
    return (FieldChoice("true"), FieldChoice("false")) if name == "is_network" else ()


def _division(name: str, rules: Round) -> str:
    required = rules.divisions[name]  # type: ignore[index]
    parts = (
        ("the accuracy of the rules", required.accuracy_target),
        ("every scenario", required.all_scenarios),
        ("compliance tests", required.compliance),
        ("a network system", bool(required.network)),
    )
    return "requires " + ", ".join(part for part, wanted in parts if wanted) if required.compliance else "has no target"


def _check(
    name: str, value: str, description: Mapping[str, object], rules: Round, differing: Mapping[str, str]
) -> Said:
    """Validate one field as the checker, or the step that builds the tree, would."""
    system = rules.system
    if name not in (*system.required, *system.network, *system.optional):
        return "warning", "the rules have no such field", "correct its spelling or remove it from the file"
    match name:
        case "submitter":
            return folder_name(value)
        case "status":
            return _one_of(value.lower(), value, system.status)
        case "division" | "system_type":
            return _one_of(value, value, tuple(rules.divisions if name == "division" else system.types))
        case "is_network":
            return _network(value, description, rules)
    refused = _refused_by_round(name, value, name in description, rules)
    usual = FINE if name in system.optional else _check_text(name, value, name in description, differing)
    return refused or usual


def _refused_by_round(name: str, value: str, is_there: bool, rules: Round) -> Said | None:
    """Return what only some rounds refuse; None where this one does not."""
    if not is_there:
        return None
    if name in rules.system.meaningful and not value.strip():
        return "problem", "this round refuses it empty", f"fill it in, or {NOT_APPLICABLE} where it does not apply"
    if name in rules.system.numbers and not value.strip().isdigit():
        return "problem", f"'{value}' is no number", "write a whole number"
    return None


def _check_text(name: str, value: str, is_there: bool, differing: Mapping[str, str]) -> Said:
    if not is_there:
        return LACKING
    if not value.strip():
        return _empty(name)
    if name in differing:
        return "warning", differing[name], "packing refuses another machine's description; use what was detected here"
    if name in _COUNTS and not value.isdigit():
        return "warning", f"'{value}' is no number", "write a whole number"
    return FINE


def _one_of(compared: str, value: str, allowed: tuple[str, ...]) -> Said:
    if compared in allowed:
        return FINE
    said = f"'{value}' is none of the allowed values" if value else "it is empty"
    return "problem", said, f"one of {' | '.join(allowed)}"


def _network(value: str, description: Mapping[str, object], rules: Round) -> Said:
    division = rules.divisions.get(str(description.get("division", "")))  # type: ignore[call-overload]
    if division is None or division.network is None or division.network is (value.lower() == "true"):
        return FINE
    wanted = "true" if division.network else "false"
    return "problem", f"the division requires {wanted}", f"write {wanted}, or choose another division"


def _empty(name: str) -> Said:
    remedy = "fill it in" if name in _FIRST else f"fill it in, or {NOT_APPLICABLE} where it does not apply"
    return "empty", "accepted, with a warning", remedy
