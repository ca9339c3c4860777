"""Sizes of deep learning recommendation models, and their memory, for a plan: nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Final

from engine.step import Artifact, Options, SurveyContext, SurveyResult
from engine.system import free_memory
from engine.tasks.criteo_files import CATEGORICAL, DENSE
from engine.tasks.listing import readable, stamp
from engine.text import clean, size

TABLES: Final[dict[int, tuple[int, ...]]] = {
    40_000_000: (
        *(39_884_406, 39_043, 17_289, 7_420, 20_263, 3, 7_120, 1_543, 63, 38_532_951, 2_953_546, 403_346, 10),
        *(2_208, 11_938, 155, 4, 976, 14, 39_979_771, 25_641_295, 39_664_984, 585_935, 12_972, 108, 36),
    ),
    10_000_000: (
        *(9_980_333, 36_084, 17_217, 7_378, 20_134, 3, 7_112, 1_442, 61, 9_758_201, 1_333_352, 313_829, 10),
        *(2_208, 11_156, 122, 4, 970, 14, 9_994_222, 7_267_859, 9_946_608, 415_421, 12_420, 101, 36),
    ),
}
"""Rows of the tables by `max_ind_range`: of the rules' model, and of the smaller one that the reference debugs with."""

FLOAT_BYTES: Final = 4
SESSION_BYTES: Final = 800_000_000
"""Memory of a session beside the tables, which all sessions share: 780 MB measured with batches of 4,200 pairs, nearly
all of it activations."""


_GIVE = "give the model's ONNX file, or the folder with it and its tables"


@dataclass(frozen=True)
class Form:
    """Sizes of a network; the defaults are those of the rules' model."""

    tables: tuple[int, ...] = TABLES[40_000_000]
    """Rows of each embedding table."""
    width: int = 128
    """Columns of each table."""
    bottom: tuple[int, ...] = (512, 256, 128)
    """Units of the layers over the dense features; the last has `width`."""
    top: tuple[int, ...] = (1024, 1024, 512, 256, 1)

    @property
    def interactions(self) -> int:
        """Products of two different vectors: of a table each, and of the dense features."""
        vectors = len(self.tables) + 1
        return vectors * (vectors - 1) // 2

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor by its name in PyTorch's state dict, tables first."""
        found: dict[str, tuple[int, ...]] = {
            f"emb_l.{number}.weight": (rows, self.width) for number, rows in enumerate(self.tables)
        }
        for name, first, layers in (
            ("bot_l", DENSE, self.bottom),
            ("top_l", self.width + self.interactions, self.top),
        ):
            for number, (inputs, outputs) in enumerate(zip((first, *layers), layers, strict=False)):
                found |= {f"{name}.{2 * number}.weight": (outputs, inputs), f"{name}.{2 * number}.bias": (outputs,)}
        return found

    @property
    def parameters(self) -> int:
        """Elements of all tensors."""
        return sum(prod(shape) for shape in self.shapes().values())

    @property
    def table_bytes(self) -> int:
        """Bytes of all tables."""
        return FLOAT_BYTES * self.width * sum(self.tables)

    @property
    def memory(self) -> int:
        """Bytes that a run with one session holds beside its samples."""
        return self.table_bytes + SESSION_BYTES


def limited(rows: int, published_form: Form | None = None) -> Form:
    """Return a form with no table above so many rows."""
    whole = published_form or Form()
    tables = tuple(min(one, rows) for one in whole.tables)
    return Form(tables, whole.width, whole.bottom, whole.top)


class WholeOptions(Options, frozen=True, kw_only=True):
    """Which of the two models, and where the user has it."""

    max_ind_range: int
    path: str | None = None


class CheckpointFileOptions(Options, frozen=True, kw_only=True):
    """Which checkpoint, and where the user has it."""

    max_ind_range: int
    path: str | None
    filename: str


class CutOptions(Options, frozen=True, kw_only=True):
    """How the stand-in's tables are cut."""

    rows_per_table: int


