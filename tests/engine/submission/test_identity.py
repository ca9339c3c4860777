"""Whose a description is: of this machine and this user, or of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import profiles
from engine.errors import DataError
from engine.submission import describe
from engine.submission.generate import Request, generate
from engine.submission.identity import identity_warnings, refuse
from engine.system import detect
from tests.engine.submission.results_folder import DESCRIPTION, rules, write_run

RULES = rules()
HERE = describe.detected(RULES, Path(), "", deep=False)


def own(tmp_path: Path, **submitters: str) -> tuple[Path, Path]:
    """Return the profile folders of a user with systems of these submitters."""
    folder = tmp_path / "profiles"
    (folder / "systems").mkdir(parents=True, exist_ok=True)
    for name, submitter in submitters.items():
        described = {"targets": "measured", "description": {"submitter": submitter}, "runs": {}}
        (folder / "systems" / f"{name}.yaml").write_text(yaml.safe_dump(described))
    return profiles.FOLDER, folder


@pytest.mark.parametrize(
    ("sut", "submitter", "given", "systems", "what"),
    [
        ("box", "OctoML", "", {}, "'OctoML', the submitter of box, is of an example"),
        ("box", "octoml", "", {"box": "octoml"}, "is of an example"),
        ("box", "OctoML", "", {"rack": "OctoML"}, ""),
        ("box", "OctoML", "OctoML", {}, ""),
        ("box", "Rival", "", {"rack": "Me"}, "the submitter of box is 'Rival', and yours is 'Me'"),
        ("box", "ME", "", {"rack": "Me", "tower": "Us"}, ""),
        ("box", "Rival", "Me", {}, "yours is 'Me'"),
        ("box", "Me", "Me", {"rack": "Us"}, ""),
        ("box", "Me", "", {"box": "Me"}, ""),
        ("demo", "demonstration", "", {"rack": "Me"}, ""),
    ],
)
def test_anothers_name(
    tmp_path: Path, sut: str, submitter: str, given: str, systems: dict[str, str], what: str
) -> None:
    found = identity_warnings(sut, {"submitter": submitter}, own(tmp_path, **systems), given)
    assert [one.what for one in found] == ([] if not what else [found[0].what])
    assert what in (found[0].what if found else "")
    assert all("--submitter" in one.remedy for one in found)


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 0),
        ({"host_processor_model_name": "another"}, 1),
        ({"host_processor_core_count": detect().cpu.physical_cores + 1}, 1),
        ({"host_processor_model_name": ""}, 0),
        ({"accelerator_model_name": "none that exists"}, 1),
        ({"accelerator_model_name": "N/A"}, 0),
        ({"cooling": "water"}, 0),
    ],
)
def test_another_machine(tmp_path: Path, changes: dict[str, Any], count: int) -> None:
    found = identity_warnings("box", {**HERE, **changes}, own(tmp_path))
    assert len(found) == count
    for one in found:
        assert f"{next(iter(changes))}: described as" in one.what
        assert "inferdeck system new" in one.remedy


def tree(tmp_path: Path, **changes: str) -> Path:
    """Return a tree of one result with this description."""
    write_run(tmp_path / "results", "box", "resnet50", "Offline")
    description = {**HERE, **DESCRIPTION, **changes}
    generate(Request(results=tmp_path / "results", out=tmp_path / "tree", sut="box", description=description), RULES)
    return tmp_path / "tree"


def test_a_tree_of_ones_own_is_let_through(tmp_path: Path) -> None:
    refuse(tree(tmp_path), own(tmp_path, rack="Me"))


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"submitter": "OctoML"}, "is of an example"), ({"host_processor_model_name": "another"}, "not of this machine")],
)
def test_what_is_handed_in_is_judged_by_the_description_in_the_tree(
    tmp_path: Path, changes: dict[str, str], what: str
) -> None:
    made = tree(tmp_path, **changes)
    with pytest.raises(DataError, match=what):
        refuse(made, own(tmp_path))
    next(made.rglob("systems/box.json")).write_text("{")
    with pytest.raises(DataError, match="is no description"):
        refuse(made, own(tmp_path))


def test_a_description_outside_the_tree_is_not_read(tmp_path: Path) -> None:
    made = tree(tmp_path)
    description = next(made.rglob("systems/box.json"))
    description.rename(tmp_path / "outside.json")
    description.symlink_to(tmp_path / "outside.json")
    with pytest.raises(DataError, match=r"box\.json is a link"):
        refuse(made, own(tmp_path, rack="Me"))


def test_a_bad_file_of_another_system_hides_no_submitter(tmp_path: Path) -> None:
    folders = own(tmp_path, rack="Me")
    (folders[1] / "systems" / "bad.yaml").write_text("[")
    found = identity_warnings("box", {"submitter": "Rival"}, folders)
    assert [one.what for one in found] == ["the submitter of box is 'Rival', and yours is 'Me'"]
