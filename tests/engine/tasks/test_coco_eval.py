import copy
import io
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from engine.tasks import coco_eval
from engine.tasks.base import Array

Draw = Callable[[st.SearchStrategy[Any]], Any]


def truth_of(boxes: list[dict[str, Any]]) -> coco_eval.BoxTruth:
    return coco_eval.BoxTruth(
        np.array([box["image_id"] for box in boxes], np.int64),
        np.array([box["category_id"] for box in boxes], np.int64),
        np.array([box["bbox"] for box in boxes], np.float64).reshape(-1, 4),
        np.array([box["area"] for box in boxes], np.float64),
        np.array([box["iscrowd"] for box in boxes], np.bool_),
    )


def found_of(boxes: list[dict[str, Any]]) -> coco_eval.Detections:
    return coco_eval.Detections(
        np.array([box["image_id"] for box in boxes], np.int64),
        np.array([box["category_id"] for box in boxes], np.int64),
        np.array([box["bbox"] for box in boxes], np.float64).reshape(-1, 4),
        np.array([box["score"] for box in boxes], np.float64),
    )


def reference(truth: list[dict[str, Any]], found: list[dict[str, Any]]) -> tuple[list[float], list[str]]:
    """The twelve figures and the printed lines of pycocotools."""
    images = sorted({box["image_id"] for box in truth + found})
    categories = sorted({box["category_id"] for box in truth + found})
    printed = io.StringIO()
    with redirect_stdout(printed):
        known = COCO()
        known.dataset = {
            "images": [{"id": image} for image in images],
            "categories": [{"id": category} for category in categories],
            "annotations": [{"id": number, **copy.deepcopy(box)} for number, box in enumerate(truth, 1)],
        }
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(copy.deepcopy(found)), "bbox")
        evaluation.params.imgIds = images
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return list(evaluation.stats), [line for line in printed.getvalue().splitlines() if "Average" in line]


def agree(truth: list[dict[str, Any]], found: list[dict[str, Any]]) -> tuple[float, ...]:
    """Assert that the figures are those of pycocotools, and return them."""
    figures = coco_eval.summarise(truth_of(truth), found_of(found))
    expected, lines = reference(truth, found)
    np.testing.assert_allclose(figures, expected, rtol=0, atol=1e-12)
    assert coco_eval.rows(expected) == lines
    return figures


def box_of(random: np.random.Generator, grid: float) -> list[float]:
    """A box on a coarse grid, so that overlaps and edges are often exactly equal."""
    corner, sides = random.integers(0, 12, 2) * grid, random.integers(0, 14, 2) * grid
    return [float(value) for value in (*corner, *sides)]


