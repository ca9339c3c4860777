import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine import events
from engine.datasets import scenes
from engine.datasets.patterns import Purpose
from engine.datasets.scene_canvas import LEAST_VISIBLE, SHAPES, SceneCanvas
from engine.datasets.scenes import SceneSet
from engine.step import Artifact
from engine.tasks.image_calibration import CalibrationImages
from tests.engine.networks.running import step

OPTIONS = {"count": 12, "seed": 3, "size": 96}
ATTRIBUTES = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set that is large enough to hold all that a set may hold."""
    folder = tmp_path_factory.mktemp("many")
    list(scenes.write(SceneSet(seed=1, count=256, size=96), folder))
    return folder


def annotations(folder: Path) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((folder / scenes.LABELS).read_text())
    return whole


def test_the_step_writes_the_layout_of_the_rules(tmp_path: Path) -> None:
    said: list[events.AnyEvent] = []
    facts = scenes.generate(step(tmp_path, OPTIONS, said=said))
    assert facts == {
        "images": "validation/data",
        "labels": "annotations/openimages-mlperf.json",
        "count": 12,
        "classes": len(SHAPES),
    }
    written = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()}
    names = [f"validation/data/{image['file_name']}" for image in annotations(tmp_path)["images"]]
    assert written == {*names, "annotations/openimages-mlperf.json"}
    assert len(set(names)) == 12
    last = said[-1]
    assert isinstance(last, events.Progress)
    assert (last.done, last.total, last.unit) == (12, 12, "images")


def test_the_annotations_have_the_fields_of_the_rules_file(many: Path) -> None:
    whole = annotations(many)
    assert [one["id"] for one in whole["categories"]] == list(range(len(SHAPES)))
    assert [one["name"] for one in whole["categories"]] == sorted(SHAPES)
    assert [one["id"] for one in whole["images"]] == list(range(1, 257))
    assert [one["id"] for one in whole["annotations"]] == list(range(1, len(whole["annotations"]) + 1))
    sizes = {}
    for image in whole["images"]:
        assert image.keys() == {"id", "file_name", "height", "width", "license", "coco_url"}
        name, ending = image["file_name"].split(".")
        assert (len(name), ending) == (16, "jpg")
        assert int(name, 16) >= 0
        found = cv2.imread(str(many / scenes.IMAGES / image["file_name"]))
        assert found is not None
        assert found.shape == (image["height"], image["width"], 3)
        sizes[image["id"]] = image["width"], image["height"]
    for one in whole["annotations"]:
        assert one.keys() == {"id", "image_id", "category_id", "bbox", "area", "iscrowd", *ATTRIBUTES}
        left, top, width, height = one["bbox"]
        assert one["area"] == width * height > 0
        assert one["iscrowd"] == int(one["IsGroupOf"])
        assert 0 <= one["category_id"] < len(SHAPES)
        assert left >= 0
        assert top >= 0
        assert left + width <= sizes[one["image_id"]][0]
        assert top + height <= sizes[one["image_id"]][1]


def test_a_set_holds_all_that_the_real_one_does(many: Path) -> None:
    whole = annotations(many)
    with_objects = {one["image_id"] for one in whole["annotations"]}
    assert 5 < len(whole["images"]) - len(with_objects) < 50
    assert {one["category_id"] for one in whole["annotations"]} == set(range(len(SHAPES)))
    groups = [one for one in whole["annotations"] if one["iscrowd"]]
    assert 5 < len(groups) < 50
    for attribute in ("IsOccluded", "IsTruncated"):
        share = np.mean([one[attribute] for one in whole["annotations"]])
        assert 0.1 < share < 0.7
    shapes = {(image["height"], image["width"]) for image in whole["images"]}
    assert len(shapes) > 100
    assert any(height > width for height, width in shapes)
    assert any(height < width for height, width in shapes)


def test_the_files_are_jpegs_of_the_scenes(tmp_path: Path) -> None:
    drawn = SceneSet(seed=1, count=3, size=200)
    list(scenes.write(drawn, tmp_path))
    for index in range(3):
        path = tmp_path / scenes.IMAGES / drawn.name(index)
        assert path.read_bytes()[:2] == b"\xff\xd8"
        found, image = cv2.imread(str(path)), drawn.scene(index).image
        assert found is not None
        assert np.abs(found.astype(int) - image).mean() < 12


def test_a_box_is_where_the_object_is_seen() -> None:
    """Seen from outside: what an object alone on the canvas changes is inside its box and touches all four sides."""
    for seed in range(30):
        before, after = (SceneCanvas(120, 160, np.random.default_rng(seed)) for _ in range(2))
        after.add_object()
        (thing,) = after.things()
        # The light and the noise come from what is left of the generator, so the ground is compared without them.
        changed = np.abs(after._pixels - before._pixels).max(2) > 25
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        left, top, width, height = thing.box
        seen = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert np.allclose(seen, (left, top, left + width, top + height), atol=2)
        assert not thing.occluded
        assert not thing.group


def test_objects_leave_most_of_each_other_free_and_say_when_they_hide_some() -> None:
    hidden = 0
    for seed in range(40):
        canvas = SceneCanvas(120, 160, np.random.default_rng(seed))
        for _ in range(6):
            canvas.add_object()
        for number, (thing, (_, area, _, _)) in enumerate(zip(canvas.things(), canvas._made, strict=True)):
            share = (canvas._owner == number).sum() / area
            assert share >= LEAST_VISIBLE
            assert thing.occluded == (share < 0.99)
            hidden += thing.occluded
    assert hidden > 20


def test_a_seed_always_gives_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        list(scenes.write(SceneSet(seed, 4, size=96), tmp_path / name))
    one, again, other = (
        {file.name: file.read_bytes() for file in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("one", "again", "other")
    )
    assert one == again
    assert {name for name in one if name.endswith(".jpg")}.isdisjoint(other)
    assert set(one.values()).isdisjoint(other.values())


def test_sets_of_different_purposes_share_no_picture() -> None:
    purposes: tuple[Purpose, ...] = ("test", "calibration", "training", "held-out")
    sets = [SceneSet(1, 5, purpose, size=96) for purpose in purposes]
    assert len({one.name(index) for one in sets for index in range(5)}) == 20
    assert len({one.scene(index).image.tobytes() for one in sets for index in range(5)}) == 20


def test_a_larger_set_begins_with_the_smaller_one(tmp_path: Path) -> None:
    for count in (5, 9):
        list(scenes.write(SceneSet(1, count, size=96), tmp_path / str(count)))
    small, large = annotations(tmp_path / "5"), annotations(tmp_path / "9")
    assert small["images"] == large["images"][:5]
    assert small["annotations"] == large["annotations"][: len(small["annotations"])]
    for image in small["images"]:
        one, same = (tmp_path / count / scenes.IMAGES / image["file_name"] for count in ("5", "9"))
        assert one.read_bytes() == same.read_bytes()


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    drawn, folder = SceneSet(1, 3, size=96), tmp_path / scenes.IMAGES
    folder.mkdir(parents=True)
    first, second = (folder / drawn.name(index) for index in range(2))
    first.write_bytes(b"done before")
    second.with_suffix(".part").write_bytes(b"half")
    list(scenes.write(drawn, tmp_path))
    assert first.read_bytes() == b"done before"
    assert second.read_bytes()[:2] == b"\xff\xd8"
    assert not list(folder.glob("*.part"))
    assert len(annotations(tmp_path)["images"]) == 3


def test_calibration_scenes_are_what_the_calibration_reads(tmp_path: Path) -> None:
    facts = scenes.calibration(step(tmp_path, OPTIONS | {"purpose": "calibration"}))
    assert (facts["count"], facts["by_rules"]) == (12, False)
    found = CalibrationImages.of(Artifact(str(tmp_path), facts))
    expected = SceneSet(3, 12, "calibration", 96)
    assert [file.name for file in found.files] == [expected.name(index) for index in range(12)]
    assert found.text == "12 scenes generated by inferdeck for calibration (seed 3)"
    assert not {file.name for file in found.files} & {SceneSet(3, 12).name(index) for index in range(12)}
