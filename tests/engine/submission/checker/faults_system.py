"""Faults of the system description."""

from __future__ import annotations

from tests.engine.submission.checker.faults import Break, Fault, described, fields, remove, write

_EVERYWHERE = ("dc-rnnt", "net", "open")


def fault(name: str, system: str, rule: str, make: Break, *also: str) -> Fault:
    """A fault in a description, for which its results are rejected."""
    return Fault(name, system, f"system.{rule}", "error", described(system), make, also=frozenset(also))


FAULTS = [
    *(fault("gone", system, "missing", remove) for system in _EVERYWHERE),
    *(
        fault(name, system, "json", write(content))
        for system, name, content in (
            ("dc-rnnt", "not JSON", "{"),
            ("net", "empty", ""),
            ("open", "a list", "[]"),
            ("open-own", "binary", b"\x00\xff\xfe\x80"),
            ("edge-rnnt", "nested too deeply", "[" * 100_000),
            ("both", "with a byte order mark", b"\xef\xbb\xbf{}"),
        )
    ),
    *(
        fault(f"status {value!r}", system, "status", fields(status=value))
        for system, value in (("dc-rnnt", "shipping"), ("net", 7), ("open", None))
    ),
    *(
        fault(f"type {value!r}", system, "type", fields(system_type=value))
        for system, value in (
            ("dc-rnnt", "datacenter, edge"),
            ("net", "Datacenter"),
            ("open", None),
            ("edge-rnnt", ["edge"]),
        )
    ),
    *(
        fault(f"submitter {value!r}", system, "submitter", fields(submitter=value))
        for system, value in (("dc-rnnt", "Acne"), ("net", "Acme Inc."), ("open", None))
    ),
    *(
        fault(f"division {value!r}", system, "division", fields(division=value))
        for system, value in (("dc-rnnt", "open"), ("net", "closed"), ("open", "Open"), ("edge-rnnt", None))
    ),
    fault(
        "a network system",
        "dc-rnnt",
        "network",
        fields(is_network="True"),
        "system.field_missing",
        "performance.network_name",
    ),
    fault("no network system", "net", "network", fields(is_network="false"), "system.field_unknown"),
    fault("not said to be one", "net", "network", fields(is_network=None), "system.field_unknown"),
    fault("is_network is no text", "open", "field_text", fields(is_network=True), "system.field_unknown"),
    *(
        fault(f"no {name}", system, "field_missing", fields(**{name: None}))
        for system, name in (
            ("dc-rnnt", "cooling"),
            ("net", "host_memory_capacity"),
            ("open", "accelerator_on-chip_memories"),
            ("net", "network_topology"),
            ("net", "nic_sut"),
        )
    ),
    fault("a network system in open", "open", "field_missing", fields(is_network="true"), "performance.network_name"),
    *(
        fault(f"{name} is a number", system, "field_text", fields(**{name: 8}))
        for system, name in (("dc-rnnt", "accelerator_model_name"), ("net", "framework"), ("open", "hw_notes"))
    ),
    *(
        Fault(
            "an unknown field",
            system,
            "system.field_unknown",
            "warning",
            described(system),
            fields(host_network_card_count="1"),
        )
        for system in _EVERYWHERE
    ),
    *(
        Fault("an empty field", system, "system.field_empty", "warning", described(system), fields(**{name: " "}))
        for system, name in (("dc-rnnt", "cooling"), ("net", "network_rate"), ("open", "sw_notes"))
    ),
]