@settings(deadline=None, max_examples=100)
@given(
    st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 4), st.integers(1, 25), st.integers(1, 60), st.booleans()
)
def test_equals_pycocotools(seed: int, images: int, classes: int, objects: int, detections: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    grid = float(random.choice([1.0, 7.0, 16.0, 33.3]))
    truth: list[dict[str, Any]] = []
    for _ in range(objects):
        box = box_of(random, grid)
        # The area is a fact of the file, which need not be width x height.
        area = box[2] * box[3] * float(random.choice([0.5, 1.0, 1.0]))
        where = {"image_id": int(random.integers(images)) * 3, "category_id": int(random.integers(classes))}
        truth.append({**where, "bbox": box, "area": area, "iscrowd": int(random.random() < 0.2)})
    found = []
    for _ in range(detections):
        near = truth[random.integers(objects)]
        box = box_of(random, grid) if random.random() < 0.3 else list(near["bbox"])
        if random.random() < 0.5:
            box[int(random.integers(4))] += float(random.normal(0, grid))
        where = {key: near[key] for key in ("image_id", "category_id")}
        if random.random() < 0.3:
            where = {"image_id": int(random.integers(images)) * 3, "category_id": int(random.integers(classes + 1))}
        score = float(random.integers(1, 5)) / 4 if ties else float(np.float32(random.random()))
        found.append({**where, "bbox": box, "score": score})
    agree(truth, found)


def generated(images: int, per_image: int, classes: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Images with detections near their objects, three classes an image."""
    random = np.random.default_rng(images)
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for image in range(1, images + 1):
        those = random.choice(classes, 3, replace=False)
        corners, sides = random.uniform(0, 300, (6, 2)), random.uniform(5, 180, (6, 2))
        boxes, kinds = np.hstack([corners, sides]), random.choice(those, 6)
        for box, kind in zip(boxes, kinds, strict=True):
            area, crowd = float(box[2] * box[3]), int(random.random() < 0.05)
            truth.append(
                {"image_id": image, "category_id": int(kind), "bbox": box.tolist(), "area": area, "iscrowd": crowd}
            )
        for number in random.integers(0, 6, per_image):
            box = boxes[number] * random.normal(1, 0.05, 4)
            kind = kinds[number] if random.random() < 0.8 else random.choice(those)
            score = float(np.float32(random.uniform(0.05, 1)))
            found.append({"image_id": image, "category_id": int(kind), "bbox": box.tolist(), "score": score})
    return truth, found


@pytest.mark.slow
def test_equals_pycocotools_on_pictures_like_those_of_the_data_set() -> None:
    assert 0.1 < agree(*generated(150, 36, 30))[0] < 0.9


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_the_size_of_a_block_changes_nothing(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    truth, found = generated(12, 20, 5)
    expected = coco_eval.summarise(truth_of(truth), found_of(found))
    monkeypatch.setattr(coco_eval, "_BLOCK", block)
    assert coco_eval.summarise(truth_of(truth), found_of(found)) == expected


def one(image: int = 1, category: int = 0, box: tuple[float, ...] = (10, 10, 50, 50), **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": list(box), **more}


def known(image: int = 1, category: int = 0, box: tuple[float, ...] = (10, 10, 50, 50), crowd: int = 0) -> Any:
    return one(image, category, box, area=box[2] * box[3], iscrowd=crowd)


def test_what_is_found_exactly_is_worth_all() -> None:
    figures = agree([known(), known(2, 3)], [one(score=0.9), one(2, 3, score=0.2)])
    assert figures[0] == pytest.approx(1)
    assert figures[3] == coco_eval.NOTHING  # there is no small object


def test_only_the_best_hundred_of_a_class_in_a_picture_count() -> None:
    wrong = [one(box=(300, 300, 20, 20), score=0.9) for _ in range(100)]
    assert agree([known()], [*wrong[:99], one(score=0.1)])[0] == pytest.approx(0.01, abs=1e-3)
    assert agree([known()], [*wrong, one(score=0.1)])[0] == 0
    assert agree([known()], [*wrong, one(category=1, score=0.1)])[0] == 0


def test_a_crowd_neither_helps_nor_harms() -> None:
    crowd = known(box=(0, 0, 400, 400), crowd=1)
    inside = [one(box=(100.0 + n, 200, 30, 30), score=0.95) for n in range(5)]
    assert agree([known(), crowd], [*inside, one(score=0.5)])[0] == pytest.approx(1)
    assert agree([crowd], inside)[0] == coco_eval.NOTHING


def test_an_object_is_found_once() -> None:
    figures = agree([known(), known(2)], [one(score=0.9), one(score=0.8), one(2, score=0.7)])
    assert 0.5 < figures[0] < 1


def test_nothing_found_is_worth_nothing() -> None:
    figures = coco_eval.summarise(truth_of([known()]), found_of([]))
    assert figures == (0, 0, 0, coco_eval.NOTHING, 0, coco_eval.NOTHING, 0, 0, 0, coco_eval.NOTHING, 0, -1)


def test_nothing_to_find_has_no_mean() -> None:
    assert set(coco_eval.summarise(truth_of([]), found_of([one(score=0.5)]))) == {coco_eval.NOTHING}


@given(st.lists(st.tuples(*[st.integers(0, 400)] * 4), min_size=1, max_size=8), st.booleans())
def test_iou_is_between_none_and_all(boxes: list[tuple[int, ...]], crowd: bool) -> None:
    box: Array = np.array(boxes) / 8  # exact, for a side that is lost in rounding can overlap by more than it is
    overlap = coco_eval._iou(box, box[::-1], np.full(len(box), crowd))
    assert ((overlap >= 0) & (overlap <= 1)).all()
