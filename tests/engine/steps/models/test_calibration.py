"""Calibration images: the rules' lists, packages, and lists that do not fit the folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from engine.datasets import patterns
from engine.errors import DataError, FetchError
from engine.step import Artifact, SurveyContext
from engine.steps.models import calibration
from engine.tasks.image_calibration import CalibrationImages
from tests.engine.flaky_server import Flaky, serving
from tests.engine.networks.running import step
from tests.helpers import SHARED

LISTS = SHARED / "data" / "calibration"


def imagenet(folder: Path, names: list[str]) -> Artifact:
    """The user's folder of the validation set, as the survey finds it."""
    folder.mkdir()
    for number, name in enumerate(names):
        (folder / name).write_bytes(b"image %d" % number)
    return Artifact(str(folder), {"images": ""})


def listed(tmp_path: Path, text: bytes, images: Artifact, **options: Any) -> Artifact:
    output = tmp_path / "list"
    output.mkdir(exist_ok=True)
    with serving(Flaky(text)) as server:
        options = {"url": [server.url], "md5": hashlib.md5(text).hexdigest(), "filename": "cal.txt", **options}
        return Artifact(str(output), calibration.listed(step(output, options, {"images": images})))


def test_a_list_finds_its_pictures_in_its_own_order(tmp_path: Path) -> None:
    images = imagenet(tmp_path / "val", ["a.JPEG", "b.JPEG", "c.JPEG"])
    found = CalibrationImages.of(listed(tmp_path, b"c.JPEG 0\na.JPEG 1\n", images))
    assert [file.name for file in found.files] == ["c.JPEG", "a.JPEG"]
    assert found.text == "2 images of cal.txt (ImageNet validation)"
    assert not found.by_rules, "only the rules' own lists are"
    again = CalibrationImages.of(listed(tmp_path, b"a.JPEG\nc.JPEG\n", images))
    assert again.sha256 != found.sha256
    (tmp_path / "val" / "b.JPEG").write_bytes(b"another")
    assert CalibrationImages.of(listed(tmp_path, b"a.JPEG\nc.JPEG\n", images)).sha256 == again.sha256
    (tmp_path / "val" / "a.JPEG").write_bytes(b"another")
    assert CalibrationImages.of(listed(tmp_path, b"a.JPEG\nc.JPEG\n", images)).sha256 != again.sha256
    assert sorted(path.name for path in (tmp_path / "val").iterdir()) == ["a.JPEG", "b.JPEG", "c.JPEG"]


def test_pictures_that_are_not_there_and_an_empty_list(tmp_path: Path) -> None:
    images = imagenet(tmp_path / "val", ["a.JPEG"])
    with pytest.raises(DataError, match=r"2 of the 3 images that cal.txt names .*: b.JPEG, c.JPEG") as caught:
        listed(tmp_path, b"a.JPEG\nb.JPEG\nc.JPEG\n", images)
    assert "whole validation set" in caught.value.remedy
    with pytest.raises(DataError, match="names no images"):
        listed(tmp_path, b"\n  \n", images)
    with pytest.raises(FetchError, match="MD5"):
        listed(tmp_path, b"a.JPEG\n", images, md5="0" * 32)


def test_a_picture_that_goes_away_later_is_missed(tmp_path: Path) -> None:
    images = imagenet(tmp_path / "val", ["a.JPEG", "b.JPEG"])
    found = listed(tmp_path, b"a.JPEG\nb.JPEG\n", images)
    (tmp_path / "val" / "b.JPEG").unlink()
    with pytest.raises(DataError, match=r"b\.JPEG"):
        CalibrationImages.of(found)


def test_the_images_of_a_folder_of_ones_own_are_part_of_the_key(tmp_path: Path) -> None:
    images = imagenet(tmp_path / "val", ["a.JPEG"])

    def identity(store: Path) -> str:
        return calibration.survey_listed(SurveyContext({}, {"images": images}, store=store)).identity

    first = identity(tmp_path / "store")
    (tmp_path / "val" / "a.JPEG").write_bytes(b"another")
    assert identity(tmp_path / "store") != first
    assert identity(tmp_path) == "", "what is in the store has a key"
    assert calibration.survey_listed(SurveyContext({}, {"images": None})).state == "run"


def test_a_list_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    images = imagenet(tmp_path / "val", ["a.JPEG"])
    for text, words in ((b"../a.JPEG\n", "leads out"), (b"a.JPEG\na.JPEG\n", "twice"), (b"\xff\xfea\0", "UTF-16")):
        with pytest.raises(DataError, match=words):
            listed(tmp_path, text, images)


@pytest.mark.skipif(not LISTS.is_dir(), reason="needs the calibration lists of the rules in shared/")
@pytest.mark.parametrize("number", [1, 2])
def test_the_lists_of_the_rules_are_known(tmp_path: Path, number: int) -> None:
    text = (LISTS / f"cal_image_list_option_{number}.txt").read_bytes()
    images = imagenet(tmp_path / "val", [line.split()[0] for line in text.decode().splitlines()])
    found = CalibrationImages.of(listed(tmp_path, text, images))
    assert found.by_rules
    assert len(set(found.files)) == 500
    assert found.text == f"500 images of calibration list {number} of the rules (ImageNet validation)"


def test_generated_pictures_are_none_of_the_test_set(tmp_path: Path) -> None:
    options = {"count": 3, "seed": 1, "size": 64, "classes": 50}
    (tmp_path / "calibration").mkdir()
    (tmp_path / "test").mkdir()
    facts = calibration.generated(step(tmp_path / "calibration", options | {"purpose": "calibration"}))
    patterns.generate(step(tmp_path / "test", options))
    found = CalibrationImages.of(Artifact(str(tmp_path / "calibration"), facts))
    assert (len(found.files), found.by_rules) == (3, False)
    tested = {path.read_bytes() for path in (tmp_path / "test").glob("*.JPEG")}
    assert tested.isdisjoint(path.read_bytes() for path in found.files)


def test_the_pictures_of_packages(tmp_path: Path) -> None:
    inputs = {}
    for package, file in (("two", "two/data/rgb.jpg"), ("one", "one/data/rgb.jpg")):
        path = tmp_path / package / file
        path.parent.mkdir(parents=True)
        path.write_bytes(package.encode())
        facts = {"files": [file], "package": package, "version": "1.0"}
        inputs[package] = Artifact(str(tmp_path / package), facts)
    output = tmp_path / "out"
    output.mkdir()
    found = CalibrationImages.of(Artifact(str(output), calibration.from_packages(step(output, {}, inputs))))
    assert [file.read_bytes() for file in found.files] == [b"one", b"two"]
    assert found.text == "2 images that the packages one 1.0 and two 1.0 carry"
