"""Image samples: in label order, identical after an interruption, and few in memory at a time."""

from __future__ import annotations

import errno
import gc
import os
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import events
from engine.backends.base import Array
from engine.datasets import patterns
from engine.errors import DataError
from engine.facts import SamplesFacts
from engine.harness.samples import SampleLibrary
from engine.step import Artifact, SurveyContext, read_options
from engine.tasks import image_classification, image_preparation
from engine.tasks.image_form import ImageForm
from tests.engine.networks.running import step

OPTIONS = {
    "task": "engine.tasks.image_classification",
    "preprocessing": "vgg",
    "layout": "NCHW",
    "dtype": "float32",
    "image_size": 32,
    "count": None,
}
COUNT = 40


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    list(patterns.write(patterns.ImageSet(seed=1, count=COUNT, size=64), folder))
    return folder


def run(output: Path, images: Path, said: list[events.AnyEvent] | None = None, **options: Any) -> dict[str, Any]:
    output.mkdir(exist_ok=True)
    found = Artifact(str(images), {"images": "", "labels": patterns.VAL_MAP})
    return image_preparation.prepare(step(output, OPTIONS | options, {"dataset": found, "labels": found}, said))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_samples_are_in_the_order_of_the_labels(tmp_path: Path, images: Path, layout: str, dtype: str) -> None:
    said: list[events.AnyEvent] = []
    facts = run(tmp_path, images, said, layout=layout, dtype=dtype)
    samples = np.load(tmp_path / "samples.npy")
    counts = {"count": COUNT, "labelled": COUNT, "left_out": 0}
    assert facts == {"arrays": ["samples.npy"], "labels": "val_map.txt", **counts}
    assert (samples.dtype, len(samples)) == (np.dtype(dtype), COUNT)
    for index in (0, 17, COUNT - 1):
        want = np.empty_like(samples[0])
        form = read_options(OPTIONS | {"layout": layout, "dtype": dtype}, ImageForm)
        image_classification.preprocess(images / patterns.file_name(index), form, want)
        np.testing.assert_array_equal(samples[index], want)
    assert (tmp_path / "val_map.txt").read_text() == (images / "val_map.txt").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["samples.npy", "val_map.txt"]
    last = [event for event in said if isinstance(event, events.Progress)][-1]
    assert (last.done, last.total) == (COUNT, COUNT)


