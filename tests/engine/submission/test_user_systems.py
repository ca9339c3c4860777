"""A user's system is written completely, changed field by field, and read back unchanged."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import profiles
from engine.errors import UsageError
from engine.profile.round_file import load_round
from engine.submission import user_systems

RULES = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")


def test_a_new_description_is_what_the_machine_says_with_what_the_person_says_on_top(tmp_path: Path) -> None:
    found = user_systems.new(RULES, tmp_path, {"submitter": "Me", "host_processor_model_name": "Mine"})
    assert set(found) >= set(RULES.system.required)
    assert (found["submitter"], found["host_processor_model_name"]) == ("Me", "Mine")
    assert found["cooling"] == "", "nobody said it and nothing can read it"
    with pytest.raises(UsageError, match="no field 'submiter'"):
        user_systems.new(RULES, tmp_path, {"submiter": "Me"})


def test_a_system_that_is_described_anew_keeps_its_run_figures(tmp_path: Path) -> None:
    path = user_systems.path_of(tmp_path, "box")
    path.parent.mkdir()
    path.write_text(
        "targets: configured\ndescription: {submitter: Me, cooling: air}\n"
        "runs: {onnxruntime: {resnet50: {Offline: 5.5}}}\n"
    )
    before = user_systems.read(tmp_path, "box")
    user_systems.write(tmp_path, "box", {"submitter": "You"})
    now = user_systems.read(tmp_path, "box")
    assert before is not None
    assert now == msgspec.structs.replace(before, description={"submitter": "You"})
    path.write_text("{")
    user_systems.write(tmp_path, "box", {"submitter": "You"})
    assert user_systems.read(tmp_path, "box") is not None, "of a file that can't be read nothing could be kept"


def test_one_field_is_changed_and_comments_and_run_figures_stay(tmp_path: Path) -> None:
    path = user_systems.path_of(tmp_path, "box")
    path.parent.mkdir()
    path.write_text(
        "# mine\ntargets: configured\ndescription:\n  submitter: Me  # us\n"
        "runs: {onnxruntime: {resnet50: {Offline: 5}}}\n"
    )
    assert user_systems.set_field(tmp_path, "box", "cooling", "air") == path
    assert "# mine" in path.read_text()
    assert "# us" in path.read_text()
    read = user_systems.read(tmp_path, "box")
    assert read is not None
    assert read.description == {"submitter": "Me", "cooling": "air"}
    assert read.runs == {"onnxruntime": {"resnet50": {"Offline": 5}}}


def test_a_system_that_is_not_written_yet_is_nothing_and_bad_names_are_refused(tmp_path: Path) -> None:
    assert user_systems.read(tmp_path, "box") is None
    for name in ("", "a/b", "..", "x" * 250):
        with pytest.raises(UsageError, match="a system's name"):
            user_systems.path_of(tmp_path, name)


def test_examples_are_known_as_such() -> None:
    assert user_systems.is_shipped((profiles.FOLDER,), "gcp-n2-standard-80")
    assert not user_systems.is_shipped((profiles.FOLDER,), "box")


@given(
    st.dictionaries(st.sampled_from(["cooling", "hw_notes", "submitter"]), st.text(), min_size=1),
    st.sampled_from(["cooling", "sw_notes"]),
    st.text(),
)
def test_any_text_comes_back_as_it_was_written(description: dict[str, str], field: str, value: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        user_systems.write(Path(place), "box", description)
        first = user_systems.read(Path(place), "box")
        assert first is not None
        assert first.description == description
        user_systems.set_field(Path(place), "box", field, value)
        second = user_systems.read(Path(place), "box")
        assert second is not None
        assert second.description == {**description, field: value}
