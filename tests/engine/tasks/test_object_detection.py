import json
import re
import struct
from collections.abc import Iterable, Sequence
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
from engine.errors import DataError, RunError, UsageError
from engine.tasks import object_detection as task
from engine.tasks.image_form import ImageForm
from engine.tasks.image_task import Sample
from tests.engine.tasks.test_coco_eval import generated, reference

RETINANET = ImageForm(preprocessing="retinanet", layout="NCHW", dtype="float32", image_size=800)
SIZE = task.DetectorOptions(image_size=800)
FLOATS = st.floats(0, 1, width=32)


def prepared(raw: Path, **options: Any) -> Array:
    chosen = msgspec.structs.replace(RETINANET, **options)
    out = np.full(chosen.shape, 99, chosen.dtype)
    task.preprocess(raw, chosen, out)
    return out


def save(path: Path, height: int, width: int, *, grey: bool = False) -> Path:
    shape = (height, width) if grey else (height, width, 3)
    noise = np.random.default_rng(height * 1000 + width).integers(0, 256, shape).astype(np.uint8)
    cv2.imwrite(str(path), cv2.blur(noise, (3, 3)))
    return path


def rules_chain(path: Path, size: int) -> Array:
    """The steps of the rules' reference one after another (facts: MLPerf Inference v2.1, retinanet)."""
    image = cv2.imread(str(path))
    assert image is not None
    pixels: Array = cv2.cvtColor(np.array(image, np.float32), cv2.COLOR_BGR2RGB)
    pixels = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_LINEAR)
    np.divide(pixels, 255, out=pixels)
    return pixels.transpose(2, 0, 1)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(8, 1100),
    st.integers(8, 1100),
    st.sampled_from(["jpg", "png"]),
    st.booleans(),
    st.sampled_from([800, 64]),
)
def test_retinanet_is_the_reference_bit_for_bit(height: int, width: int, form: str, grey: bool, size: int) -> None:
    with TemporaryDirectory() as folder:
        path = save(Path(folder) / f"picture.{form}", height, width, grey=grey)
        expected = rules_chain(path, size)
        assert np.array_equal(prepared(path, image_size=size), expected)
        assert np.array_equal(prepared(path, image_size=size, layout="NHWC"), expected.transpose(1, 2, 0))


def test_retinanet_does_not_round_to_grey_levels(tmp_path: Path) -> None:
    levels = prepared(save(tmp_path / "picture.png", 300, 401)) * 255
    assert np.abs(levels - levels.round()).max() > 0.3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_in_the_reference(tmp_path: Path, orientation: int) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    image.save(path, exif=exif)
    assert np.array_equal(prepared(path, image_size=64), rules_chain(path, 64))
    size = task.preprocess(path, RETINANET, np.empty(RETINANET.shape, RETINANET.dtype))
    assert size == ((320, 240) if orientation < 5 else (240, 320))


@pytest.mark.parametrize(
    ("chain", "size", "way", "shift", "scale"),
    [("ssd", 300, cv2.INTER_LINEAR, 127.5, 127.5), ("unit", 96, cv2.INTER_AREA, 0, 255)],
)
def test_the_other_chains_resize_whole_grey_levels(
    tmp_path: Path, chain: str, size: int, way: int, shift: float, scale: float
) -> None:
    path = save(tmp_path / "picture.png", 400, 523)
    image = cv2.imread(str(path))
    assert image is not None
    pixels = cv2.resize(image[..., ::-1].copy(), (size, size), interpolation=way)
    options = {"preprocessing": chain, "image_size": size, "layout": "NHWC"}
    assert np.array_equal(prepared(path, **options, dtype="uint8"), pixels)
    expected = (pixels - np.float32(shift)) / np.float32(scale)
    found = prepared(path, **options)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)
    assert np.array_equal(prepared(path, **options | {"layout": "NCHW"}), expected.transpose(2, 0, 1))


def test_the_range_of_ssd_is_symmetric(tmp_path: Path) -> None:
    for level, value in ((0, -1), (255, 1)):
        path = tmp_path / f"{level}.png"
        cv2.imwrite(str(path), np.full((5, 7, 3), level, np.uint8))
        assert (prepared(path, preprocessing="ssd", image_size=300) == value).all()


@pytest.mark.parametrize("chain", sorted(task.CHAINS))
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
def test_even_a_speck_of_a_picture_is_resized(tmp_path: Path, chain: str, shape: tuple[int, int]) -> None:
    path = tmp_path / "speck.png"
    cv2.imwrite(str(path), np.full((*shape, 3), 200, np.uint8))
    assert np.ptp(prepared(path, preprocessing=chain, image_size=32)) == 0


