import copy
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DataError
from engine.tasks import coco_boxes

GOOD: dict[str, Any] = {
    "info": {"description": "two pictures", "version": "2.1"},
    "licenses": [],
    "categories": [{"id": n, "name": f"thing {n}", "supercategory": None} for n in range(3)],
    "images": [
        {"id": 7, "file_name": "b.jpg", "height": 60, "width": 100, "license": None, "coco_url": None},
        {"id": 2, "file_name": "a/a.jpg", "height": 100, "width": 50, "license": None, "coco_url": None},
    ],
    "annotations": [
        {"id": 1, "image_id": 2, "category_id": 1, "bbox": [1, 2.5, 3, 4], "area": 12, "iscrowd": 0, "IsInside": False},
        {"id": 2, "image_id": 7, "category_id": 0, "bbox": [0.0, 0.0, 100.0, 60.0], "area": 6000.0, "iscrowd": 1},
    ],
}


def written(folder: Path, content: Any) -> Path:
    path = folder / "boxes.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_file_is_read_in_its_own_order(tmp_path: Path) -> None:
    boxes = coco_boxes.read(written(tmp_path, GOOD))
    assert [(image.id, image.file_name, image.width, image.height) for image in boxes.images] == [
        (7, "b.jpg", 100, 60),
        (2, "a/a.jpg", 50, 100),
    ]
    assert boxes.categories.tolist() == [0, 1, 2]
    assert boxes.image.tolist() == [1, 0]
    assert boxes.category.tolist() == [1, 0]
    assert boxes.box.tolist() == [[1, 2.5, 3, 4], [0, 0, 100, 60]]
    assert boxes.area.tolist() == [12, 6000]
    assert boxes.crowd.tolist() == [False, True]


def test_pictures_without_boxes_are_pictures(tmp_path: Path) -> None:
    boxes = coco_boxes.read(written(tmp_path, GOOD | {"annotations": []}))
    assert (len(boxes.images), boxes.box.shape, boxes.image.shape) == (2, (0, 4), (0,))


def change(content: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """Change one value of the good file; a value of None takes it out."""
    changed = copy.deepcopy(content)
    *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    inner: Any = changed
    for part in way:
        inner = inner[part]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return changed


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("annotations", None, "annotations"),
        ("images", None, "images"),
        ("categories", None, "categories"),
        ("images", [], "`images` is empty"),
        ("categories", [], "`categories` is empty"),
        ("annotations.0.iscrowd", None, "iscrowd"),
        ("annotations.0.iscrowd", 2, "iscrowd"),
        ("annotations.1.area", None, "area"),
        ("annotations.1.bbox", [1, 2, 3], "bbox"),
        ("annotations.1.bbox", "1 2 3 4", "bbox"),
        ("annotations.0.id", 0, "id"),
        ("annotations.1.id", 1, r"annotations\[1\]: the id 1 is there already"),
        ("annotations.1.image_id", 3, r"annotations\[1\]: there is no image 3"),
        ("annotations.1.category_id", 3, r"annotations\[1\]: there is no category 3"),
        ("annotations.1.category_id", -1, "category_id"),
        ("annotations.1.bbox", [1, 2, -3, 4], r"annotations\[1\]: .* negative size"),
        ("annotations.1.area", -1, "negative size"),
        ("annotations.1.bbox", [100.5, 2, 3, 4], r"annotations\[1\]: the box is outside its image"),
        ("annotations.0.bbox", [1, 101, 3, 4], r"annotations\[0\]: the box is outside its image"),
        ("annotations.0.bbox", [-9, 1, 3, 4], "outside its image"),
        ("annotations.0.bbox", [float("nan"), 1, 3, 4], "boxes.json"),
        ("images.0.width", 0, "width"),
        ("images.0.height", None, "height"),
        ("images.0.width", 10.5, "width"),
        ("images.1.id", 7, r"images\[1\]: the id 7 is there already"),
        ("images.1.file_name", "b.jpg", r"images\[1\]: the file name 'b.jpg' is there already"),
        ("categories.2.id", 1, r"categories\[2\]: the id 1 is there already"),
        ("categories.0", None, "counted from 1"),
    ],
)
def test_annotations_of_another_version_are_refused(tmp_path: Path, place: str, value: Any, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        coco_boxes.read(written(tmp_path, change(GOOD, place, value)))
    assert "boxes.json" in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(
    "name",
    [
        "../a.jpg",
        "a/../../b.jpg",
        "/etc/passwd",
        "a//b.jpg",
        "./a.jpg",
        "a/",
        "",
        ".",
        "..",
        "C:\\a.jpg",
        "c:a.jpg",
        "\\\\host\\share\\a.jpg",
        "..\\a.jpg",
        "a\0.jpg",
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"images\[0\]: the file name .* leads out"):
        coco_boxes.read(written(tmp_path, change(GOOD, "images.0.file_name", name)))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "b.jpg 1\n", json.dumps(GOOD)[:-40], "[" * 100_000, '{"images": 1e999}', "\xff\xfe"],
    ids=["nothing", "open", "list", "null", "text", "cut off", "deep", "large", "bytes"],
)
def test_what_is_not_coco_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "boxes.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"boxes\.json"):
        coco_boxes.read(path)
    with pytest.raises(DataError, match=r"boxes\.json"):
        coco_boxes.keep(path, [0], tmp_path / "kept.json")


