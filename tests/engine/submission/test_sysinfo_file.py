"""Descriptions as files of mlperf-sysinfo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.errors import DataError
from engine.profile.catalog import load
from engine.profile.known_rounds import round_of
from engine.submission.sysinfo_file import BLOCK, file_of, read_description

RULES = round_of(load([]).folders, "v6.1")

CAPTURED: dict[str, Any] = {
    "submitter": "Acme",
    "submitter_contact": "mlperf@acme.example",
    "system_name": "box",
    "status": "available",
    "system_type": "edge",
    "division": "open",
    "system_size": "1x CPU",
    "number_of_nodes": 1,
    "host_processors_per_node": 2,
    "host_memory_configuration": "Insert your memory here",
    "cooling": "CHANGEME",
    "framework": "onnxruntime 1.2",
    BLOCK: {"profile": "inference", "complete": True, "nodes_expected": 1, "nodes_collected": 1},
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "system_desc.json"
    path.write_text(json.dumps({**CAPTURED, **changes}))
    return path


def test_a_captured_file_gives_the_fields_of_the_round(tmp_path: Path) -> None:
    found = read_description(written(tmp_path), RULES)
    assert found.description["submitter"] == "Acme"
    assert (found.description["number_of_nodes"], found.description["host_processors_per_node"]) == ("1", "2")
    assert set(RULES.system.required) <= set(found.description)
    assert found.unknown == ("submitter_contact", "system_size")
    assert found.unfilled == ("host_memory_configuration", "cooling")
    assert found.description["cooling"] == ""


def test_what_is_exported_can_be_imported(tmp_path: Path) -> None:
    description = read_description(written(tmp_path), RULES).description
    made = file_of(description, RULES)
    assert (made["number_of_nodes"], made[BLOCK]["complete"], made[BLOCK]["profile_round"]) == (1, True, "6.1")
    (tmp_path / "again.json").write_text(json.dumps(made))
    assert read_description(tmp_path / "again.json", RULES).description == description


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({BLOCK: {"complete": False, "nodes_expected": 2, "nodes_collected": 1}}, "partial capture: 1 of 2 nodes"),
        ({"node_types": []}, "is of the profile endpoints"),
    ],
)
def test_what_is_no_whole_description_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_description(written(tmp_path, **changes), RULES)


@pytest.mark.parametrize("data", ["", "[]", "{", "\udcff"])
def test_another_file_is_named(tmp_path: Path, data: str) -> None:
    (tmp_path / "x.json").write_bytes(data.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"x\.json is no file of mlperf-sysinfo"):
        read_description(tmp_path / "x.json", RULES)


def test_the_commands_and_their_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, path = f"--home={tmp_path / 'home'}", written(tmp_path)
    assert main(["system", "import", "box", str(path), home]) == 0
    assert "left empty, still starter text: host_memory_configuration, cooling" in capsys.readouterr().out
    assert main(["system", "import", "box", str(path), home]) == 2, "it is there already"
    capsys.readouterr()
    assert main(["system", "check", "box", "--round=v6.1", "--json", home]) == 1
    said = json.loads(capsys.readouterr().out)
    assert not said["complete"]
    assert "host_memory_configuration" in [one["field"] for one in said["problems"]]
    assert main(["system", "check", "nobody", home]) == 2
    full = {name: CAPTURED.get(name) or "1" for name in RULES.system.required}
    assert main(["system", "import", "box", str(written(tmp_path, **{**full, "cooling": "air"})), "--again", home]) == 0
    capsys.readouterr()
    assert main(["system", "export", "box", "--round=v6.1", home]) == 0
    assert json.loads(capsys.readouterr().out)["submitter"] == "Acme"
