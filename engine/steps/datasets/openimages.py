"""OpenImages as the rules use it: annotations, validation images and calibration images, downloaded or local.

The images are public, one file each, without published checksums. An image counts as fetched when it matches the
server's size and MD5 and the width and height in the annotations.
"""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from engine import codec
from engine.errors import DataError
from engine.facts import DataFacts
from engine.step import Artifact, Options, Step, SurveyContext, SurveyResult
from engine.store.files import disk_errors
from engine.tasks.labelled import found_instead
from engine.tasks.listing import listing, readable, stamp
from engine.text import clean, size

if TYPE_CHECKING:  # it imports requests: a survey fetches nothing, and a plan must be instant
    from engine.fetch.many import Lost

IMAGES = "validation/data"
LABELS = "annotations/openimages-mlperf.json"
LAYOUT = f"a folder with {IMAGES} (the JPEGs) and {LABELS}"

COUNT = 24_781
"""Number of images that the rules' annotations name, out of the 41,620 of the validation split."""
IMAGE_BYTES = 290_000
"""Average size of an image in bytes: the whole split is about 12 GB."""
USUAL_RATE = 40.0
"""Images per second assumed for the estimate in the plan: a line of about 100 Mbit/s."""

CALIBRATION_IMAGES = "train/data"
CALIBRATION_LIST = "pictures.txt"
"""Name of the list that engine.steps.models.calibration reads."""
RULES_LIST = "5c3196ddcec4605c6a9fcf004d9615e6"
"""MD5 of calibration/openimages/openimages_cal_images_list.txt of the rules (v2.1)."""

WARNINGS = 20
"""Maximum number of failed images that are reported one by one."""
REPORT_SECONDS = 0.25
"""Interval between two progress reports in seconds."""
EXIF_ORIENTATION = 0x0112
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
"""JPEG markers. A file whose tail a power failure left as zeros may decode, but has no end marker after its last
scan."""


class _Image(msgspec.Struct, frozen=True):
    file_name: str
    width: int
    height: int


class _Annotations(msgspec.Struct, frozen=True):
    """The fields of a COCO detection file that are needed to fetch its images."""

    images: list[_Image]
    annotations: list[msgspec.Raw]


class _OfImage(msgspec.Struct, frozen=True):
    image_id: int


class ValidationOptions(Options, frozen=True, kw_only=True):
    """Validation images: those of a local folder, or how many to download."""

    path: str | None
    count: int | None


class FetchOptions(Options, frozen=True, kw_only=True):
    """Where the images are, and how many to download."""

    url: tuple[str, ...]
    """URL patterns with `{name}`, tried in order."""
    count: int | None
    """Only the first `count` images; the annotations are restricted to them."""


class CalibrationOptions(Options, frozen=True, kw_only=True):
    """Where the images of a calibration list are, and which list it is."""

    pictures: tuple[str, ...]
    """URL patterns with `{name}`, tried in order."""
    md5: str | None


def survey(context: SurveyContext) -> SurveyResult:
    """Survey the user's folder; without one, estimate what is to be downloaded."""
    options = context.read_options(ValidationOptions)
    given, count = options.path, options.count
    if given and count:
        return SurveyResult("conflict", text="count is for images that are fetched", remedy="leave it out, or the path")
    if given:
        return _survey_folder(Path(given).expanduser().absolute())
    annotations = context.inputs["annotations"]
    whole = (annotations.read(DataFacts).count if annotations is not None else None) or COUNT
    pictures = min(count or whole, whole)
    return SurveyResult(
        "run",
        text=f"{pictures:,} images; size estimated, {size(IMAGE_BYTES)} each",
        fetch_bytes=pictures * IMAGE_BYTES,
        disk_bytes=pictures * IMAGE_BYTES,
        seconds=pictures / USUAL_RATE if count else None,
        expected_facts={"count": pictures},
    )


