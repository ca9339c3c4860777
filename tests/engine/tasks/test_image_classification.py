import json
import struct
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.backends.base import Array
from engine.errors import DataError, UsageError
from engine.tasks import image_classification as task
from engine.tasks.image_form import ImageForm
from engine.tasks.labels import read_val_map

VGG = ImageForm(preprocessing="vgg", layout="NCHW", dtype="float32", image_size=224)


def prepared(raw: Path, **options: Any) -> Array:
    chosen = msgspec.structs.replace(VGG, **options)
    out = np.full(chosen.shape, 99, chosen.dtype)
    task.preprocess(raw, chosen, out)
    return out


def save(path: Path, height: int, width: int, *, grey: bool = False) -> Path:
    shape = (height, width) if grey else (height, width, 3)
    noise = np.random.default_rng(height * 1000 + width).integers(0, 256, shape).astype(np.uint8)
    cv2.imwrite(str(path), cv2.blur(noise, (3, 3)))
    return path


def reference(path: Path) -> Array:
    """The steps of the rules' reference one after another (facts: MLPerf Inference v2.1, resnet50, NHWC)."""
    image = cv2.imread(str(path))
    assert image is not None
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    height, width, _ = image.shape
    new_height = int(100.0 * 224 / 87.5)
    new_width = int(100.0 * 224 / 87.5)
    if height > width:
        w, h = new_width, int(new_height * height / width)
    else:
        h, w = new_height, int(new_width * width / height)
    image = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
    left, right = int((w - 224) / 2), int((w + 224) / 2)
    top, bottom = int((h - 224) / 2), int((h + 224) / 2)
    result = np.asarray(image[top:bottom, left:right], dtype="float32")
    result -= np.array([123.68, 116.78, 103.94], dtype=np.float32)
    return result


@settings(deadline=None, max_examples=40)
@given(st.integers(8, 600), st.integers(8, 600), st.sampled_from(["JPEG", "png"]), st.booleans())
def test_vgg_is_the_reference_bit_for_bit(height: int, width: int, form: str, grey: bool) -> None:
    with TemporaryDirectory() as folder:
        path = save(Path(folder) / f"picture.{form}", height, width, grey=grey)
        expected = reference(path)
        assert np.array_equal(prepared(path, layout="NHWC"), expected)
        assert np.array_equal(prepared(path), expected.transpose(2, 0, 1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_in_the_reference(tmp_path: Path, orientation: int) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    image.save(path, exif=exif)
    assert np.array_equal(prepared(path, layout="NHWC"), reference(path))


def test_cmyk_becomes_rgb_as_in_the_reference(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (240, 320, 4)).astype(np.uint8), "CMYK").save(path)
    assert np.array_equal(prepared(path, layout="NHWC"), reference(path))


@pytest.mark.parametrize(
    ("chain", "size", "mean", "scale"),
    [("vgg", 224, [123.68, 116.78, 103.94], 1), ("efficientnet-lite", 224, [127] * 3, 128), ("unit", 64, [0] * 3, 255)],
)
def test_uint8_is_the_picture_before_it_is_normalised(
    tmp_path: Path, chain: str, size: int, mean: list[float], scale: float
) -> None:
    path = save(tmp_path / "picture.png", 300, 400)
    stored = prepared(path, preprocessing=chain, image_size=size, dtype="uint8", layout="NHWC")
    assert stored.dtype == np.uint8
    normal = prepared(path, preprocessing=chain, image_size=size, layout="NHWC")
    expected = (stored - np.array(mean, np.float32)) / np.float32(scale)
    assert np.array_equal(normal, expected)


def marked(path: Path, height: int, width: int, top: int, left: int, side: int) -> Path:
    """A black image with one white square."""
    image = np.zeros((height, width, 3), np.uint8)
    image[top : top + side, left : left + side] = 255
    cv2.imwrite(str(path), image)
    return path


def test_efficientnet_lite_takes_seven_eighths_of_the_short_side(tmp_path: Path) -> None:
    path = marked(tmp_path / "picture.png", 256, 400, 16, 88, 224)
    assert prepared(path, preprocessing="efficientnet-lite").min() == 1.0


def test_unit_takes_the_whole_central_square(tmp_path: Path) -> None:
    path = marked(tmp_path / "picture.png", 256, 400, 0, 72, 256)
    assert prepared(path, preprocessing="unit", image_size=64).min() == 1.0


@pytest.mark.parametrize(("height", "width"), [(300, 401), (401, 300), (256, 256), (100, 90)])
def test_torchvision_is_pillows_arithmetic(tmp_path: Path, height: int, width: int) -> None:
    path = save(tmp_path / "picture.png", height, width)
    image = Image.open(path).convert("RGB")
    scale = 256 / min(height, width)
    size = (256, int(height * 256 / width)) if width <= height else (int(width * 256 / height), 256)
    assert abs(max(size) - max(height, width) * scale) < 1
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) / np.float32(255)
    mean, deviation = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
    assert np.array_equal(prepared(path, preprocessing="torchvision", layout="NHWC"), (pixels - mean) / deviation)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 2)])
@pytest.mark.parametrize("chain", ["efficientnet-lite", "torchvision", "unit", "vgg"])
def test_even_a_speck_of_a_picture_is_framed(tmp_path: Path, shape: tuple[int, int], chain: str) -> None:
    path = tmp_path / "speck.png"
    cv2.imwrite(str(path), np.full((*shape, 3), 200, np.uint8))
    assert np.ptp(prepared(path, preprocessing=chain, layout="NHWC"), axis=(0, 1)).max() == 0


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, -20])
@pytest.mark.parametrize("form", ["jpg", "png"])
def test_a_truncated_picture_is_named(tmp_path: Path, kept: float, form: str) -> None:
    whole = save(tmp_path / f"whole.{form}", 200, 300).read_bytes()
    path = tmp_path / f"cut.{form}"
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(DataError, match=rf"cut\.{form}"):
        prepared(path)


