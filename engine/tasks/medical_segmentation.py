"""Kidney tumour segmentation on KiTS19: scans → classes of voxels → accuracy log → Dice scores.

A sample is a volume, float32 [D,H,W]; its response is the class of each voxel, uint8, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import fmean
from typing import Any
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.lib.format import open_memmap

from engine import codec
from engine.errors import DataError, ProfileError
from engine.facts import DataFacts
from engine.mlperf_logs import accuracy_log as accuracy
from engine.step import Artifact, Step
from engine.store.files import disk_errors
from engine.system import usable_cores
from engine.tasks import kits_files
from engine.tasks.base import Array, CalibrationSet, Samples, Score
from engine.tasks.dice import dice
from engine.tasks.listing import shown
from engine.tasks.picture import Panel, Picture, Shown, visible
from engine.tasks.programs import OpenGraphs
from engine.tasks.volumes import How, Scan, prepared
from engine.tasks.window_calibration import middle_windows
from engine.tasks.window_program import VolumeOptions, Windows, windows_of
from engine.text import clean

OPTIONS = VolumeOptions

LABELS = "cases.json"
VOXELS = "voxels.npy"
TRUTH = "truth.npy"
OFFSETS = "offsets.npy"
SHAPES = "shapes.npy"

POOR = 0.1
"""Mean Dice; the rules' model reaches 0.8617, and one that finds nothing about 0."""

_MEASURED = "score with the sample set that was measured"


class Case(msgspec.Struct, frozen=True):
    """A case of a sample set."""

    name: str
    shape: tuple[int, int, int]
    affine: list[list[float]]
    """[4][4], from voxels of the prepared volume to mm, but for what was padded and cropped."""


class Truth(msgspec.Struct, frozen=True):
    """What a sample set is scored against; the labels of its voxels are in TRUTH beside it."""

    classes: tuple[str, ...]
    """Names of the classes 1, 2, ..."""
    cases: tuple[Case, ...]


def prepare(step: Step) -> dict[str, Any]:
    """Write the volumes of the need `dataset` and their labels, in the order of its cases.

    One ragged tensor, float32 [D,H,W]; options: `count` (the first so many), and those of `How`. At most one case for
    each core is in memory; an interrupted attempt goes on with the cases that it lacks. Facts: `arrays`, `count`,
    `labels`, `text`. Raises DataError that names every case which cannot be prepared.
    """
    dataset = step.inputs["dataset"]
    root = dataset.folder / dataset.read(DataFacts).images
    names = kits_files.cases_of(dataset)[: step.read_options(kits_files.KitsCountOptions).count]
    return write(step, root, names)


def write(step: Step, root: Path, names: Sequence[str]) -> dict[str, Any]:
    """Write cases of a folder as a sample set, by the options of `How`. Facts and errors: as `prepare`."""
    how = how_of(step.options)
    with disk_errors(step.output):
        kept = step.output / "scans"
        kept.mkdir(exist_ok=True)
        _prepare_all(step, names, lambda name: _keep(root, name, how, kept / f"{name}.npz"))
        cases = _gather(step, [kept / f"{name}.npz" for name in names])
        kept.rmdir()
        write_truth(step.output, Truth(how.classes, cases))
    voxels = sum(np.prod(case.shape) for case in cases)
    arrays = [{"values": VOXELS, "offsets": OFFSETS, "shapes": SHAPES}]
    text = f"{len(names)} volumes, {voxels / 1e6:.1f} million voxels"
    return {"arrays": arrays, "count": len(names), "labels": LABELS, "text": text}


def how_of(options: Mapping[str, Any]) -> How:
    """Return the options of a component that `How` has; three numbers are a text, separated by blanks.

    Raises ProfileError where one is of another kind.
    """
    given = {name: options[name] for name in How.__struct_fields__ if name in options}
    split = {name: given[name].split() for name in ("spacing", "fit") if given.get(name)}
    try:
        return msgspec.convert({**given, **split}, How, strict=False)
    except msgspec.ValidationError as error:
        raise ProfileError(f"how scans are prepared: {error}", "see engine/tasks/volumes.py") from None


