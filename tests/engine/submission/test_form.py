"""The form agrees with the checker, field by field, and makes up no values."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import profiles
from engine.profile.round_file import load_round
from engine.submission.checker import system_description as system
from engine.submission.checker.file_system import Disk
from engine.submission.checker.findings import FindingCollector, Severities
from engine.submission.checker.location import CheckContext
from engine.submission.checker.log import Reader
from engine.submission.form import EMPTY, FURTHER, NETWORK, READ, YOURS, Field, folder_name, form, problems

RULES = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")
GOOD = {
    **dict.fromkeys(RULES.system.required, "N/A"),
    "division": "open",
    "submitter": "Me",
    "status": "available",
    "system_type": "edge",
    "number_of_nodes": "1",
    "host_processors_per_node": "1",
    "host_processor_core_count": "8",
    "accelerators_per_node": "0",
}


def by_name(description: dict[str, str], **more: dict[str, str]) -> dict[str, Field]:
    return {field.name: field for field in form(description, RULES, more.get("detected", {}), more.get("differing"))}


def test_a_good_description_has_nothing_against_it() -> None:
    assert {field.verdict for field in form(GOOD, RULES, {})} == {"ok"}


@pytest.mark.parametrize(
    ("name", "value", "verdict", "said"),
    [
        ("submitter", "", "problem", "empty"),
        ("submitter", "a/b", "problem", "name of a folder"),
        ("submitter", ".me", "problem", "name of a folder"),
        ("submitter", "a\x00b", "problem", "name of a folder"),
        ("submitter", "x" * 300, "problem", "too long"),
        ("submitter", "Me Too", "warning", "blank"),
        ("division", "opn", "problem", "none of the allowed"),
        ("division", "", "problem", "empty"),
        ("status", "soon", "problem", "none of the allowed"),
        ("status", "Available", "ok", ""),
        ("system_type", "Edge", "problem", "none of the allowed"),
        ("number_of_nodes", "one", "warning", "no number"),
        ("cooling", "", "empty", "accepted"),
        ("cooling", " ", "empty", "accepted"),
        ("boot_firmware_version", "", "ok", ""),
        ("colour", "red", "warning", "no such field"),
    ],
)
def test_each_field_is_judged_by_its_rule(name: str, value: str, verdict: str, said: str) -> None:
    found = by_name({**GOOD, name: value})
    assert found[name].verdict == verdict
    assert said in found[name].said
    assert bool(found[name].remedy) is (verdict != "ok")
    assert {field.verdict for other, field in found.items() if other != name} == {"ok"}


def test_the_network_division_asks_for_its_fields_and_for_a_network_system() -> None:
    found = by_name({**GOOD, "division": "network"})
    assert found["is_network"].verdict == "problem"
    assert {name for name, field in found.items() if field.group == NETWORK} == set(RULES.system.network)
    network = by_name({**GOOD, "division": "network", "is_network": "true"})
    assert network["is_network"].verdict == "ok"
    assert "missing from the description" in network["network_rate"].said
    assert by_name({**GOOD, "division": "closed", "is_network": "true"})["is_network"].verdict == "problem"
    assert "is_network" not in by_name(GOOD)


def test_what_matters_comes_first_and_what_was_read_is_offered() -> None:
    fields = form({**GOOD, "power_supply_details": "x"}, RULES, {"host_processor_model_name": "Fast 9000"})
    groups = list(dict.fromkeys(field.group for field in fields))
    assert groups == [YOURS, READ, EMPTY, FURTHER]
    (read,) = [field for field in fields if field.group == READ]
    assert (read.name, read.detected, read.value) == ("host_processor_model_name", "Fast 9000", "N/A")


def test_another_machines_processor_is_a_warning() -> None:
    found = by_name(GOOD, differing={"host_processor_model_name": "described as 'A', here it is 'B'"})
    assert found["host_processor_model_name"].verdict == "warning"
    assert "packing refuses" in found["host_processor_model_name"].remedy


words = st.one_of(
    st.sampled_from(["", " ", "N/A", "open", "closed", "network", "edge", "datacenter,edge", "available", "true", "1"]),
    st.text(max_size=12),
)


@given(st.dictionaries(st.sampled_from([*GOOD, "is_network", "filesystem", "colour"]), words, max_size=6))
@example({"division": "network"})
def test_the_form_refuses_what_the_checker_refuses(changes: dict[str, str]) -> None:
    description = {**GOOD, **changes}
    refused = {field.name for field in problems(form(description, RULES, {}))}
    division = description["division"] if description["division"] in RULES.divisions else "open"
    submitter = description["submitter"]
    with tempfile.TemporaryDirectory() as tree:
        owner = submitter if folder_name(submitter)[0] != "problem" else "x"
        folder = Path(tree) / division / owner / "systems"
        folder.mkdir(parents=True)
        (folder / "box.json").write_text(json.dumps(description))
        ledger = FindingCollector(Severities(RULES), division)
        site = CheckContext(Disk(tree, RULES), Reader(), RULES, ledger, division, owner)
        system.describe(site, "box")
    errors = {finding.rule: finding.found for finding in ledger.findings if finding.severity == "error"}
    missing = errors.pop("system.field_missing", "no ").removeprefix("no ").split(", ")
    fields = {
        "system.status": "status",
        "system.type": "system_type",
        "system.submitter": "submitter",
        "system.division": "division",
        "system.network": "is_network",
    }
    expected = {fields[rule] for rule in errors} | set(filter(None, missing))
    assert expected <= refused
    # The checker stops at is_network; the form already asks for what it would miss next.
    assert refused - expected <= (set(RULES.system.network) if division == "network" else set())


@given(st.text())
def test_a_name_that_passes_can_be_a_folder(name: str) -> None:
    if folder_name(name)[0] != "problem":
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / name).mkdir()
            assert [path.name for path in Path(place).iterdir()] == [name]
