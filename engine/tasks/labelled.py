"""Match a label file's images with the files of a folder, and explain missing ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DataError
from engine.store.files import digest
from engine.tasks.listing import Listing, listing, readable, shown, stamp
from engine.text import clean

if TYPE_CHECKING:  # numpy is imported later: a plan must be instant
    from engine.tasks.image_task import Sample

_CLASS_FOLDER = re.compile(r"n\d{8}")
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
OPENCV_NO_MEMORY = -4
"""cv2.error's code of a failed allocation."""
_LOOKED_INTO = 20
"""Maximum subfolders searched if a folder has no images."""


@dataclass(frozen=True)
class Labelled:
    """The images of a label file, by whether they exist."""

    folder: Path
    samples: tuple[Sample, ...]
    """Those with a file, in label order, which is that of the QSL."""
    indices: tuple[int, ...]
    """Their indices among the labels."""
    named: int
    """How many images the labels name."""
    missing: tuple[str, ...]
    bad: dict[str, str]
    """Those that exist but are not regular files: name → what they are."""
    identity: str
    """Over the names and the state of the files that are read."""
    labels: str
    """State of the label file."""

    def warning(self) -> str:
        """Return a warning about missing images; empty if there are none."""
        said = []
        if self.missing:
            what = f"{len(self.missing):,} of {self.named:,} labelled images are not in"
            said.append(f"{what} {clean(str(self.folder))}: {shown(self.missing)}")
        if self.bad:
            said.append(f"{len(self.bad)} labelled images are no files: {shown(_with_reasons(self.bad))}")
        return "; ".join(said)


def labelled(task: str, folder: Path, labels: Path, count: int | None) -> Labelled:
    """Match a label file's images with files, only the first `count` existing ones.

    Raises DataError if none exists, and for unreadable labels or folders.
    """
    with readable(labels):
        named = _read(task, labels, stamp(labels.stat()))
    return _compared(folder, named, tuple(_inside(folder, name) for name in named.folders), count)


@dataclass(frozen=True, eq=False)
class _Named:
    """The images that a label file names. Compared by object identity, as listings are: equal ones need no
    comparing."""

    samples: tuple[Sample, ...]
    state: str
    folders: tuple[str, ...]
    """Subfolders that the names begin with; empty for the folder itself."""


@lru_cache(maxsize=4)
def _read(task: str, labels: Path, state: str) -> _Named:
    """Read labels, cached for as long as their file is unchanged."""
    module: Any = import_module(task)
    samples = tuple(module.samples(labels))
    return _Named(samples, state, tuple({sample.name.rpartition("/")[0]: None for sample in samples}))


def _inside(folder: Path, name: str) -> Listing | None:
    """List a subfolder; None if it does not exist."""
    with readable(folder):
        there = not name or (folder / name).is_dir()
    return listing(folder / name) if there else None


@lru_cache(maxsize=4)
def _compared(folder: Path, named: _Named, listings: tuple[Listing | None, ...], count: int | None) -> Labelled:
    here = dict(zip(named.folders, listings, strict=True))
    bad: dict[int, str] = {}
    stamps: list[str] = []
    missing: list[str] = []
    kept: list[int] = []
    for index, sample in enumerate(named.samples):
        inside, _, name = sample.name.rpartition("/")
        seen = here[inside]
        if seen is not None and name in seen.files:
            stamps.append(seen.files[name])
            kept.append(index)
        elif seen is not None and (why := seen.odd(name)):
            bad[index] = why
        else:
            missing.append(sample.name)
    if not kept:
        raise _none(listing(folder), [sample.name for sample in named.samples])
    kept, stamps = kept[:count], stamps[:count]
    wanted = tuple(named.samples[index] for index in kept)
    return Labelled(
        folder=folder,
        samples=wanted,
        indices=tuple(kept),
        named=len(named.samples),
        missing=tuple(missing),
        bad={named.samples[index].name: why for index, why in bad.items() if count is None or index < kept[-1]},
        identity=digest("\n".join([str(folder), *stamps, *(sample.name for sample in wanted)])),
        labels=named.state,
    )


@contextmanager
def collecting(bad: dict[str, str], file: Path, name: str) -> Iterator[None]:
    """Record by name why an image is unusable if the block fails, so that all are reported at once."""
    import cv2  # noqa: PLC0415  (heavy, and only a running step needs it)

    try:
        yield
    except (DataError, MemoryError, cv2.error) as error:
        if isinstance(error, MemoryError) or getattr(error, "code", None) == OPENCV_NO_MEMORY:
            text = f"the memory ran out over it: {error}"
        else:
            text = error.what if isinstance(error, DataError) else f"OpenCV: {error}"
        bad[name] = " ".join(text.removeprefix(f"{file}: ").split()).rstrip(": ")


def refuse_bad(bad: dict[str, str], folder: Path, named: int) -> None:
    """Raise DataError that names unusable images, the first few with the reason."""
    if bad:
        raise DataError(
            f"{len(bad):,} of {named:,} images in {clean(str(folder))} cannot be used: "
            f"{shown(_with_reasons(bad), limit=20, between='; ')}",
            "fetch or copy these images again, or take their lines out of the labels",
        )


def _with_reasons(bad: dict[str, str]) -> list[str]:
    return [f"{name} ({why})" for name, why in sorted(bad.items())]


def _none(here: Listing, names: list[str]) -> DataError:
    what, remedy = found_instead(here)
    return DataError(
        f"{clean(str(here.folder))} holds none of the {len(names):,} images that the labels name "
        f"({shown(names, limit=2)}): {what}",
        remedy,
    )


def found_instead(here: Listing) -> tuple[str, str]:
    """Return what a folder without the named images contains, and the remedy."""
    if images := here.images:
        return (
            f"it holds {len(images):,} images, such as {shown(images, limit=2)}",
            "write the names into the labels exactly as the files have them, endings and upper case too",
        )
    if inner := _with_images(here):
        return f"it holds no images, its folder {clean(inner.name)} does", f"give {clean(str(inner))}"
    if classes := [name for name in here.folders if _CLASS_FOLDER.fullmatch(name)]:
        return (
            f"it holds {len(classes):,} folders of classes ({shown(classes)})",
            f"move their images into one folder, or write `{classes[0]}/NAME LABEL` into val_map.txt there",
        )
    if archives := sorted(name for name in here.files if name.lower().endswith(_ARCHIVES)):
        return f"it holds the archive {shown(archives)}, not unpacked", "unpack it there (tar -xf, unzip)"
    names = sorted([*here.files, *here.others, *(f"{name}/" for name in here.folders)])
    return (f"it holds {shown(names)}" if names else "it is empty"), "give the folder that the image files are in"


def _with_images(here: Listing) -> Path | None:
    """Return a subfolder that contains images itself, other than folders of classes."""
    for name in [one for one in here.folders if not _CLASS_FOLDER.fullmatch(one)][:_LOOKED_INTO]:
        try:
            if listing(here.folder / name).images:
                return here.folder / name
        except DataError:
            continue
    return None