def test_what_is_no_picture_or_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.JPEG").write_text("not a picture")
    for name in ("text.JPEG", "absent.JPEG"):
        with pytest.raises(DataError, match=name):
            prepared(tmp_path / name)


def test_an_unknown_chain_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'vgg'"):
        prepared(save(tmp_path / "picture.png", 30, 30), preprocessing="vggg")


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=40), st.sampled_from([0, 1]), st.booleans())
def test_classes_are_answered_less_the_offset(classes: list[int], offset: int, column: bool) -> None:
    output = np.array(classes, np.int64)
    responses = task.respond(
        [output[:, None] if column else output], range(len(classes)), task.ClassOptions(label_offset=offset)
    )
    assert responses.sizes == 4
    expected = b"".join(struct.pack("<f", value - offset) for value in classes)
    assert responses.data.flags.c_contiguous
    assert responses.data.tobytes() == expected


@given(st.integers(1, 8), st.integers(2, 1001), st.integers(0, 100), st.sampled_from([np.float32, np.float16, np.int8]))
def test_of_scores_the_highest_is_answered(count: int, classes: int, seed: int, kind: type) -> None:
    scores: Array = np.random.default_rng(seed).uniform(-100, 100, (count, classes)).astype(kind)
    responses = task.respond([scores], range(count), task.ClassOptions(label_offset=1))
    assert responses.data.dtype == np.float32
    assert responses.data.tolist() == [row.index(max(row)) - 1 for row in scores.tolist()]


def write_log(path: Path, answers: Iterable[tuple[int, bytes]]) -> Path:
    """A log as LoadGen writes it."""
    records = (
        f'{{ "seq_id" : {seq}, "qsl_idx" : {index}, "data" : "{data.hex().upper()}" }}'
        for seq, (index, data) in enumerate(answers)
    )
    path.write_text("[\n" + ",\n".join(records) + "\n]\n")
    return path


def write_labels(path: Path, labels: Iterable[int]) -> Path:
    path.write_text("".join(f"ILSVRC2012_val_{n:08d}.JPEG {label}\n" for n, label in enumerate(labels, 1)))
    return path


def answer(value: float) -> bytes:
    return struct.pack("<f", value)


@given(st.data())
def test_the_score_counts_each_sample_once_by_its_first_answer(data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=20))
    answers = data.draw(
        st.lists(st.tuples(st.integers(0, len(labels) - 1), st.integers(-1, 5)), min_size=1, max_size=40)
    )
    first: dict[int, int] = {}
    for index, value in answers:
        first.setdefault(index, value)
    good = sum(labels[index] == value for index, value in first.items())
    with TemporaryDirectory() as name:
        log = write_log(Path(name) / "log.json", ((index, answer(value)) for index, value in answers))
        score = task.score(log, write_labels(Path(name) / "val_map.txt", labels))
    assert (score.good, score.total, score.metric) == (good, len(first), "accuracy")
    assert score.value == pytest.approx(100 * good / len(first))
    assert score.text == f"accuracy={100 * good / len(first):.3f}%, good={good}, total={len(first)}\n"


def test_the_line_is_that_of_the_rules(tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "val_map.txt", range(20))
    log = write_log(tmp_path / "log.json", ((n, answer(n if n < 18 else 999)) for n in range(20)))
    assert task.score(log, labels).text == "accuracy=90.000%, good=18, total=20\n"


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\0", b"\0" * 8, answer(float("nan")), answer(float("inf"))],
    ids=["empty", "3", "8", "nan", "inf"],
)
def test_an_answer_that_is_not_one_class_is_named(tmp_path: Path, data: bytes) -> None:
    log = write_log(tmp_path / "log.json", [(0, answer(1)), (1, data)])
    with pytest.raises(DataError, match="sample 1"):
        task.score(log, write_labels(tmp_path / "val_map.txt", [1, 1]))


def test_a_sample_without_a_label_is_named(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.json", [(0, answer(1)), (2, answer(1))])
    with pytest.raises(DataError, match="sample 2 has no label"):
        task.score(log, write_labels(tmp_path / "val_map.txt", [1, 1]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[\n]\n",
        "[\n{broken\n]\n",
        '[\n{ "seq_id" : 0, "qsl_idx" : 0, "data" : "0000803F" },\n',
        json.dumps({"a": 1}),
    ],
    ids=["nothing", "no record", "broken", "cut short", "other"],
)
def test_a_malformed_log_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.json").write_text(text)
    with pytest.raises(DataError, match=r"log\.json"):
        task.score(tmp_path / "log.json", write_labels(tmp_path / "val_map.txt", [1]))


@pytest.mark.parametrize("line", ["", "ILSVRC2012_val_00000002.JPEG", "ILSVRC2012_val_00000002.JPEG cat"])
def test_a_malformed_label_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "val_map.txt").write_text(f"a.JPEG 1\n{line}\nb.JPEG 2\n")
    with pytest.raises(DataError, match=r"val_map\.txt:2"):
        read_val_map(tmp_path / "val_map.txt")


def test_the_val_map_keeps_its_order_and_folders(tmp_path: Path) -> None:
    (tmp_path / "val_map.txt").write_text("b/two.JPEG 7\na one.JPEG\t65\n")
    assert read_val_map(tmp_path / "val_map.txt") == [("b/two.JPEG", 7), ("a one.JPEG", 65)]


def test_an_absent_val_map_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"val_map\.txt"):
        read_val_map(tmp_path / "val_map.txt")