def _survey_folder(folder: Path) -> SurveyResult:
    remedy = f"--env.OPENIMAGES_PATH=DIR, {LAYOUT}; without it the images are fetched"
    with readable(folder):
        there = folder.is_dir()
        absent = [name for name in (IMAGES, LABELS) if not (folder / name).exists()]
    if not there:
        return SurveyResult("missing", text=f"there is no folder {clean(str(folder))}", remedy=remedy)
    if absent:
        what = f": {found_instead(listing(folder))[0]}" if IMAGES in absent else ""
        return SurveyResult(
            "missing", text=f"{clean(str(folder))} has no {' and no '.join(absent)}{what}", remedy=remedy
        )
    here = listing(folder / IMAGES)
    if not here.images:
        return SurveyResult("missing", text=f"{clean(str(here.folder))}: {found_instead(here)[0]}", remedy=remedy)
    with readable(folder / LABELS):
        labels = stamp((folder / LABELS).stat())
    return SurveyResult(
        "found",
        Artifact(str(folder), {"images": IMAGES, "labels": LABELS}),
        identity=f"{folder} {here.identity} {labels}",
        text=f"{len(here.images):,} images in {clean(str(folder))}",
    )


def fetch_annotations(step: Step) -> dict[str, Any]:
    """Download the archive of annotations and extract its one COCO file. Options: those of `download`.

    Facts: `labels`, `count` of its images. Raises DataError where the archive holds no such file or several.
    """
    from engine.fetch.archive import unpack  # noqa: PLC0415
    from engine.steps.download import download, reporter  # noqa: PLC0415  (a plan must be instant)

    archive = step.output / download(step)["file"]
    with disk_errors(step.output), TemporaryDirectory(prefix=".unpacked-", dir=step.output) as place:
        step.phase("unpacking")
        names = unpack(archive, Path(place), reporter(step), _may_be_labels)
        if len(names) != 1:
            listed = ", ".join(names) or "none"
            raise DataError(f"{archive.name} should hold one JSON file, and holds {listed}", "check the URL")
        count = len(_read(Path(place) / names[0]).images)
        (step.output / LABELS).parent.mkdir(exist_ok=True)
        (Path(place) / names[0]).replace(step.output / LABELS)
        archive.unlink()
    return {"labels": LABELS, "count": count}


def _may_be_labels(name: str) -> bool:
    """Return whether an archive member may be the file: macOS adds metadata files that begin with a dot."""
    return name.endswith(".json") and not name.rpartition("/")[2].startswith(".")


def fetch_images(step: Step) -> dict[str, Any]:
    """Download the images that the need `annotations` names, in its order, and write the annotations next to them.

    Facts: `images`, `labels`, `count`, `bytes`. Raises FetchError after all that can be had is there, DataError for
    annotations that cannot be read or name no plain files.
    """
    options = step.read_options(FetchOptions)
    annotations = step.inputs["annotations"]
    source = annotations.folder / str(annotations.read(DataFacts).labels)
    wanted = _read(source).images[: options.count]
    sizes = {one.file_name: (one.width, one.height) for one in wanted}
    with disk_errors(step.output):
        (step.output / LABELS).parent.mkdir(parents=True, exist_ok=True)
        _write_labels(source, options.count, step.output / LABELS)
    names = [one.file_name for one in wanted]
    fetched = _fetch(step, names, str(source), options.url, IMAGES, lambda name: sizes[name])
    return {"images": IMAGES, "labels": LABELS, "count": len(names), "bytes": fetched}


