"""Pictures of runs: what each task shows of its samples, and how it is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import DataError, UsageError
from engine.explore import drawing
from engine.explore.drawing import COLOURS, captions, plain_rows, rows, save
from engine.explore.pictures import pictures
from engine.explore.runs import Run
from engine.tasks.picture import Box, Panel, Picture, visible
from tests.engine.explore import pictured
from tests.engine.explore.pictured import SHAPE, classified, detected, run, segmented, written


def test_an_image_has_its_label_and_the_answer(tmp_path: Path) -> None:
    found = pictures(classified(tmp_path / "run", {2: 5.0, 0: 7.0}), (), 4)
    assert [one.name for one in found] == ["d.jpg", "a.jpg"], "in the order of the log"
    captions_ = [panel.caption for one in found for panel in one.panels]
    assert captions_ == ["label 5, answer 5: right", "label 3, answer 7: wrong"]
    [image] = {one.panels[0].image.shape for one in found}
    assert image == (pictured.SIDE, pictured.SIDE, 3)


def test_boxes_of_the_truth_and_of_the_model_are_side_by_side(tmp_path: Path) -> None:
    answers = {0: [(0.1, 0.1, 0.6, 0.6, 0.9, 0.0), (0.0, 0.0, 0.5, 0.5, 0.1, 1.0)], 1: []}
    one, other = pictures(detected(tmp_path / "run", answers), (), 4)
    truth, model = one.panels
    assert (truth.caption, model.caption) == ("truth: Dog, Cat", "model: Dog")
    assert truth.boxes[0] == Box(0.1, 0.1, 0.5, 0.5, "Dog", "Dog")
    [box] = model.boxes
    assert box.name == "Dog 0.90"
    np.testing.assert_allclose([box.left, box.top, box.width, box.height], [0.1, 0.1, 0.5, 0.5], rtol=1e-6)
    assert [panel.caption for panel in other.panels] == ["truth: nothing", "model: nothing"]


def test_a_volume_shows_the_middle_of_what_is_marked(tmp_path: Path) -> None:
    [one] = pictures(segmented(tmp_path / "run"), (), 4)
    truth, model = one.panels
    assert one.name == "case_00003"
    assert truth.caption == "truth, slice 3"
    assert model.caption.startswith("model: kidney 0.9")
    assert truth.mask is not None
    assert model.mask is not None
    assert truth.mask.shape == SHAPE[1:]
    assert set(np.unique(truth.mask)) == {0, 1, 2}
    np.testing.assert_array_equal(truth.mask[:, :11], model.mask[:, :11])
    assert not model.mask[:, 11].any()


def test_a_performance_run_shows_what_its_accuracy_run_answered(tmp_path: Path) -> None:
    accuracy = classified(tmp_path / "run", {0: 3.0})
    assert pictures(run(tmp_path / "none", "performance"), [accuracy], 1)[0].name == "a.jpg"
    with pytest.raises(UsageError, match="has no accuracy run"):
        pictures(run(tmp_path / "none", "performance"), (), 1)


def test_no_more_are_shown_than_asked_for_and_each_sample_once(tmp_path: Path) -> None:
    accuracy = classified(tmp_path / "run", {0: 3.0, 1: 4.0, 2: 5.0})
    assert [one.name for one in pictures(accuracy, (), 2)] == ["a.jpg", "b c.jpg"]


@pytest.mark.parametrize("task", ["engine.tasks.question_answering", "tests.engine.harness.echo_task", "os"])
def test_a_task_without_images_is_named(tmp_path: Path, task: str) -> None:
    (tmp_path / "spec").mkdir()
    with pytest.raises(UsageError, match="no images"):
        pictures(written(tmp_path, task, {0: b""}), (), 1)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    accuracy = classified(tmp_path / "run", {0: 3.0})
    folder = tmp_path / "run"

    def fails(match: str) -> None:
        with pytest.raises(DataError, match=match):
            pictures(accuracy, (), 1)

    (folder / "val_map.txt").rename(folder / "gone")
    fails("no longer at")
    (folder / "gone").rename(folder / "val_map.txt")
    classified_beyond = {9: b"\0\0\0\0"}
    written(folder, pictured.CLASSES, classified_beyond)
    fails("there is no sample 9")
    written(folder, pictured.CLASSES, {0: b"\0"})
    fails("has 1 bytes")
    (folder / "spec.json").write_text('{"log_dir": "x"}')
    fails("not the specification")
    (folder / "spec.json").unlink()
    fails(r"spec\.json cannot be read")


def sheet() -> Picture:
    """A white and a half masked panel, twice as wide as high."""
    image = np.full((20, 40), 255, np.uint8)
    mask = np.zeros((20, 40), np.uint8)
    mask[:, 20:] = 2
    return Picture("a/b\x1b[31m.png", [Panel("white", image), Panel("half\x1b[2J", image, mask=mask)])


def test_in_colours_a_character_is_two_pixels() -> None:
    drawn = rows(sheet(), 42, 100)
    assert len(drawn) == 5, "panels of 20 cells, 10 pixels high"
    assert {len(row) for row in drawn} == {42}
    assert {cell.text for row in drawn for cell in row} == {"▀"}
    first, last = drawn[0][0], drawn[0][-1]
    assert first.fore == first.back == (255, 255, 255)
    mixed = tuple((255 + one) // 2 for one in COLOURS[1])
    assert last.fore == last.back == mixed
    assert drawn[0][20].fore == (0, 0, 0), "between the panels"


def test_a_picture_is_no_higher_than_the_screen_and_no_wider() -> None:
    for width, height in ((80, 10), (30, 40), (5, 5), (1, 1)):
        drawn = rows(sheet(), width, height)
        assert len(drawn) <= max(height, 1)
        assert max(map(len, drawn)) <= max(width, 2 + drawing.GAP)
        assert len(plain_rows(sheet(), width, height)) == len(drawn)


def test_without_colours_an_image_is_dim_and_a_mask_is_not() -> None:
    black = np.zeros((8, 8), np.uint8)
    marked = black.copy()
    marked[:4] = 1
    assert plain_rows(Picture("x", [Panel("", black, mask=marked)]), 8, 8) == ["████████"] * 2 + [""] * 2
    white = np.full((8, 8), 255, np.uint8)
    dim = "".join(plain_rows(Picture("x", [Panel("", white, mask=black)]), 8, 8))
    assert dim.count("█") + dim.count("▀") + dim.count("▄") > 0
    assert dim != "████████" * 4


def test_boxes_are_outlines_in_the_colour_of_their_kind() -> None:
    black = np.zeros((40, 40), np.uint8)
    boxes = (Box(0.25, 0.25, 0.5, 0.5, "Dog", "Dog"), Box(-1, -1, 9, 9, "Cat", "Cat"))
    drawn = rows(Picture("x", [Panel("", black, boxes)]), 40, 20)
    assert drawn[0][0].fore == COLOURS[0], "Cat, clipped to the image"
    assert drawn[5][10].fore == COLOURS[1]
    assert drawn[10][20].fore == (0, 0, 0)


def test_text_from_outside_is_cleaned() -> None:
    assert "\x1b" not in captions(sheet(), 80)
    assert captions(sheet(), 20).count("white") == 1


def test_files_are_images_with_harmless_names(tmp_path: Path) -> None:
    [path] = save([sheet()], tmp_path / "new" / "folder")
    assert path.parent == tmp_path / "new" / "folder"
    assert path.name == "001-b__31m.png"
    with Image.open(path) as image:
        assert image.size[0] == 2 * drawing.SIDE + 3 * drawing.MARGIN
        assert image.getpixel((drawing.MARGIN + 2, 60)) == (255, 255, 255)


@pytest.mark.parametrize("shape", [(3, 4, 5), (4, 5, 3), (4, 5)])
def test_a_sample_of_any_layout_and_range_is_visible(shape: tuple[int, ...]) -> None:
    sample = np.linspace(-7, 900, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    image = visible(sample)
    assert image.dtype == np.uint8
    assert image.shape == ((4, 5, 3) if len(shape) == 3 else (4, 5))
    assert (image.min(), image.max()) == (0, 255)
    assert visible(np.zeros(shape, np.float32)).max() == 0


def test_a_run_is_found_by_its_scenario(tmp_path: Path) -> None:
    other = Run(id="r-0002/Offline/accuracy", job="r-0002", step="a", scenario="Offline", mode="accuracy")
    with pytest.raises(UsageError, match="has no accuracy run"):
        pictures(run(tmp_path, "performance"), [other], 1)
