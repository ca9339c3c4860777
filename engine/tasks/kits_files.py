"""KiTS19 on this machine: which cases there are, and where the files of each are.

A case is a folder: `imaging.nii.gz` and `segmentation.nii.gz`, as KiTS19 has them, or `case.npz` of a generated one. A
plan imports this module, so it needs nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from engine.errors import DataError
from engine.facts import CasesFacts, DataFacts
from engine.step import Artifact, Options, SurveyContext, SurveyResult
from engine.store.files import digest
from engine.tasks.listing import listing, readable, shown
from engine.text import clean

IMAGE = "imaging.nii.gz"
TRUTH = "segmentation.nii.gz"
GENERATED = "case.npz"

DATA = "data"
"""The folder of the cases in a checkout of KiTS19."""

INFERENCE_CASES = tuple(
    f"case_{number:05d}"
    for number in (
        *(0, 3, 5, 6, 12, 24, 34, 41, 44, 49, 52, 56, 61, 65, 66, 70, 76, 78, 80, 84, 86, 87, 92, 111, 112, 125, 128),
        *(138, 157, 160, 161, 162, 169, 171, 176, 185, 187, 189, 198, 203, 206, 207, 400),
    )
)
"""The cases of the rules in QSL order: meta/inference_cases.json of the reference (v2.1)."""

CALIBRATION_CASES = tuple(
    f"case_{number:05d}"
    for number in (50, 117, 172, 149, 91, 147, 144, 100, 90, 196, 183, 130, 136, 47, 73, 141, 53, 148, 81, 150)
)
"""Those of calibration/KiTS/calibration_cases.txt, which are also meta/calibration_cases.json."""

COPIES = {"case_00400": "case_00185"}
"""A case of the rules that KiTS19 does not have: it is a copy of another."""

CASE_BYTES = 70_000_000
"""Of a case as it is prepared, on average: 18 million voxels of float32 and their labels. An estimate."""
CASE_SECONDS = 12.0
"""To read and resample one on one core, on average. An estimate: 512 × 512 × 250 voxels took 10 s."""

LAYOUT = f"a checkout of KiTS19 or its folder {DATA}: case_XXXXX/{IMAGE} and case_XXXXX/{TRUTH}"
_MISSING = "nibabel and scipy, which read and resample NIfTI files, are not installed"
_INSTALL = "pip install 'inferdeck[medical]'"


class FolderOptions(Options, frozen=True, kw_only=True):
    """Where a person has KiTS19, and which list of cases it is for."""

    path: str | None
    cases: str = "inference"


class KitsCountOptions(Options, frozen=True, kw_only=True):
    """How many cases a sample set has."""

    count: int | None = None
    """The first so many; None for all."""


def listed(cases: str) -> tuple[str, ...]:
    """Return a list of the rules: `inference` or `calibration`."""
    return CALIBRATION_CASES if cases == "calibration" else INFERENCE_CASES


def survey_folder(context: SurveyContext) -> SurveyResult:
    """Look for the cases of the rules where the person said, option `path`; without it, they are fetched."""
    options = context.read_options(FolderOptions)
    names = listed(options.cases)
    if not options.path:
        return SurveyResult("run", expected_facts={"count": len(names), "nifti": True})
    folder = Path(options.path).expanduser().absolute()
    with readable(folder):
        there = folder.is_dir()
        root = next((one for one in (folder / DATA, folder) if any(case_folder(one, name) for name in names)), None)
    if root is None:
        what = f"{clean(str(folder))} has none of the cases of the rules" if there else f"there is no folder {folder}"
        return SurveyResult("missing", text=clean(what), remedy=f"give {LAYOUT}")
    missing = [name for name in names if not complete(root, name)]
    if missing:
        what = f"{clean(str(root))} lacks {len(missing)} of {len(names)} cases: {shown(missing)}"
        remedy = "the segmentations come with the checkout, the images by its `python3 -m starter_code.get_imaging`"
        return SurveyResult("missing", text=what, remedy=remedy)
    return SurveyResult(
        "found",
        Artifact(str(root), {"images": "", "count": len(names), "cases": list(names), "nifti": True}),
        identity=f"{root} {options.cases}",
        text=f"{len(names)} cases in {clean(str(root))}",
    )


def survey_samples(context: SurveyContext) -> SurveyResult:
    """Estimate size and time of a sample set, and say in what state a person's own files are.

    `missing` where they are NIfTI files, or will be, and nibabel or scipy is not installed.
    """
    dataset = context.inputs["dataset"]
    expected = dataset or Artifact("", dict(context.expected_facts.get("dataset", {})))
    known = expected.read(CasesFacts)
    identity = ""
    if dataset is not None and not dataset.folder.is_relative_to(context.store):
        identity = digest("\n".join(_stamps(dataset)))
    if known.nifti and not all(find_spec(name) for name in ("nibabel", "scipy")):
        return SurveyResult("missing", identity=identity, text=_MISSING, remedy=_INSTALL)
    cases = min(one for one in (context.read_options(KitsCountOptions).count, known.count, len(INFERENCE_CASES)) if one)
    return replace(
        SurveyResult("run", identity=identity),
        disk_bytes=cases * CASE_BYTES if known.nifti else None,
        seconds=cases * CASE_SECONDS if known.nifti else None,
    )


def cases_of(dataset: Artifact) -> list[str]:
    """Return the names of a data set's cases in QSL order: its own list, or every folder that holds one.

    Raises DataError where there is none.
    """
    known, folder = dataset.read(CasesFacts), dataset.folder / dataset.read(DataFacts).images
    found = list(known.cases) or [name for name in listing(folder).folders if case_folder(folder, name)]
    if not found:
        raise DataError(f"{clean(str(folder))} holds no case", f"give {LAYOUT}")
    return found


def case_folder(root: Path, name: str) -> Path | None:
    """Return the folder of a case; None where there is none that holds a file of one."""
    for one in (root / name, root / COPIES.get(name, name)):
        if any((one / file).exists() for file in (GENERATED, IMAGE, TRUTH)):
            return one
    return None


def complete(root: Path, name: str) -> bool:
    """Return whether a case has all of its files."""
    folder = case_folder(root, name)
    return folder is not None and (
        (folder / GENERATED).exists() or all((folder / file).exists() for file in (IMAGE, TRUTH))
    )


def _stamps(dataset: Artifact) -> Iterator[str]:
    """Yield the state of each file that preparation reads."""
    root = dataset.folder / dataset.read(DataFacts).images
    for name in cases_of(dataset):
        folder = case_folder(root, name)
        if folder is not None:
            yield from (f"{name}/{file} {state}" for file, state in sorted(listing(folder).files.items()))


def by_rules(names: Sequence[str]) -> bool:
    """Return whether these are all calibration cases of the rules."""
    return tuple(names) == CALIBRATION_CASES