def survey_published(context: SurveyContext) -> SurveyResult:
    """Say what a model takes of memory and disk, whether it is fetched as one archive or given by the user."""
    options = context.read_options(WholeOptions)
    seen, tables = survey_whole(context), published_form(options.max_ind_range).table_bytes
    if not options.path:
        return replace(seen, fetch_bytes=tables, disk_bytes=2 * tables)  # an archive is deleted once it is unpacked
    path = Path(options.path).expanduser().absolute()
    with readable(path):
        if not path.exists():
            return SurveyResult("missing", text=f"there is no {clean(str(path))}", remedy=_GIVE)
        state = stamp(path.stat())
    return replace(seen, identity=f"{path} {state}", disk_bytes=0)


def survey_checkpoint(context: SurveyContext) -> SurveyResult:
    """Look for a checkpoint where the user said, option `path`; without it, it is fetched."""
    options = context.read_options(CheckpointFileOptions)
    if not options.path:
        tables = published_form(options.max_ind_range).table_bytes
        return SurveyResult("run", fetch_bytes=tables, disk_bytes=tables, seconds=tables / 1e8)
    path = Path(options.path).expanduser().absolute()
    folder = path.parent if path.name == options.filename else path
    with readable(folder):
        if not (folder / options.filename).is_file():
            what = f"{clean(str(folder))} has no {options.filename}"
            return SurveyResult("missing", text=what, remedy=f"give the folder with {options.filename}")
        state = stamp((folder / options.filename).stat())
    return SurveyResult("found", Artifact(str(folder)), f"{folder} {state}", clean(str(folder)))


def survey_whole(context: SurveyContext) -> SurveyResult:
    """Say how much memory a model takes; `conflict` where there is less, before anything is fetched."""
    made = published_form(context.read_options(WholeOptions).max_ind_range)
    free = free_memory()
    text = f"its tables take {size(made.memory)} of memory, shared by all sessions; {size(free)} are free"
    if made.memory > free:
        remedy = "take a machine with more memory, or measure its speed with cut tables: _stand-in,_performance-only"
        return SurveyResult("conflict", text=text, remedy=remedy)
    return SurveyResult("run", text=text, disk_bytes=made.table_bytes, seconds=10 + made.table_bytes / 2e8)


def survey_cut(context: SurveyContext) -> SurveyResult:
    """Say how the tables are cut; `conflict` where they take more than half of the free memory."""
    rows, free = context.read_options(CutOptions).rows_per_table, free_memory()
    made = limited(rows)
    text = f"{cut_text(made)}, {size(made.memory)} of memory"
    if made.memory > free // 2:
        text, remedy = f"{text}: more than half of {size(free)}", f"--adr.model.rows_per_table={_fitting(free // 2)}"
        return SurveyResult("conflict", text=text, remedy=remedy)
    return SurveyResult("run", text=text, disk_bytes=made.table_bytes, seconds=2 + made.table_bytes / 4e8)


def cut_text(made: Form) -> str:
    """Return how many rows the tables of a form have in place of the rules' model's; empty where none is missing."""
    whole = sum(Form().tables)
    rows = sum(made.tables)
    if rows >= whole:
        return ""
    return f"tables cut to {max(made.tables):,} rows, {rows:,} of {whole:,} in all"


def _fitting(memory: int) -> int:
    """Return to how many rows tables have to be cut for so much memory, rounded down to a whole 10,000."""
    low, high = 10_000, max(Form().tables)
    while high - low > 10_000:
        middle = (low + high) // 2
        low, high = (middle, high) if limited(middle).memory <= memory else (low, middle)
    return low // 10_000 * 10_000


def published_form(max_ind_range: int) -> Form:
    """Return the form of the published model of this range."""
    if max_ind_range == 10_000_000:
        return Form(TABLES[max_ind_range], 64, (512, 256, 64), (512, 512, 256, 1))
    return Form(TABLES[max_ind_range])


assert all(len(one) == CATEGORICAL for one in TABLES.values())