def test_bad_pictures_and_chains_are_named(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.jpg", 200, 300)
    (tmp_path / "cut.jpg").write_bytes(whole.read_bytes()[:-500])
    for name in ("cut.jpg", "absent.jpg"):
        with pytest.raises(DataError, match=name):
            prepared(tmp_path / name)
    with pytest.raises(UsageError, match="did you mean 'retinanet'"):
        prepared(whole, preprocessing="retinanett")
    with pytest.raises(UsageError, match="fractional pixel values"):
        prepared(whole, dtype="uint8")


def detections(count: int, seed: int = 0) -> list[Array]:
    """A model's outputs: boxes in 0...800, falling scores that begin above 0.05 and end below it, labels."""
    random = np.random.default_rng(seed)
    boxes: Array = random.uniform(0, 800, (count, 4)).astype(np.float32)
    scores: Array = np.sort(random.uniform(0.01, 1, count).astype(np.float32))[::-1]
    labels: Array = random.integers(0, 264, count)
    return [boxes, scores, labels]


def rules_response(index: int, outputs: Sequence[Array], size: int) -> bytes:
    """The rules' response, a number after the other."""
    values: list[float] = []
    for (left, top, right, bottom), score, label in zip(*(output.tolist() for output in outputs), strict=True):
        if score < 0.05:
            break
        values += [index, top / size, left / size, bottom / size, right / size, score, label]
    return struct.pack(f"<{len(values)}f", *values)


@given(st.integers(0, 300), st.integers(0, 10**6), st.integers(0, 24780), st.sampled_from([800, 300, 96]))
def test_a_response_is_that_of_the_rules_byte_for_byte(count: int, seed: int, index: int, size: int) -> None:
    outputs = detections(count, seed)
    responses = task.respond(outputs, [index], task.DetectorOptions(image_size=size))
    assert responses.data.flags.c_contiguous
    assert responses.data.tobytes() == rules_response(index, outputs, size)
    assert responses.sizes == responses.data.nbytes


@given(st.lists(FLOATS, max_size=20))
def test_the_first_low_score_ends_the_response(scores: list[float]) -> None:
    outputs = detections(len(scores))
    outputs[1] = np.array(scores, np.float32)
    responses = task.respond(outputs, [5], SIZE)
    assert responses.data.tobytes() == rules_response(5, outputs, 800)


@pytest.mark.parametrize(("score", "count"), [(0.05, 1), (np.nextafter(np.float32(0.05), np.float32(0)), 0)])
def test_a_score_of_exactly_the_limit_is_answered(score: float, count: int) -> None:
    responses = task.respond([np.ones((1, 4), np.float32), np.array([score], np.float32), np.array([3])], [9], SIZE)
    assert len(responses.data) == count
    assert responses.sizes == 28 * count


@pytest.mark.parametrize(
    "outputs",
    [
        detections(3)[:2],
        [array[None] for array in detections(3)],
        [detections(3)[order] for order in (1, 0, 2)],
        [detections(3)[0], detections(2)[1], detections(3)[2]],
    ],
    ids=["two", "batch axis", "order", "lengths"],
)
def test_outputs_that_are_not_those_of_a_detector_are_refused(outputs: list[Array]) -> None:
    with pytest.raises(RunError, match="boxes, scores and labels"):
        task.respond(outputs, [0], SIZE)


def test_a_batch_is_refused() -> None:
    with pytest.raises(RunError, match="2 samples"):
        task.respond(detections(3), [0, 1], SIZE)


def write_log(path: Path, answers: Iterable[tuple[int, bytes]]) -> Path:
    """A log as LoadGen writes it."""
    records = (
        f'{{ "seq_id" : {seq}, "qsl_idx" : {index}, "data" : "{data.hex().upper()}" }}'
        for seq, (index, data) in enumerate(answers)
    )
    path.write_text("[\n" + ",\n".join(records) + "\n]\n")
    return path


def annotations(folder: Path, truth: Sequence[dict[str, Any]], images: int = 0, classes: int = 264) -> Path:
    """Annotations of images of 640 x 480 whose ids are counted from 1."""
    count = images or max(found["image_id"] for found in truth)
    content = {
        "images": [
            {"id": n, "file_name": f"{n:016x}.jpg", "width": 640, "height": 480, "license": None}
            for n in range(1, count + 1)
        ],
        "annotations": [{"id": number, **found} for number, found in enumerate(truth, 1)],
        "categories": [{"id": number, "name": f"thing {number}"} for number in range(classes)],
    }
    path = folder / task.LABELS
    path.write_text(json.dumps(content))
    return path


def box(image: int, category: int, left: float, top: float, width: float, height: float) -> dict[str, Any]:
    where = {"image_id": image, "category_id": category, "bbox": [left, top, width, height]}
    return {**where, "area": width * height, "iscrowd": 0}


def answer(index: int, *found: tuple[float, float, float, float, float, float]) -> bytes:
    """The response for detections given as left, top, right, bottom in pixels of 640 x 480, score and label."""
    values: list[float] = []
    for left, top, right, bottom, score, label in found:
        values += [index, top / 480, left / 640, bottom / 480, right / 640, score, label]
    return struct.pack(f"<{len(values)}f", *values)


TRUTH = [box(1, 5, 64, 48, 320, 240), box(2, 7, 0, 0, 640, 480)]
RIGHT = (64, 48, 384, 288, 0.9, 5)
WHOLE = (0, 0, 640, 480, 0.8, 7)


def test_the_text_is_that_of_the_rules(tmp_path: Path) -> None:
    labels = annotations(tmp_path, TRUTH, images=4)
    score = task.score(write_log(tmp_path / "log.json", [(0, answer(0, RIGHT)), (1, answer(1, WHOLE))]), labels)
    assert (score.metric, score.good, score.total) == ("mAP", None, 2)
    assert score.value == pytest.approx(100)
    lines = score.text.splitlines()
    assert len(lines) == 13
    assert lines[0] == " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 1.000"
    assert lines[3] == " Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = -1.000"
    assert lines[6] == " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 1.000"
    assert lines[12] == "mAP=100.000%"
    assert score.text.endswith("mAP=100.000%\n")


def test_of_two_answers_the_first_counts(tmp_path: Path) -> None:
    labels = annotations(tmp_path, TRUTH)
    log = write_log(
        tmp_path / "log.json", [(0, answer(0, RIGHT)), (0, b""), (1, b""), (1, answer(1, WHOLE)), (1, b"x")]
    )
    score = task.score(log, labels)
    assert score.value == pytest.approx(50)
    assert score.total == 2


def test_pictures_that_were_not_seen_do_not_count(tmp_path: Path) -> None:
    score = task.score(write_log(tmp_path / "log.json", [(1, answer(1, WHOLE))]), annotations(tmp_path, TRUTH))
    assert score.value == pytest.approx(100)
    assert score.total == 1


def test_a_log_without_any_detection_is_worth_nothing(tmp_path: Path) -> None:
    score = task.score(write_log(tmp_path / "log.json", [(0, b""), (1, b"")]), annotations(tmp_path, TRUTH))
    assert (score.value, score.total) == (0, 2)
    assert "not one object was found" in score.warning
    assert score.text.endswith("\nmAP=0.000%\n")


def test_pictures_without_any_box_have_no_score(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.json", [(2, answer(2, RIGHT))])
    with pytest.raises(DataError, match="none of the 1 answered images"):
        task.score(log, annotations(tmp_path, TRUTH, images=3))


@pytest.mark.parametrize("crowd", [None, 1])
def test_labels_without_a_box_that_counts_are_refused_before_anything_is_measured(
    tmp_path: Path, crowd: int | None
) -> None:
    truth = [] if crowd is None else [{**one, "iscrowd": crowd} for one in TRUTH]
    labels = annotations(tmp_path, truth, images=3)
    found = f"found {len(truth)} boxes, {len(truth)} of them with iscrowd 1"
    with pytest.raises(DataError, match=rf"annotations\.json: none of the 3 images has a box .*{found}"):
        task.samples(labels)
    some = annotations(tmp_path, TRUTH, images=3)
    assert len(task.samples(some)) == 3
    with pytest.raises(DataError, match="none of the 1 images has a box"):
        task.keep(some, [2], tmp_path / "kept.json")


def test_a_detection_that_names_another_sample_counts_for_that_of_its_record(tmp_path: Path) -> None:
    labels = annotations(tmp_path, TRUTH)
    log = write_log(tmp_path / "log.json", [(0, answer(1, RIGHT)), (1, answer(1, WHOLE))])
    score = task.score(log, labels)
    assert score.value == pytest.approx(100)
    warning = score.text.splitlines()[:2]
    assert warning[0].startswith("WARNING: 1 detections name another sample")
    assert warning[1].endswith("sample 0 and names 1")
    assert [match[1] for line in score.text.splitlines() if (match := re.match(r"mAP=([\d.]+)", line))] == ["100.000"]


def test_a_box_that_leaves_its_picture_is_scored_as_it_stands(tmp_path: Path) -> None:
    labels = annotations(tmp_path, TRUTH)
    log = write_log(tmp_path / "log.json", [(1, answer(1, (-640, 0, 640, 480, 0.9, 7)))])
    figures = task.score(log, labels).text.splitlines()
    assert figures[1].endswith("1.000")  # half of it is the object: an IoU of 0.5 exactly
    assert figures[2].endswith("0.000")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\0" * 27, "27 bytes"),
        (b"\0" * 4, "4 bytes"),
        (answer(0, RIGHT)[:-1], "27 bytes"),
        (answer(0, RIGHT) + b"\0" * 4, "32 bytes"),
        (answer(0, (*RIGHT[:4], float("nan"), 5)), "not finite"),
        (answer(0, (float("inf"), *RIGHT[1:])), "not finite"),
        (answer(0, (*RIGHT[:5], 264)), "category 264"),
        (answer(0, (*RIGHT[:5], -1)), "category -1"),
        (answer(0, (*RIGHT[:5], 1e30)), "category"),
    ],
)
def test_a_bad_answer_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    log = write_log(tmp_path / "log.json", [(1, answer(1, WHOLE)), (0, data)])
    with pytest.raises(DataError, match=rf"log\.json: the answer for sample 0 .*{said}"):
        task.score(log, annotations(tmp_path, TRUTH))