def _prepare_all(step: Step, names: Sequence[str], one: Callable[[str], None]) -> None:
    """Prepare cases on all cores. Raises DataError that names every case which cannot be."""
    bad: dict[str, DataError] = {}

    def tried(name: str) -> None:
        try:
            one(name)
        except DataError as error:
            bad[name] = error
        except MemoryError:
            bad[name] = DataError(f"{name} does not fit into memory", "free some, or run it on fewer cores (taskset)")

    step.progress(0, len(names), "volumes")
    with ThreadPoolExecutor(usable_cores()) as pool:
        for done, _ in enumerate(pool.map(tried, names), start=1):
            step.progress(done, len(names), "volumes")
    if len(bad) == 1:
        raise next(iter(bad.values()))
    if bad:
        listed = shown([f"{name}: {bad[name].what}" for name in names if name in bad], limit=20, between="; ")
        raise DataError(f"{len(bad)} of {len(names)} cases cannot be prepared: {listed}", "fetch or copy them again")


def _keep(root: Path, name: str, how: How, target: Path) -> None:
    """Prepare a case and write it to a file, unless that is there."""
    if target.exists():
        return
    folder = kits_files.case_folder(root, name)
    if folder is None:
        raise DataError(f"{clean(str(root))} has no {clean(name)}", f"give {kits_files.LAYOUT}")
    scan = prepared(folder, how)
    partial = target.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(file, **scan._asdict())
    partial.replace(target)


def _gather(step: Step, files: Sequence[Path]) -> tuple[Case, ...]:
    """Make one array of the cases' files, one after another, which are removed. Returns the cases."""
    step.phase("gathering")
    shapes = np.array([_shape(file) for file in files], np.int64)
    offsets = np.concatenate(([0], np.cumsum(shapes.prod(axis=1))))
    np.save(step.output / OFFSETS, offsets)
    np.save(step.output / SHAPES, shapes)
    voxels = open_memmap(step.output / VOXELS, mode="w+", dtype=np.float32, shape=(int(offsets[-1]),))
    truth = open_memmap(step.output / TRUTH, mode="w+", dtype=np.uint8, shape=(int(offsets[-1]),))
    cases = []
    for number, file in enumerate(files):
        scan = _read(file)
        rows = slice(offsets[number], offsets[number + 1])
        voxels[rows], truth[rows] = scan.image.ravel(), scan.label.ravel()
        depth, height, width = scan.image.shape
        cases.append(Case(file.stem, (depth, height, width), scan.affine.tolist()))
    voxels.flush()
    truth.flush()
    for file in files:
        file.unlink()
    return tuple(cases)


def _shape(file: Path) -> tuple[int, ...]:
    with np.load(file) as kept:
        shape: tuple[int, ...] = kept["label"].shape
    return shape


def _read(file: Path) -> Scan:
    with np.load(file) as kept:
        return Scan(kept["image"], kept["label"], kept["affine"])


def shared_program(opens: Sequence[OpenGraphs], samples: Samples, model: VolumeOptions) -> Windows:
    """Return the program of all sessions. Raises DataError where graphs or samples are not those of volumes."""
    return Windows(opens, samples, model)


def cost(samples: Samples, model: VolumeOptions) -> Array:
    """Return what each sample costs, int64 [N]: windows."""
    return windows_of(samples, model)


def calibration(chosen: Artifact, options: Mapping[str, Any]) -> CalibrationSet:
    """Return a window of each calibration volume. Errors: as engine.tasks.window_calibration."""
    return middle_windows(chosen)


