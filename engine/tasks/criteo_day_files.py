"""Criteo's days on this machine or in the net: day_0 to day_23, plain or gzip, and what it takes to read them.

Plans import this module, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.errors import DataError
from engine.step import Artifact, Options, SurveyContext, SurveyResult
from engine.system import free_memory, usable_cores
from engine.tasks.criteo_files import CATEGORICAL, DAYS, ROW_BYTES, TEST
from engine.tasks.criteo_survey import PAIRS, ROWS, SAMPLES, state
from engine.tasks.listing import readable, stamp
from engine.text import clean, size

PACKED: Final = 343_000_000_000
"""Bytes of all days as they are published, gzip."""
ALL_ROWS: Final = 4_400_000_000
PLAIN_ROW, PACKED_ROW = 250, PACKED / ALL_ROWS
"""Bytes of a row in a day, about."""
SECONDS_PER_ROW: Final = 3e-6
"""Of one core, measured while other work used it, too."""
RATE: Final = 12_500_000
"""Bytes per second that are fetched, for the estimate in the plan: a line of 100 Mbit/s."""
KEYS: Final = 6_000_000_000
"""Bytes that are kept of all days until they are merged, about."""

_REMEDY = (
    f"--env.CRITEO_PATH=DIR, a folder with day_0 to day_{DAYS - 1} (plain or .gz) or the reference's {TEST}; "
    f"without it the days are fetched"
)


class DaysOptions(Options, frozen=True, kw_only=True):
    """Where the days are, and how their values are hashed."""

    path: str | None
    """The user's folder; None to fetch."""
    url: tuple[str, ...]
    """Mirrors of a day, with `{day}` in place of its number."""
    max_ind_range: int


class CountOptions(Options, frozen=True, kw_only=True):
    """How many samples a made test file has."""

    count: int


def survey_made(context: SurveyContext) -> SurveyResult:
    """Say what a test file takes that is written here."""
    return _made(context, ROW_BYTES, 2e-6)


def survey_made_days(context: SurveyContext) -> SurveyResult:
    """Say what days take that are written here; the last one has twice the rows of the test file."""
    return _made(context, 2 * PLAIN_ROW, 2e-5)


def _made(context: SurveyContext, row_bytes: int, row_seconds: float) -> SurveyResult:
    samples = context.read_options(CountOptions).count
    rows = samples * PAIRS
    return SurveyResult(
        "run", disk_bytes=rows * row_bytes, seconds=1 + rows * row_seconds, expected_facts={"count": samples}
    )


def survey(context: SurveyContext) -> SurveyResult:
    """Look for TEST or the days in the folder of option `path`; without one, say what fetching takes.

    What is going to be read is `run`, with the state of the files as identity.
    """
    options = context.read_options(DaysOptions)
    folder = folder_of(options.path, context.inputs)
    if folder is None and "days" in context.inputs:  # they are made before this step
        return SurveyResult("run", expected_facts=context.expected_facts["days"])
    if folder is None:
        return SurveyResult(
            "run",
            text=f"{DAYS} days of {size(PACKED // DAYS)} are fetched, read and deleted, {_memory(options)}",
            fetch_bytes=PACKED,
            disk_bytes=KEYS + 3 * ROWS * ROW_BYTES + usable_cores() * PACKED // DAYS,
            seconds=PACKED / RATE + _seconds(ALL_ROWS),
            expected_facts={"count": SAMPLES},
        )
    with readable(folder):
        if (folder / TEST).is_file():
            return SurveyResult("found", Artifact(str(folder), {"images": ""}), state(folder), clean(str(folder)))
        found = files(folder)
    if len(found) < DAYS:
        missing = ", ".join(f"day_{day}" for day in range(DAYS) if day not in found)
        what = f"{clean(str(folder))} has no {TEST}, and no {missing}"
        return SurveyResult("missing", text=what, remedy=_REMEDY)
    with readable(folder):
        seen = {day: one.stat() for day, one in found.items()}
    rows = {day: int(one.st_size / _row_bytes(found[day])) for day, one in seen.items()}
    return SurveyResult(
        "run",
        identity="\n".join(f"{found[day]} {stamp(one)}" for day, one in sorted(seen.items())),
        text=f"about {sum(rows.values()):,} rows of {clean(str(folder))}, {_memory(options)}",
        disk_bytes=KEYS * sum(rows.values()) // ALL_ROWS + 3 * rows[DAYS - 1] // 2 * ROW_BYTES,
        seconds=_seconds(sum(rows.values())),
    )


def folder_of(path: str | None, inputs: Mapping[str, Artifact | None]) -> Path | None:
    """Return the folder of option `path`, or of TEST in it, or of the need `days`; None if there is neither."""
    days = inputs.get("days")
    if days is not None:
        return days.folder
    if not path:
        return None
    given = Path(path).expanduser().absolute()
    return given.parent if given.name == TEST else given


def files(folder: Path) -> dict[int, Path]:
    """Return the days in a folder by number, the plain file where there is a packed one, too."""
    names = {day: (folder / f"day_{day}", folder / f"day_{day}.gz") for day in range(DAYS)}
    found = {day: next((path for path in paths if path.is_file()), None) for day, paths in names.items()}
    return {day: path for day, path in found.items() if path is not None}


def day_file(found: Mapping[int, Path], day: int, folder: Path) -> Path:
    """Return the file of a day. Raises DataError if it is gone."""
    if day not in found:
        raise DataError(f"{clean(str(folder))} has no day_{day}", _REMEDY)
    return found[day]


def memory(max_ind_range: int) -> int:
    """Return the bytes that reading a day takes at most: of the rules' days 2.6 GB.

    One for each of 26 columns and hash, and eight for each value that appears, of which Criteo has 188 million.
    """
    return 64 * max_ind_range


def at_once(max_ind_range: int) -> int:
    """Return how many days are read at the same time: one on each core, as far as memory goes."""
    return max(1, min(usable_cores(), DAYS, free_memory() // memory(max_ind_range)))


def _memory(options: DaysOptions) -> str:
    together = at_once(options.max_ind_range) * memory(options.max_ind_range)
    return f"in at most {size(max(together, 4 * CATEGORICAL * options.max_ind_range))} of memory"


def _seconds(rows: int) -> float:
    return 60 * rows / ALL_ROWS + rows * SECONDS_PER_ROW / usable_cores()


def _row_bytes(path: Path) -> float:
    return PACKED_ROW if path.suffix == ".gz" else PLAIN_ROW
