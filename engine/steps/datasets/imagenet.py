"""Find ImageNet and its labels on this machine, without writing to the user's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.facts import DataFacts
from engine.step import Artifact, Options, Step, SurveyContext, SurveyResult
from engine.tasks.labelled import found_instead
from engine.tasks.listing import listing, readable, stamp
from engine.text import clean

VAL_MAPS = ("val_map.txt", "val.txt")
"""File names of labels, in the order in which they are tried."""
VAL_MAP = VAL_MAPS[0]
LAYOUT = "a folder with the validation JPEGs and, if you have it, val_map.txt (a name and a label a line)"


class ImageFolderOptions(Options, frozen=True, kw_only=True):
    """The user's ImageNet folder."""

    path: str | None


class LabelsOptions(Options, frozen=True, kw_only=True):
    """Which archive member has the labels."""

    val_map: str


def survey_folder(context: SurveyContext) -> SurveyResult:
    """Survey the user's folder: whether it holds images, and which labels are next to them."""
    given = context.read_options(ImageFolderOptions).path
    if not given:
        return SurveyResult(
            "missing",
            text="ImageNet can't be downloaded freely: give its folder",
            remedy=f"--env.IMAGENET_PATH=DIR, {LAYOUT}",
        )
    folder = Path(given).expanduser().absolute()
    with readable(folder):
        there = folder.is_dir()
    if not there:
        text = f"there is no folder {clean(str(folder))}"
        return SurveyResult("missing", text=text, remedy=f"--env.IMAGENET_PATH=DIR, {LAYOUT}")
    here = listing(folder)
    labels = next((name for name in VAL_MAPS if name in here.files or here.odd(name)), None)
    if labels is not None and labels not in here.files:
        text = f"{clean(str(folder / labels))} is {here.odd(labels)}, not a file of labels"
        return SurveyResult("missing", text=text, remedy="put the file itself in its place, or take it away")
    if not here.images and labels is None:
        what, remedy = found_instead(here)
        return SurveyResult(
            "missing", text=f"{clean(str(folder))}: {what}", remedy=f"--env.IMAGENET_PATH=DIR: {remedy}"
        )
    facts = {"images": "", **({"labels": labels} if labels else {})}
    state = here.files[labels] if labels else ""
    return SurveyResult(
        "found",
        Artifact(str(folder), facts),
        identity=f"{folder} {here.identity} {state}".rstrip(),
        text=f"{len(here.images):,} images in {clean(str(folder))}",
    )


def survey_labels(context: SurveyContext) -> SurveyResult:
    """Use the labels next to the images; without any, the published list is downloaded."""
    dataset = context.inputs["dataset"]
    if dataset is None or dataset.folder.is_relative_to(context.store):
        return SurveyResult("run")
    labels = dataset.read(DataFacts).labels
    if labels is None:
        return SurveyResult(
            "run",
            text=f"no {' or '.join(VAL_MAPS)} in {clean(dataset.path)}: the published list is fetched",
            remedy=f"put {VAL_MAP} next to the images: `NAME LABEL` per line, labels from 0",
        )
    place = dataset.folder / labels
    with readable(place):
        identity = f"{place} {stamp(place.stat())}"
    return SurveyResult("found", dataset, identity=identity, text=f"{place.name} next to the images")


def fetch_images(step: Step) -> dict[str, Any]:
    """Download and unpack an archive of images. Raises DataError if it holds none."""
    from engine.steps.download import download  # noqa: PLC0415  (a survey fetches nothing, and a plan must be instant)

    facts = download(step)
    first = next(step.output.rglob("*.JPEG"), None)
    if first is None:
        raise DataError(f"{facts['file']} holds no images", "check the URL: it may be another archive")
    count = sum(1 for _ in first.parent.glob("*.JPEG"))
    return {**facts, "images": first.parent.relative_to(step.output).as_posix(), "count": count}


def fetch_labels(step: Step) -> dict[str, Any]:
    """Download and unpack the published labels. Option `val_map` names the list in the archive."""
    from engine.steps.download import download  # noqa: PLC0415  (a survey fetches nothing, and a plan must be instant)

    facts, val_map = download(step), step.read_options(LabelsOptions).val_map
    if not (step.output / val_map).is_file():
        raise DataError(f"{facts['file']} holds no {val_map}", "check the URL: it may be another archive")
    return {**facts, "labels": val_map}
