from pathlib import Path

import numpy as np
import pytest

from engine.datasets import boxed_photographs
from engine.errors import DataError
from engine.tasks import coco_boxes


def test_the_boxes_are_what_the_task_reads(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    path.write_bytes(boxed_photographs.contents())
    found = coco_boxes.read(path)
    assert len(found.images) == 11
    assert found.box.shape == (44, 4)
    sizes = np.array([(one.width, one.height) for one in found.images])[found.image]
    assert (found.box[:, :2] >= 0).all()
    assert (found.box[:, :2] + found.box[:, 2:] <= sizes + 0.01).all()


def test_the_categories_begin_with_those_of_the_rules() -> None:
    names = [one.name for one in boxed_photographs.boxes().categories]
    assert [one.id for one in boxed_photographs.boxes().categories] == list(range(len(names)))
    rules = names[: boxed_photographs.RULES]
    assert (rules[0], rules[-1]) == ("Airplane", "Zucchini")
    assert rules == sorted(rules)
    assert len(set(names)) == len(names)


def test_a_category_is_found_by_its_name() -> None:
    boxes = boxed_photographs.boxes()
    assert boxes.categories[boxes.number("Coffee cup")].name == "Coffee cup"
    with pytest.raises(ValueError, match="no category Unicorn"):
        boxes.number("Unicorn")


def test_a_damaged_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxed_photographs, "SHA256", "0" * 64)
    with pytest.raises(DataError, match="damaged"):
        boxed_photographs.boxes()
