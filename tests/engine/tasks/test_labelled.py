"""Images of a user's own folder: matched with their files, and each missing or unusable one is named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine import events
from engine.errors import DataError
from engine.step import Artifact, SurveyContext, SurveyResult
from engine.steps.datasets import imagenet
from engine.tasks import image_preparation, listing
from engine.tasks.labelled import labelled
from tests.engine.networks.running import step

TASK = "engine.tasks.image_classification"
OPTIONS: dict[str, Any] = {
    "task": TASK,
    "preprocessing": "vgg",
    "layout": "NCHW",
    "dtype": "uint8",
    "image_size": 224,
    "count": None,
}
NAMES = [f"ILSVRC2012_val_{number:08}.JPEG" for number in range(1, 7)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six images and their labels."""
    place = tmp_path / "val"
    place.mkdir()
    for number, name in enumerate(NAMES):
        cv2.imwrite(str(place / name), np.full((40, 50, 3), 40 * number, np.uint8))
    (place / "val_map.txt").write_text("".join(f"{name} {number}\n" for number, name in enumerate(NAMES)))
    return place


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "AGE", 0.0)


def survey(folder: Path, store: Path = Path(), **options: Any) -> SurveyResult:
    found = imagenet.survey_folder(SurveyContext({"path": str(folder)}, {})).artifact
    return image_preparation.survey(SurveyContext(OPTIONS | options, {"dataset": found, "labels": found}, store=store))


def run(folder: Path, output: Path, said: list[events.AnyEvent] | None = None) -> dict[str, Any]:
    output.mkdir(exist_ok=True)
    found = Artifact(str(folder), {"images": "", "labels": "val_map.txt"})
    return image_preparation.prepare(step(output, OPTIONS, {"dataset": found, "labels": found}, said))


def test_an_image_that_changes_makes_another_data_set(folder: Path) -> None:
    def both() -> tuple[str, str]:
        return imagenet.survey_folder(SurveyContext({"path": str(folder)}, {})).identity, survey(folder).identity

    seen = [both()]
    assert both() == seen[0]
    path = folder / NAMES[2]
    data, times = path.read_bytes(), path.stat()
    path.write_bytes(data[:-1] + b"x")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    seen.append(both())
    path.unlink()
    seen.append(both())
    path.write_bytes(data)
    seen.append(both())
    (folder / "val_map.txt").write_text((folder / "val_map.txt").read_text().replace(" 5\n", " 6\n"))
    seen.append(both())
    assert [len(set(column)) for column in zip(*seen, strict=True)] == [5, 5]


def test_what_no_label_names_is_no_part_of_it(folder: Path) -> None:
    before = survey(folder).identity
    (folder / "notes.txt").write_text("mine")
    (folder / "another.JPEG").write_bytes(b"x")
    assert survey(folder).identity == before
    assert survey(folder, count=3).identity != before
    assert survey(folder, store=folder.parent).identity == "", "what is in the store has a key"


def test_images_in_folders_of_their_own_are_part_of_it(folder: Path) -> None:
    (folder / "n01440764").mkdir()
    inner = folder / "n01440764" / "a.JPEG"
    inner.write_bytes((folder / NAMES[0]).read_bytes())
    (folder / "val_map.txt").write_text("n01440764/a.JPEG 0\nn01443537/a.JPEG 1\n")
    before = survey(folder)
    assert before.warning.startswith("1 of 2 labelled images are not in")
    inner.write_bytes((folder / NAMES[1]).read_bytes())
    assert survey(folder).identity != before.identity


def test_a_look_is_used_again_only_while_the_folder_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "AGE", 1e9)
    monkeypatch.setattr(listing, "QUICK_SECONDS", 0.0)
    first = listing.listing(folder)
    assert listing.listing(folder) is first
    assert labelled(TASK, folder, folder / "val_map.txt", None) is labelled(TASK, folder, folder / "val_map.txt", None)
    (folder / NAMES[0]).unlink()
    assert NAMES[0] not in listing.listing(folder).files


def test_missing_images_are_named_in_plan_run_and_facts(folder: Path, tmp_path: Path) -> None:
    assert survey(folder).warning == ""
    for name in NAMES[1:3]:
        (folder / name).unlink()
    warning = f"2 of 6 labelled images are not in {folder}: {NAMES[1]}, {NAMES[2]}"
    assert survey(folder).warning == warning
    said: list[events.AnyEvent] = []
    facts = run(folder, tmp_path / "out", said)
    assert [one.text for one in said if isinstance(one, events.Warned)] == [warning]
    assert (facts["count"], facts["labelled"], facts["left_out"]) == (4, 6, 2)


def test_labels_of_a_larger_set_are_no_warning(folder: Path) -> None:
    """The published labels are of 50,000 images, and a fetched data set has 500 of them."""
    for name in NAMES[4:]:
        (folder / name).unlink()
    found = Artifact(str(folder), {"images": "", "labels": "val_map.txt", "count": 4})
    assert image_preparation.survey(SurveyContext(OPTIONS, {"dataset": found, "labels": found})).warning == ""


