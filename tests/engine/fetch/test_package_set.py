from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path

import pytest

from engine.errors import FetchError, UsageError
from engine.fetch import package_set
from engine.fetch.package_set import Pinned, requirement


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


def sample_wheel(folder: Path) -> Path:
    """Write the wheel of a package with one empty module."""
    wheel = folder / "sample-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("sample.py", "")
        archive.writestr("sample-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n")
        archive.writestr("sample-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("sample-1.0.dist-info/RECORD", "")
    return wheel


def test_a_persons_own_pip_settings_do_not_stop_an_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = sample_wheel(tmp_path)
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nuser = true\nrequire-virtualenv = true\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    python = Path(sys.base_prefix) / "bin" / "python3"
    package_set.install([Pinned("sample", "1.0", (f"sha256:{digest}",))], python, tmp_path / "site", lambda *_: None)
    assert (tmp_path / "site" / "sample.py").exists()


def test_wheels_are_downloaded_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    digest = hashlib.sha256(sample_wheel(source).read_bytes()).hexdigest()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", source.as_uri())
    python = Path(sys.executable)
    package_set.download_set([Pinned("sample", "1.0", (f"sha256:{digest}",))], python, out)
    assert [one.name for one in out.iterdir()] == ["sample-1.0-py3-none-any.whl"]
    with pytest.raises(FetchError):
        package_set.download_set([Pinned("sample", "1.0", (f"sha256:{digest[::-1]}",))], python, out)