@pytest.mark.parametrize("index", [2, -1, 2**40])
def test_a_sample_without_an_image_is_named(tmp_path: Path, index: int) -> None:
    log = write_log(tmp_path / "log.json", [(0, answer(0, RIGHT)), (index, b"")])
    with pytest.raises(DataError, match=f"sample {index} has no image"):
        task.score(log, annotations(tmp_path, TRUTH))


@pytest.mark.parametrize("text", ["", "[\n]\n", "[\n{broken\n]\n", "[\n"])
def test_a_malformed_log_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.json").write_text(text)
    with pytest.raises(DataError, match=r"log\.json"):
        task.score(tmp_path / "log.json", annotations(tmp_path, TRUTH))


@pytest.mark.slow
def test_the_score_of_a_log_is_that_of_pycocotools(tmp_path: Path) -> None:
    truth, found = generated(60, 36, 12)
    labels = annotations(tmp_path, truth, images=61)
    answers, expected = [], []
    for image in range(60, 0, -1):
        there = [one for one in found if one["image_id"] == image]
        there.sort(key=lambda one: -one["score"])
        rows = np.array([[one["bbox"][0], one["bbox"][1], *one["bbox"][2:]] for one in there])
        rows[:, 2:] += rows[:, :2]
        outputs = [
            (rows / [640, 480, 640, 480] * 800).astype(np.float32),
            np.array([one["score"] for one in there], np.float32),
            np.array([one["category_id"] for one in there]),
        ]
        data = task.respond(outputs, [image - 1], SIZE).data
        answers.append((image - 1, data.tobytes()))
        for _, top, left, bottom, right, score, label in data.tolist():
            sides = [(right * 640) - (left * 640), (bottom * 480) - (top * 480)]
            where = {"image_id": image, "category_id": int(label)}
            expected.append({**where, "bbox": [left * 640, top * 480, *sides], "score": score})
    score = task.score(write_log(tmp_path / "log.json", answers), labels)
    figures, lines = reference(truth, expected)
    assert 10 < score.value < 90
    assert score.value == pytest.approx(100 * figures[0], abs=1e-6)
    assert score.text.splitlines() == [*lines, f"mAP={100 * figures[0]:.3f}%"]


def test_samples_are_the_images_and_keep_keeps_some(tmp_path: Path) -> None:
    labels = annotations(tmp_path, TRUTH, images=3)
    names = [f"{n:016x}.jpg" for n in (1, 2, 3)]
    assert task.samples(labels) == [Sample(name, (640, 480)) for name in names]
    task.keep(labels, [2, 1], tmp_path / "kept.json")
    assert [sample.name for sample in task.samples(tmp_path / "kept.json")] == [names[2], names[1]]
    log = write_log(tmp_path / "log.json", [(0, b""), (1, answer(1, WHOLE))])
    assert task.score(log, tmp_path / "kept.json").value == pytest.approx(100)