def test_an_infinite_number_is_refused(tmp_path: Path) -> None:
    text = json.dumps(GOOD).replace("6000.0", "1e999")
    with pytest.raises(DataError, match=r"boxes\.json"):
        coco_boxes.read(written(tmp_path, text))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.json.*cannot be read"):
        coco_boxes.read(tmp_path / "absent.json")


def test_a_box_that_is_partly_outside_is_taken_as_it_stands(tmp_path: Path) -> None:
    boxes = coco_boxes.read(written(tmp_path, change(GOOD, "annotations.1.bbox", [-5, 50, 200, 20])))
    assert boxes.box[1].tolist() == [-5, 50, 200, 20]


def test_what_is_kept_is_kept_whole_in_the_order_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "kept.json"
    coco_boxes.keep(written(tmp_path, GOOD), [1], target)
    kept = json.loads(target.read_text())
    assert kept == GOOD | {"images": GOOD["images"][1:], "annotations": GOOD["annotations"][:1]}
    coco_boxes.keep(tmp_path / "boxes.json", [1, 0], target)
    assert json.loads(target.read_text()) == GOOD | {"images": GOOD["images"][::-1]}


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Annotations files that the rules could have exported."""
    words = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0:"), min_size=1, max_size=8)
    names = draw(st.lists(words.filter(lambda word: word not in {".", ".."}), min_size=1, max_size=6, unique=True))
    ids = draw(st.lists(st.integers(0, 2**40), min_size=len(names), max_size=len(names), unique=True))
    sides = st.integers(1, 5000)
    images: list[dict[str, Any]] = [
        {"id": number, "file_name": name, "width": draw(sides), "height": draw(sides), "coco_url": None}
        for number, name in zip(ids, names, strict=True)
    ]
    count = draw(st.integers(1, 5))
    annotations = []
    for number in range(draw(st.integers(0, 10))):
        image = draw(st.sampled_from(images))
        share = st.floats(0, 1)
        left, top = draw(share) * image["width"], draw(share) * image["height"]
        width, height = draw(share) * (image["width"] - left), draw(share) * (image["height"] - top)
        annotations.append(
            {
                "id": number + 1,
                "image_id": image["id"],
                "category_id": draw(st.integers(0, count - 1)),
                "bbox": [left, top, width, height],
                "area": width * height,
                "iscrowd": draw(st.integers(0, 1)),
                "more": draw(st.dictionaries(words, st.integers() | words)),
            }
        )
    categories = [{"id": number, "name": draw(words)} for number in range(count)]
    return {"images": images, "annotations": annotations, "categories": categories, "info": draw(words)}


@settings(deadline=None, max_examples=40)
@given(files(), st.data())
def test_what_is_kept_reads_as_that_part_of_the_whole(content: dict[str, Any], data: st.DataObject) -> None:
    indices = data.draw(st.lists(st.sampled_from(range(len(content["images"]))), min_size=1, unique=True))
    with TemporaryDirectory() as name:
        path, target = written(Path(name), content), Path(name) / "kept.json"
        whole = coco_boxes.read(path)
        coco_boxes.keep(path, indices, target)
        part, raw = coco_boxes.read(target), json.loads(target.read_text())
    assert list(part.images) == [whole.images[index] for index in indices]
    for place, index in enumerate(indices):
        assert np.array_equal(part.box[part.image == place], whole.box[whole.image == index])
        assert np.array_equal(part.crowd[part.image == place], whole.crowd[whole.image == index])
    ids = {content["images"][index]["id"] for index in indices}
    assert raw["annotations"] == [found for found in content["annotations"] if found["image_id"] in ids]
    assert (raw["categories"], raw["info"]) == (content["categories"], content["info"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(files(), JSON, st.data())
def test_whatever_stands_in_the_file_it_is_read_or_refused(
    content: dict[str, Any], junk: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(content)))
    inner: Any = content[name]
    if isinstance(inner, list) and inner and data.draw(st.booleans()):
        entry = data.draw(st.sampled_from(inner))
        entry[data.draw(st.sampled_from(sorted(entry)))] = junk
    else:
        content[name] = junk
    with TemporaryDirectory() as folder:
        path = written(Path(folder), content)
        try:
            boxes = coco_boxes.read(path)
        except DataError:
            return
    assert np.isfinite(boxes.box).all()
    assert (boxes.image < len(boxes.images)).all()