def fetch_calibration(step: Step) -> dict[str, Any]:
    """Download a list of training images, and those images.

    Options: `CalibrationOptions`, and those of `download` for the list. Facts: those that
    engine.steps.models.calibration states of calibration images.
    """
    from engine.steps.download import download  # noqa: PLC0415  (a plan must be instant)

    options = step.read_options(CalibrationOptions)
    fetched = step.output / download(step)["file"]
    try:
        names = [line.split()[0] for line in fetched.read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise DataError(f"{fetched} is not a list of images", "check the URL") from None
    _fetch(step, names, fetched.name, options.pictures, CALIBRATION_IMAGES, lambda _: None)
    with disk_errors(step.output):
        (step.output / CALIBRATION_LIST).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    by_rules = options.md5 == RULES_LIST
    what = "images of the rules' calibration list" if by_rules else f"images of {fetched.name}"
    return {
        "images": CALIBRATION_IMAGES,
        "what": f"{what} (OpenImages train)",
        "by_rules": by_rules,
        "count": len(names),
    }


def _read(file: Path) -> _Annotations:
    try:
        return codec.decode(file.read_bytes(), type=_Annotations)
    except msgspec.DecodeError as error:
        raise DataError(f"{file} is not a COCO detection file: {error}", "take the file as it was published") from None


def _write_labels(source: Path, count: int | None, target: Path) -> None:
    """Copy the annotations, restricted to the first `count` images: later steps take an image without a file for
    missing."""
    if count is None:
        shutil.copyfile(source, target)
        return
    whole = codec.decode(source.read_bytes(), type=dict[str, msgspec.Raw])
    images = codec.decode(whole["images"], type=list[dict[str, Any]])[:count]
    kept = {image["id"] for image in images}
    annotations = codec.decode(whole["annotations"], type=list[msgspec.Raw])
    mine = [one for one in annotations if codec.decode(one, type=_OfImage).image_id in kept]
    target.write_bytes(codec.encode({**whole, "images": images, "annotations": mine}))


Stated = Callable[[str], tuple[int, int] | None]
"""Maps an image's name to width and height according to the annotations; None where they do not say."""


def _fetch(
    step: Step, names: Sequence[str], named_by: str, patterns: Sequence[str], inside: str, stated: Stated
) -> int:
    """Download images into a folder of the output; returns their total size in bytes."""
    from engine.fetch.many import Order, fetch_many  # noqa: PLC0415  (a plan must be instant)

    order = Order(names, named_by, list(patterns), lambda name, data: _complaint(data, stated(name)))
    step.phase("fetching")
    _take_over(step, names, inside)
    warned = 0
    last = 0.0

    def progress(done: int, came: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= REPORT_SECONDS or done == len(names):
            last = now
            step.progress(done, len(names), f"images ({size(came)})")

    def lost(one: Lost) -> None:
        nonlocal warned
        warned += 1
        if warned <= WARNINGS:
            step.warn(f"{one.name}: {one.why}")

    return fetch_many(order, step.output / inside, progress=progress, lost=lost)


def _take_over(step: Step, names: Sequence[str], inside: str) -> None:
    """Reuse files of earlier artifacts of this component, such as one with fewer images or made by older code.

    They are verified like the files of an interrupted attempt.
    """
    from engine.store.store import Store  # noqa: PLC0415

    if not step.store.name:
        return
    store, folder = Store(step.store), step.output / inside
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for entry in store.names():
            if not entry.startswith(f"{step.id.partition('#')[0]}-"):
                continue
            for name in names:
                source = store.content(entry) / inside / name
                if source.is_file() and not (folder / name).exists():
                    _link(source, folder / name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _complaint(data: bytes, stated: tuple[int, int] | None) -> str:
    """Return why a file is not the expected image; empty where it is.

    A rotated image (EXIF) may have width and height swapped.
    """
    import cv2  # noqa: PLC0415  (heavy, and only a running step needs it)
    import numpy as np  # noqa: PLC0415
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as header:
            width, height = header.size
            ends = header.format != "JPEG" or data.rfind(_END) > data.rfind(_SCAN)
            turned = header.getexif().get(EXIF_ORIENTATION, 1) >= 5
    except UnidentifiedImageError:
        return "it is not an image"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"it cannot be read: {error}"
    sides = {(width, height), (height, width)} if turned else {(width, height)}
    if stated is not None and stated not in sides:
        return "it is {} x {}, the annotations say {} x {}".format(width, height, *stated)
    # All of the data are read at an eighth of the size too, in a quarter of the time.
    if not ends or cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_8) is None:
        return "it is damaged: it cannot be decoded to its end"
    return ""