def test_what_was_done_before_an_interruption_is_not_done_again(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = image_classification.preprocess
    made: list[Path] = []
    lock = threading.Lock()

    def interrupted(raw: Path, options: Any, out: Array) -> None:
        with lock:
            made.append(raw)
            if len(made) == 20:
                raise KeyboardInterrupt
        whole(raw, options, out)

    monkeypatch.setattr(image_classification, "preprocess", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "resumed", images)
    done = np.load(tmp_path / "resumed" / "done.npy")
    assert 0 < done.sum() < COUNT
    again: list[Path] = []

    def counted(raw: Path, options: Any, out: Array) -> None:
        again.append(raw)
        whole(raw, options, out)

    monkeypatch.setattr(image_classification, "preprocess", counted)
    run(tmp_path / "resumed", images)
    assert len(again) == COUNT - done.sum()
    run(tmp_path / "straight", images)
    for name in ("samples.npy", "val_map.txt"):
        assert (tmp_path / "resumed" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()


def test_no_more_samples_are_in_memory_than_work_is_done_at_a_time(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = image_classification.preprocess
    samples: list[weakref.ref[Array]] = []
    alive: list[int] = []
    lock = threading.Lock()

    def watched(raw: Path, options: Any, out: Array) -> None:
        with lock:
            assert out.base is None, "memory of its own, not a mapping of the whole file"
            samples.append(weakref.ref(out))
            gc.collect()
            alive.append(sum(one() is not None for one in samples))
        whole(raw, options, out)

    monkeypatch.setattr(image_classification, "preprocess", watched)
    run(tmp_path, images)
    assert len(samples) == COUNT
    assert max(alive) <= 2 * image_preparation._cores()


def test_a_full_disk_is_an_error_not_a_crash(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written through a mapping it would be a signal that ends the process."""

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space"):
        run(tmp_path, images)


def test_a_write_that_is_cut_short_goes_on(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path / "whole", images)
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: whole(file, data[:1000], offset))
    run(tmp_path / "pieces", images)
    assert (tmp_path / "pieces/samples.npy").read_bytes() == (tmp_path / "whole/samples.npy").read_bytes()


def test_pictures_that_are_not_there_are_left_out_and_said(tmp_path: Path, images: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for index in range(0, COUNT, 2):
        (folder / patterns.file_name(index)).symlink_to(images / patterns.file_name(index))
    (folder / "val_map.txt").write_text((images / "val_map.txt").read_text())
    said: list[events.AnyEvent] = []
    facts = run(tmp_path / "out", folder, said, count=5)
    assert (facts["count"], facts["left_out"]) == (5, COUNT // 2)
    assert "20 of 40 labelled images are not in" in next(one for one in said if isinstance(one, events.Warned)).text
    names = [line.split()[0] for line in (tmp_path / "out" / "val_map.txt").read_text().splitlines()]
    assert names == [patterns.file_name(index) for index in range(0, 10, 2)]


def test_a_broken_picture_ends_it_by_name(tmp_path: Path, images: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for index in range(COUNT):
        (folder / patterns.file_name(index)).symlink_to(images / patterns.file_name(index))
    (folder / patterns.file_name(7)).unlink()
    (folder / patterns.file_name(7)).write_bytes(b"no picture")
    (folder / "val_map.txt").write_text((images / "val_map.txt").read_text())
    with pytest.raises(DataError, match=patterns.file_name(7)):
        run(tmp_path / "out", folder)
    (folder / "val_map.txt").write_text("none.JPEG 3\n")
    with pytest.raises(DataError, match="holds none of the 1 images"):
        run(tmp_path / "other", folder)


def library(folder: Path, facts: dict[str, Any], loaded: int) -> SampleLibrary:
    known = Artifact(str(folder), facts).read(SamplesFacts)
    return SampleLibrary([Path(str(one)) for one in known.paths(folder)], loaded, known.made(folder))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_samples_made_on_load_are_those_that_are_stored(tmp_path: Path, images: Path, layout: str, dtype: str) -> None:
    said: list[events.AnyEvent] = []
    stored = run(tmp_path / "stored", images, layout=layout, dtype=dtype)
    facts = run(tmp_path / "made", images, said, layout=layout, dtype=dtype, on_load=True)
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["files.lst", "val_map.txt"]
    assert [event.done for event in said if isinstance(event, events.Progress)][-1] == COUNT
    whole, made = library(tmp_path / "stored", stored, 6), library(tmp_path / "made", facts, 6)
    assert (made.count, made.performance_count, made.lengths) == (COUNT, 6, None)
    for indices in ([5, 0, 5, 39], [17], list(range(6))):
        outs = []
        for one in (whole, made):
            one.load(indices)
            out = np.empty((len(indices), *whole.sample(0, indices[0]).shape), dtype)
            one.gather(indices, [out])
            outs.append(out.tobytes())
        assert outs[0] == outs[1]
    made.unload()
    with pytest.raises(KeyError):
        made.gather([0], [np.empty(0)])


def test_what_is_made_on_load_takes_no_disk_and_has_a_key_of_its_own(images: Path) -> None:
    found = Artifact(str(images), {"images": "", "labels": patterns.VAL_MAP, "count": COUNT})
    sights = [
        image_preparation.survey(
            SurveyContext(OPTIONS | {"on_load": on_load}, {"dataset": found, "labels": found}, store=images.parent)
        )
        for on_load in (False, True)
    ]
    assert [result.disk_bytes for result in sights] == [COUNT * 3 * 32 * 32 * 4, 0]
    assert [result.identity for result in sights] == ["", "on load"]


def test_a_broken_picture_is_named_before_anything_is_measured(tmp_path: Path, images: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for index in range(COUNT):
        (folder / patterns.file_name(index)).symlink_to(images / patterns.file_name(index))
    for index in (7, 9):
        (folder / patterns.file_name(index)).unlink()
        (folder / patterns.file_name(index)).write_bytes(b"no picture")
    (folder / "val_map.txt").write_text((images / "val_map.txt").read_text())
    with pytest.raises(DataError, match=f"2 of 40 images .*{patterns.file_name(7)}.*{patterns.file_name(9)}"):
        run(tmp_path / "out", folder, on_load=True)


def test_an_image_that_went_since_is_named_when_it_is_loaded(tmp_path: Path, images: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for index in range(COUNT):
        (folder / patterns.file_name(index)).symlink_to(images / patterns.file_name(index))
    (folder / "val_map.txt").write_text((images / "val_map.txt").read_text())
    made = library(tmp_path / "out", run(tmp_path / "out", folder, on_load=True), 6)
    (folder / patterns.file_name(3)).unlink()
    with pytest.raises(DataError, match=patterns.file_name(3)):
        made.load([1, 3])


def test_a_disk_that_does_not_hold_the_samples_is_told_of_making_them_on_load(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Artifact(str(images), {"images": "", "labels": patterns.VAL_MAP, "count": COUNT})

    def remedy(free: int, **options: Any) -> str:
        monkeypatch.setattr(image_preparation, "disk_free", lambda _: free)
        context = SurveyContext(OPTIONS | options, {"dataset": found, "labels": found}, store=images.parent)
        return image_preparation.survey(context).remedy

    needed = COUNT * 3 * 32 * 32 * 4
    assert remedy(needed) == ""
    assert "_on-load" in remedy(needed - 1)
    assert remedy(0, on_load=True) == ""
