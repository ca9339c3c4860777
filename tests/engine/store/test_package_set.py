from __future__ import annotations

import json

import pytest

from engine.errors import UsageError
from engine.store import package_set
from engine.store.package_set import Pinned, requirement


def test_a_requirement_is_read_as_pip_writes_it() -> None:
    assert str(requirement("onnxruntime>=1.20,<1.21").specifier) == "<1.21,>=1.20"


@pytest.mark.parametrize("text", ["", "onnx runtime", "--index-url=x", "a @ file:///tmp/a.whl", "-r other.txt"])
def test_what_is_none_or_names_an_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        requirement(text)


def test_pips_report_gives_names_versions_and_hashes() -> None:
    archive = {"archive_info": {"hashes": {"sha256": "ab"}}}
    report = {
        "version": "1",
        "install": [{"metadata": {"name": "Big_Name", "version": "1.2"}, "download_info": archive}],
    }
    assert package_set._read_report(json.dumps(report).encode()) == [Pinned("big-name", "1.2", ("sha256:ab",))]


def test_the_line_of_a_requirements_file_carries_every_hash() -> None:
    assert Pinned("a", "1", ("sha256:x", "sha256:y")).line == "a==1 --hash=sha256:x --hash=sha256:y"


def test_no_wheel_for_this_python_is_told_from_a_silent_index() -> None:
    said = [
        "ERROR: Could not find a version that satisfies the requirement a==9 (from versions: 1.0, 1.1)",
        "ERROR: No matching distribution found for a==9",
    ]
    misfit = package_set._explained(["a==9"], said, "pip ...")
    assert isinstance(misfit, package_set.NoFitError)
    assert misfit.remedy == "it has 1.0, 1.1"
    silent = package_set._explained(
        ["a"], ["WARNING: Retrying after connection broken by 'ReadTimeoutError'"], "pip ..."
    )
    assert not isinstance(silent, package_set.NoFitError)
    assert "does not answer" in silent.what
