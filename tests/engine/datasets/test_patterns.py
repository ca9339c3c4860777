from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import events
from engine.datasets import patterns
from engine.datasets.patterns import ImageSet
from engine.errors import UsageError
from tests.engine.networks.running import step

OPTIONS = {"count": 12, "seed": 3, "classes": 50, "size": 64}


def test_the_step_writes_the_layout_of_the_imagenet_validation_set(tmp_path: Path) -> None:
    said: list[events.AnyEvent] = []
    facts = patterns.generate(step(tmp_path, OPTIONS, said=said))
    assert facts == {"images": "", "labels": "val_map.txt", "count": 12, "classes": 50}
    lines = (tmp_path / "val_map.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, 13)]
    assert {file.name for file in tmp_path.iterdir()} == {line.split()[0] for line in lines} | {"val_map.txt"}
    expected = ImageSet(seed=3, count=12, size=64)
    assert [int(line.split()[1]) for line in lines] == [expected.label(index) for index in range(12)]
    last = said[-1]
    assert isinstance(last, events.Progress)
    assert (last.done, last.total, last.unit) == (12, 12, "images")


def test_the_files_are_jpegs_of_the_pictures(tmp_path: Path) -> None:
    images = ImageSet(seed=1, count=3, size=200)
    list(patterns.write(images, tmp_path))
    for index in range(3):
        path = tmp_path / patterns.file_name(index)
        assert path.read_bytes()[:2] == b"\xff\xd8"
        found, drawn = cv2.imread(str(path)), images.image(index)
        assert found is not None
        assert found.shape == drawn.shape
        assert np.abs(found.astype(int) - drawn).mean() < 12


def test_a_seed_always_gives_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        (tmp_path / name).mkdir()
        list(patterns.write(ImageSet(seed, 4, size=64), tmp_path / name))
    for index in range(4):
        one, again, other = (
            (tmp_path / name / patterns.file_name(index)).read_bytes() for name in ("one", "again", "other")
        )
        assert one == again
        assert one != other


def test_sets_of_different_purposes_share_no_picture() -> None:
    test, training = (ImageSet(1, 1, purpose, size=64).image(0) for purpose in ("test", "training"))
    assert test.shape != training.shape or not np.array_equal(test, training)


def test_a_larger_set_begins_with_the_smaller_one() -> None:
    small, large = ImageSet(1, 5, size=64), ImageSet(1, 500, size=64)
    for index in range(5):
        assert small.label(index) == large.label(index)
        assert np.array_equal(small.image(index), large.image(index))


@given(st.integers(0, 2**32), st.integers(1, 50), st.integers(0, 5))
def test_every_run_of_the_classes_shows_each_once(seed: int, classes: int, turn: int) -> None:
    images = ImageSet(seed, 1000, classes=classes)
    assert {images.label(turn * classes + place) for place in range(classes)} == set(range(classes))


def test_pictures_vary_in_size_and_shape() -> None:
    shapes = [ImageSet(1, 40, size=96).image(index).shape for index in range(40)]
    assert len(set(shapes)) > 20
    assert any(height > width for height, width, _ in shapes)
    assert any(height < width for height, width, _ in shapes)
    assert all(0.6 * 96 < max(height, width) < 1.3 * 96 for height, width, _ in shapes)


def test_every_family_draws_both_colours_even_on_small_pictures() -> None:
    images = ImageSet(7, 50, size=32)
    for index in range(50):
        assert np.max(np.std(images.image(index), axis=(0, 1))) > 5


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first, second = (tmp_path / patterns.file_name(index) for index in range(2))
    first.write_bytes(b"done before")
    second.with_suffix(".part").write_bytes(b"half")
    list(patterns.write(ImageSet(1, 3, size=64), tmp_path))
    assert first.read_bytes() == b"done before"
    assert second.read_bytes()[:2] == b"\xff\xd8"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("classes", [0, 51])
def test_more_classes_than_there_are_patterns_are_refused(tmp_path: Path, classes: int) -> None:
    with pytest.raises(UsageError, match="1 to 50"):
        patterns.generate(step(tmp_path, OPTIONS | {"classes": classes}))
