import hashlib
import os
import tarfile
import zipfile
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from engine.errors import FetchError
from engine.fetch import package_index
from engine.fetch.package_index import PackageFile, download

BACKEND = """
import os
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    os.mkdir(os.path.join(folder, "sample-1.0.dist-info"))
    with open(os.path.join(folder, "sample-1.0.dist-info", "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: sample\\nVersion: 1.0\\n")
    return "sample-1.0.dist-info"
def build_wheel(*_, **__): raise NotImplementedError
"""


def make_wheel(folder: Path, tags: str = "py3-none-any") -> Path:
    """A wheel that wants a Python nobody has and a package that does not exist."""
    head = "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\nRequires-Python: >=9\nRequires-Dist: no-such-package\n"
    path = folder / f"sample-1.0-{tags}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("sample/data/one.txt", "one")
        wheel.writestr("sample/data/two.bin", b"two")
        wheel.writestr("sample-1.0.dist-info/METADATA", head)
        wheel.writestr("sample-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tags}\n")
        wheel.writestr("sample-1.0.dist-info/RECORD", "")
    return path


def make_tool(folder: Path) -> None:
    """A wheel, of which there is no source, that a source archive is built with."""
    with zipfile.ZipFile(folder / "tool-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tool-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tool\nVersion: 1.0\n")
        wheel.writestr("tool-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tool-1.0.dist-info/RECORD", "")


def make_source(folder: Path, requires: str = "") -> Path:
    path = folder / "sample-1.0.tar.gz"
    files = {
        "pyproject.toml": f'[build-system]\nrequires = [{requires}]\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND,
        "PKG-INFO": "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"sample-1.0/{name}")
            info.size = len(text)
            archive.addfile(info, BytesIO(text.encode()))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip can reach."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def get(place: Path, told: list[tuple[int, int | None]] | None = None, **wanted: Any) -> Path:
    heard = [] if told is None else told
    return download(PackageFile(package="sample", version="1.0", **wanted), place, lambda *both: heard.append(both))


def test_a_wheel_comes_as_it_is_and_alone(index: Path, place: Path) -> None:
    wheel = make_wheel(index)
    found = get(place, filename=wheel.name, sha256=sha256(wheel).upper())
    assert found.parent == place
    assert found.read_bytes() == wheel.read_bytes()
    assert sorted(path.name for path in place.iterdir()) == ["requirements.txt", wheel.name]


def test_neither_name_nor_checksum_is_needed(index: Path, place: Path) -> None:
    wheel = make_wheel(index)
    assert get(place).name == wheel.name


@pytest.mark.parametrize("tags", ["cp39-cp39-win_amd64", "cp38-abi3-manylinux_2_17_s390x.manylinux2014_s390x"])
def test_a_wheel_of_another_platform_can_be_read(tags: str, index: Path, place: Path) -> None:
    make_wheel(index)
    wheel = make_wheel(index, tags)
    assert get(place, filename=wheel.name, sha256=sha256(wheel)).name == wheel.name


def test_a_source_archive(index: Path, place: Path) -> None:
    make_wheel(index)
    source = make_source(index)
    assert get(place, filename=source.name, sha256=sha256(source)).name == source.name


def test_what_a_source_archive_is_built_with_comes_as_a_wheel(index: Path, place: Path) -> None:
    make_tool(index)
    source = make_source(index, '"tool"')
    assert get(place, filename=source.name, sha256=sha256(source)).name == source.name


def test_another_file_is_refused(index: Path, place: Path) -> None:
    wheel = make_wheel(index)
    with pytest.raises(FetchError) as caught:
        get(place, filename=wheel.name, sha256="0" * 64)
    assert "0" * 64 in caught.value.what
    assert sha256(wheel) in caught.value.what
    assert "index" in caught.value.remedy


def test_the_checksum_is_not_left_to_pip(index: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = make_wheel(index)
    good = sha256(wheel)
    monkeypatch.setattr(package_index, "sha256_of", lambda _: "1" * 64)
    with pytest.raises(FetchError, match=f"expected {good}, found {'1' * 64}"):
        get(place, sha256=good)


def test_a_file_of_another_name_is_refused(index: Path, place: Path) -> None:
    make_wheel(index)
    with pytest.raises(FetchError, match="expected the file sample"):
        get(place, filename="sample-1.0-py2.py3-none-any.whl")


@pytest.mark.usefixtures("index")
def test_the_index_does_not_have_it(place: Path) -> None:
    with pytest.raises(FetchError, match="has no such version") as caught:
        get(place)
    assert "pip config list" in caught.value.remedy


@pytest.mark.usefixtures("index")
def test_no_network(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(FetchError, match="does not answer") as caught:
        get(place)
    assert "network" in caught.value.remedy


def test_an_environment_without_pip(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", gone)
    with pytest.raises(FetchError, match="no pip") as caught:
        get(place)
    assert "ensurepip" in caught.value.remedy


@pytest.mark.parametrize(
    ("output", "what"),
    [
        ("/x/python: No module named pip\n", "no pip"),
        ("ERROR: Cannot open https://me:secret@host/x\n", "pip failed: ERROR: Cannot open https://host/x"),
        ("something odd\n", "pip failed: something odd"),
        ("", "it printed nothing"),
    ],
)
def test_what_pip_says_is_told(output: str, what: str) -> None:
    error = package_index._explained(PackageFile(package="sample", version="1.0"), output)
    assert what in error.what
    assert "secret" not in str(error)
    assert error.remedy
