"""Find ImageNet and its labels on this machine, without writing anything into the person's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.steps.base import Artifact, Look, Sight, Step

VAL_MAP = "val_map.txt"
LAYOUT = "a folder with the validation JPEGs and, if you have it, val_map.txt (a name and a label a line)"


def survey_folder(look: Look) -> Sight:
    """Look at the folder that the person named. Whether each of its pictures is there shows when they are read."""
    given = look.options["path"]
    if not given:
        return Sight(
            "missing",
            text="ImageNet can't be fetched freely: its place must be given",
            remedy=f"--env.IMAGENET_PATH=DIR, {LAYOUT}",
        )
    folder = Path(given).expanduser().absolute()
    if not folder.is_dir():
        return Sight("missing", text=f"there is no folder {folder}", remedy=f"--env.IMAGENET_PATH=DIR, {LAYOUT}")
    val_map = folder / VAL_MAP
    has_map = val_map.is_file()
    seen = (val_map if has_map else folder).stat()
    facts = {"images": "", **({"labels": VAL_MAP} if has_map else {})}
    return Sight("found", Artifact(str(folder), facts), identity=f"{folder} {seen.st_size} {seen.st_mtime_ns}")


def survey_labels(look: Look) -> Sight:
    """Take the labels that lie beside the pictures; otherwise the published list must be fetched."""
    dataset = look.inputs["dataset"]
    if dataset is None or "labels" not in dataset.facts:
        return Sight("run")
    place = dataset.folder / dataset.facts["labels"]
    seen = place.stat()
    return Sight("found", dataset, identity=f"{place} {seen.st_size} {seen.st_mtime_ns}", text="beside the pictures")


def fetch_pictures(step: Step) -> dict[str, Any]:
    """Fetch and unpack an archive of pictures. Raises DataError if it holds none."""
    from engine.steps.download import download  # noqa: PLC0415  (a survey fetches nothing, and a plan must be instant)

    facts = download(step)
    first = next(step.output.rglob("*.JPEG"), None)
    if first is None:
        raise DataError(f"{facts['file']} holds no pictures", "check the URL: it may be another archive")
    return {**facts, "images": first.parent.relative_to(step.output).as_posix()}


def fetch_labels(step: Step) -> dict[str, Any]:
    """Fetch and unpack the published labels. Option `val_map` names the list in the archive."""
    from engine.steps.download import download  # noqa: PLC0415  (a survey fetches nothing, and a plan must be instant)

    facts = download(step)
    if not (step.output / step.options["val_map"]).is_file():
        raise DataError(
            f"{facts['file']} holds no {step.options['val_map']}", "check the URL: it may be another archive"
        )
    return {**facts, "labels": step.options["val_map"]}
