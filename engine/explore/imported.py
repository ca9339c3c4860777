"""Results of other machines: a results folder is copied, and its runs are listed beside those measured here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.errors import DataError, UsageError
from engine.explore.run_reading import READ, folder_run, numbered
from engine.explore.runs import Run
from engine.harness.spec import REPORT
from engine.jobs.removing import IMPORTED
from engine.mlperf import ACCURACY_TEXT, MLPERF_CONF, TEST_FOLDER, USER_CONF
from engine.store.files import disk_errors, names_in, open_plain
from engine.store.folders import Folders
from engine.submission import provenance
from engine.survey import lock

COPIED: Final = (*READ, "spec.json", ACCURACY_TEXT, MLPERF_CONF, USER_CONF, lock.FILE, provenance.DISTURBED_FILE)
"""Files of a run that are copied: not the logs of answers, which may have gigabytes."""
LARGEST: Final = 64 << 20
"""Maximum size in bytes of a file that is copied."""
MOST: Final = 10_000
"""Maximum number of runs of an import."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def import_results(folders: Folders, source: Path, name: str) -> list[Run]:
    """Copy the runs of a results folder (`--output_dir`) of another machine; returns them.

    Raises UsageError for a name that can't be used, DataError where the folder holds no runs.
    """
    if not _NAME.fullmatch(name) or re.fullmatch(r"r-\d+", name):
        raise UsageError(f"'{name}' can't name an import", "give letters, digits, - and _: --name=box-2")
    place = folders.state / IMPORTED / name
    if place.exists():
        raise UsageError(f"there is an import '{name}' already", f"--name=OTHER, or: inferdeck results delete {name}")
    found = list(_run_folders(source))
    if not found:
        raise DataError(f"{source} holds no runs of inferdeck", "give the folder that was its --output_dir")
    with disk_errors(place):
        for folder in found:
            _copy(folder, place / folder.relative_to(source))
    return imported_runs(place)


def all_imported(folders: Folders) -> list[Run]:
    """Return the runs of all imports."""
    place = folders.state / IMPORTED
    return [run for name in names_in(place) if not name.startswith(".") for run in imported_runs(place / name)]


def imported_runs(place: Path) -> list[Run]:
    """Return the runs of one import."""
    return numbered([folder_run(folder, place.name) for folder in _run_folders(place)])


def _run_folders(source: Path) -> Iterator[Path]:
    """Yield the folders of runs, not following links."""
    count = 0
    with disk_errors(source):
        for path in sorted(source.rglob(provenance.FILE)):
            folder = path.parent
            if path.is_symlink() or not any((one / REPORT).is_file() for one in (folder, folder / TEST_FOLDER)):
                continue
            count += 1
            if count > MOST:
                raise DataError(f"{source} holds more than {MOST:,} runs", "give a part of it")
            yield folder


def _copy(folder: Path, target: Path) -> None:
    for name in (*COPIED, *(f"{TEST_FOLDER}/{one}" for one in READ)):
        path = folder / name
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        with open_plain(path, follow=False) as source, (target / name).open("xb") as out:
            shutil.copyfileobj(source, out)
        shutil.copystat(path, target / name)