def test_all_images_that_can_not_be_used_are_named_at_once(folder: Path, tmp_path: Path) -> None:
    empty, half, text, inner, dangling, pipe = (folder / name for name in NAMES)
    cv2.imwrite(str(folder / "long.png"), np.zeros((1, 60_000, 3), np.uint8))
    (folder / "long.png").rename(folder / "long.JPEG")
    cv2.imwrite(str(folder / "good.png"), np.zeros((50, 50, 3), np.uint8))
    with (folder / "val_map.txt").open("a") as labels:
        labels.write("long.JPEG 7\ngood.png 8\n")
    empty.write_bytes(b"")
    half.write_bytes(half.read_bytes()[:300])
    text.write_text("no image")
    for path in (inner, dangling, pipe):
        path.unlink()
    inner.mkdir()
    dangling.symlink_to(tmp_path / "nowhere")
    os.mkfifo(pipe)
    assert f"3 labelled images are no files: {inner.name} (a folder), {dangling.name} (a link" in survey(folder).warning
    with pytest.raises(DataError) as caught:
        run(folder, tmp_path / "out")
    what = caught.value.what
    assert what.startswith(f"7 of 8 images in {folder} cannot be used: ")
    for name, why in (
        (empty, "the file is empty"),
        (half, "truncated, or not an image"),
        (text, "truncated, or not an image"),
        (inner, "a folder"),
        (dangling, "a link to nothing"),
        (pipe, "a pipe, socket or device"),
        (folder / "long.JPEG", "out of memory: 60000 x 1 scaled to 15360000 x 256 takes 11.8 GB"),
    ):
        assert f"{name.name} ({why}" in what
    assert "good.png" not in what


def test_only_the_first_of_many_are_named(folder: Path, tmp_path: Path) -> None:
    names = [f"{number:03}.JPEG" for number in range(100)]
    for name in names:
        (folder / name).write_bytes(b"x")
    (folder / "val_map.txt").write_text("".join(f"{name} 1\n" for name in [NAMES[0], *names]))
    with pytest.raises(DataError, match="100 of 101 images") as caught:
        run(folder, tmp_path / "out")
    assert caught.value.what.count("not an image") == 20
    assert caught.value.what.endswith("...")


@pytest.mark.parametrize("error", [MemoryError(), cv2.error("Insufficient memory")])
def test_memory_that_runs_out_is_told_with_the_image(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    if isinstance(error, cv2.error):
        error.code = -4

    def fails(*_: Any) -> None:
        raise error

    monkeypatch.setattr("engine.tasks.image_task.read", fails)
    with pytest.raises(DataError, match=rf"{NAMES[0]} \(out of memory"):
        run(folder, tmp_path / "out")


@pytest.mark.parametrize(
    ("makes", "what", "remedy"),
    [
        ((), "it is empty", "the folder that the image files are in"),
        (("val/a.JPEG",), "it holds no images, its folder val does", "/top/val"),
        (
            ("n01440764/a.JPEG", "n01443537/b.JPEG"),
            "it holds 2 folders of classes (n01440764, n01443537)",
            "val_map.txt",
        ),
        (("ILSVRC2012_img_val.tar",), "it holds the archive ILSVRC2012_img_val.tar, not unpacked", "tar -xf"),
        (("readme.txt", "devkit/x"), "it holds devkit/, readme.txt", "the folder that the image files are in"),
    ],
)
def test_a_folder_without_images_is_described(tmp_path: Path, makes: tuple[str, ...], what: str, remedy: str) -> None:
    top = tmp_path / "top"
    top.mkdir()
    for name in makes:
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).touch()
    seen = imagenet.survey_folder(SurveyContext({"path": str(top)}, {}))
    assert (seen.state, seen.text) == ("missing", f"{top}: {what}")
    assert "--env.IMAGENET_PATH=DIR" in seen.remedy
    assert remedy in seen.remedy
    (top / "val_map.txt").write_text("a.JPEG 1\nb.JPEG 2\n")
    if makes and "readme.txt" not in makes:
        with pytest.raises(DataError, match="holds none of the 2 images that the labels name") as caught:
            survey(top)
        assert what in caught.value.what


def test_images_of_other_names_are_shown(folder: Path) -> None:
    for name in NAMES:
        (folder / name).rename(folder / name.replace("JPEG", "jpeg"))
    with pytest.raises(DataError, match=r"it holds 6 images, such as .*01\.jpeg, .*02\.jpeg") as caught:
        survey(folder)
    assert "endings" in caught.value.remedy


def test_labels_beside_the_images(folder: Path) -> None:
    def seen() -> tuple[Any, SurveyResult]:
        found = imagenet.survey_folder(SurveyContext({"path": str(folder)}, {}))
        return found.artifact, imagenet.survey_labels(SurveyContext({}, {"dataset": found.artifact}))

    (folder / "val.txt").write_text("a.JPEG 1\n")
    assert seen()[1].text == "val_map.txt next to the images"
    (folder / "val_map.txt").unlink()
    artifact, labels = seen()
    assert (labels.state, labels.text, artifact.facts["labels"]) == ("found", "val.txt next to the images", "val.txt")
    (folder / "val.txt").unlink()
    artifact, labels = seen()
    assert (labels.state, "labels" in artifact.facts) == ("run", False)
    assert "put val_map.txt next to the images" in labels.remedy


@pytest.mark.parametrize(("kind", "what"), [("folder", "a folder"), ("link", "a link to nothing"), ("pipe", "a pipe")])
def test_labels_that_are_no_file_are_not_passed_over(folder: Path, kind: str, what: str) -> None:
    place = folder / "val_map.txt"
    place.unlink()
    if kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to("nothing")
    else:
        os.mkfifo(place)
    seen = imagenet.survey_folder(SurveyContext({"path": str(folder)}, {}))
    assert seen.state == "missing"
    assert f"{place} is {what}" in seen.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_said(folder: Path) -> None:
    try:
        for mode, place in ((0o000, folder), (0o444, folder), (0o000, folder.parent)):
            place.chmod(mode)
            with pytest.raises(DataError, match="cannot be read: Permission denied"):
                survey(folder)
            place.chmod(0o755)
    finally:
        folder.parent.chmod(0o755)
        folder.chmod(0o755)
