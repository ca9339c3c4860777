"""Where Criteo's test rows are on this machine, in the binary form of the rules' reference.

A folder holds TEST, and beside it TRACE where the samples are not those that the reference draws, and COUNTS where the
sizes of the tables are known. A plan imports this module, so it needs nothing heavy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.errors import DataError
from engine.facts import DataFacts
from engine.step import Artifact, Options, SurveyContext, SurveyResult
from engine.tasks.criteo_files import COUNTS, ROW_BYTES, TEST, TRACE
from engine.tasks.listing import readable, stamp
from engine.text import clean

ROWS: Final = 89_137_319
"""The first half of day_23, 178,274,637 rows, rounded up."""
SAMPLES: Final = 330_067

PAIRS: Final = 270
"""Mean rows of a sample."""
SECONDS_PER_ROW: Final = 1.5e-6
"""To prepare one: 0.5 µs of processor time were measured, the rest is for the disk."""

_HAVE = (
    f"give the folder with {TEST} (the reference writes it with --mlperf-bin-loader), {ROWS * ROW_BYTES / 1e9:.1f} GB"
)


class SetOptions(Options, frozen=True, kw_only=True):
    """Which samples a sample set has."""

    count: int | None
    """The first so many; None for all."""


def survey_samples(context: SurveyContext) -> SurveyResult:
    """Estimate size and time of a sample set, and say how much memory a run is going to need for the rules' samples.

    The sample set has as many bytes as its rows have in TEST.
    """
    dataset = context.inputs["dataset"]
    identity, rows = "", None
    if dataset is not None:
        folder = folder_of(dataset)
        with readable(folder):
            rows = (folder / TEST).stat().st_size // ROW_BYTES if (folder / TEST).is_file() else None
        identity = "" if folder.is_relative_to(context.store) else state(folder)
    expected = context.expected_facts.get("dataset", {}).get("count")
    asked = context.read_options(SetOptions).count
    most = rows if rows is not None else (expected or SAMPLES) * PAIRS
    taken = min(most, asked * PAIRS) if asked else most
    return SurveyResult("run", identity=identity, disk_bytes=taken * ROW_BYTES, seconds=1 + taken * SECONDS_PER_ROW)


def folder_of(dataset: Artifact) -> Path:
    """Return the folder of a data set's files."""
    return dataset.folder / dataset.read(DataFacts).images


def state(folder: Path) -> str:
    """Return names, sizes and times of the files that a sample set is made of. Raises DataError: unreadable."""
    with readable(folder):
        found = [
            f"{name} {stamp((folder / name).stat())}" for name in (TEST, TRACE, COUNTS) if (folder / name).exists()
        ]
    return "\n".join(found)


def binary(folder: Path) -> Path:
    """Return the path of TEST in a folder. Raises DataError if it is not there."""
    path = folder / TEST
    with readable(folder):
        if not path.is_file():
            raise DataError(f"{clean(str(folder))} has no {TEST}", _HAVE)
    return path