def score(log: Path, labels: Path) -> Score:
    """Return the mean Dice score over the cases that a log answers, as the rules' accuracy_kits.py prints it.

    Before that line the text has the scores of each case. Where a case was answered twice, as in a log of TEST01, its
    first answer counts; the rules' script takes a log of all cases for granted. Raises DataError for malformed logs and
    labels, and a response that is not one class for each voxel.
    """
    truth, masks = read_truth(labels)
    found: dict[int, list[float]] = {}
    for record in accuracy.records(log):
        if not 0 <= record.qsl_idx < len(truth.cases):
            what = f"{log}: sample {record.qsl_idx} is no case of {labels}, which has {len(truth.cases)}"
            raise DataError(what, _MEASURED)
        if record.qsl_idx not in found:
            answer = np.frombuffer(record.data, np.uint8)
            found[record.qsl_idx] = _dice(answer, masks[record.qsl_idx], truth, record.qsl_idx, log)
    if not found:
        raise DataError(f"{log}: no case was answered", "run in accuracy mode again")
    means = [fmean(scores[number] for scores in found.values()) for number in range(len(truth.classes))]
    value = fmean(map(fmean, found.values()))
    lines = [_line(truth.cases[index].name, scores, truth.classes) for index, scores in sorted(found.items())]
    return Score(
        text="".join([*lines, _line("Accuracy", means, truth.classes, value)]),
        metric="DICE",
        value=value,
        good=None,
        total=len(found),
        unit="",
        warning="a model of other classes does this, or volumes turned another way" if value < POOR else "",
    )


def write_truth(folder: Path, truth: Truth) -> None:
    """Write what a sample set is scored against, but for the labels of its voxels."""
    (folder / LABELS).write_bytes(codec.encode(truth))


def pictures(samples: Shown, labels: Path, log: Path) -> list[Picture]:
    """Return of each volume the slice in the middle of what its labels mark, with the labels and with the answer.

    Raises DataError as `score` does.
    """
    truth, masks = read_truth(labels)
    found = []
    for index, (volume, data) in samples.items():
        case, answer = truth.cases[index], np.frombuffer(data, np.uint8)
        scores = _dice(answer, masks[index], truth, index, log)
        wanted, given = masks[index].reshape(case.shape), answer.reshape(case.shape)
        marked = np.flatnonzero(wanted.any(axis=(1, 2)))
        middle = int(marked[len(marked) // 2]) if len(marked) else case.shape[0] // 2
        image = visible(volume[middle])
        said = ", ".join(f"{name} {score:.3f}" for name, score in zip(truth.classes, scores, strict=True))
        panels = [Panel(f"truth, slice {middle}", image, mask=wanted[middle])]
        panels.append(Panel(f"model: {said}", image, mask=given[middle]))
        found.append(Picture(case.name, panels))
    return found


def read_truth(labels: Path) -> tuple[Truth, list[Array]]:
    """Return what a sample set is scored against, and the labels of each case, uint8 [voxels], memory-mapped.

    Raises DataError where the files are none of these, or do not fit together.
    """
    try:
        truth = codec.decode(labels.read_bytes(), type=Truth)
        voxels = np.load(labels.parent / TRUTH, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, BadZipFile, msgspec.DecodeError) as error:
        raise DataError(f"{labels}: the labels cannot be read: {error}", "preprocess the data set again") from error
    ends = np.cumsum([np.prod(case.shape) for case in truth.cases])
    if not truth.cases or voxels.dtype != np.uint8 or voxels.shape != (ends[-1],):
        raise DataError(f"{labels}: the labels are not those of its cases", "preprocess the data set again")
    return truth, np.split(voxels, ends[:-1])


def _dice(answer: Array, mask: Array, truth: Truth, index: int, log: Path) -> list[float]:
    """Return the Dice scores of a case."""
    named = f"{log}: the answer for sample {index} ({truth.cases[index].name})"
    if answer.shape != mask.shape:
        raise DataError(f"{named} has {answer.size:,} bytes, the volume {mask.size:,} voxels", _MEASURED)
    classes = len(truth.classes) + 1
    if (greatest := int(answer.max(initial=0))) >= classes:
        raise DataError(f"{named} has the class {greatest}; there are {classes}", "look at the model's last layer")
    return dice(answer, mask, classes)


def _line(name: str, scores: Sequence[float], classes: Sequence[str], mean: float | None = None) -> str:
    """Return a line in the format of the rules' script."""
    each = ", ".join(f"{one} = {score:.4f}" for one, score in zip(classes, scores, strict=True))
    return f"{name}: mean = {fmean(scores) if mean is None else mean:.5f}, {each}\n"
