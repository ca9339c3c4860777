"""Run several jobs one after another, because parallel measurements would disturb each other.

The chain is a process of its own, as a job is: it starts a job, waits until its lock is free, and starts the next. It
has no state: if it dies, jobs not yet reached are unstarted, and their own commands start them.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from engine.errors import InferdeckError, UsageError
from engine.jobs import control, jobs
from engine.jobs.places import LOCK
from engine.jobs.start import job_spec
from engine.store.files import disk_errors, is_locked
from engine.store.folders import Folders, folders
from engine.survey.prepare import Prepared
from engine.text import clean_lines

LOG = "sweep.log"
"""Log of the chain, in the first job's folder."""
_LOOK = 0.5
"""Seconds between two checks of a running job."""


def begin_all(prepared: Sequence[Prepared]) -> tuple[jobs.Job, ...]:
    """Start jobs one after another; returns them, the first of them running.

    Raises CannotRunError where one of them can't run, before any is created; JobError where the first does not start.
    """
    if not prepared:
        raise UsageError("there is nothing to run", "select one or more values")
    for one in prepared:
        one.seen.refuse_problems()
    places = prepared[0].workplace.folders
    made = [control.create(places, job_spec(one)) for one in prepared]
    control.launch(made[0], places)
    if len(made) > 1:
        _chain(made, places)
    return tuple(jobs.read(folder) for folder in made)


def _chain(made: Sequence[Path], places: Folders) -> None:
    home = [f"--home={places.state.parent}"] if places.state.parent == places.store.parent else []
    with disk_errors(made[0]), (made[0] / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.explore.sweep", *home, *(str(folder) for folder in made)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # A viewer that stays must not keep the ended chain as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()


def run(made: Sequence[Path], home: str | None = None) -> int:
    """Run the jobs of these folders in order, waiting for each; returns how many were reached.

    A job already started is only waited for. A cancelled job ends the chain, a failed one does not.
    """
    places = folders(home)
    for number, folder in enumerate(made, start=1):
        try:
            if jobs.read(folder).state == "new":
                control.launch(folder, places)
        except InferdeckError as error:
            sys.stderr.write(f"{clean_lines(str(error))}\n")
            continue
        while is_locked(folder / LOCK):
            time.sleep(_LOOK)
        if jobs.read(folder).state == "cancelled":
            return number
    return len(made)


def main(words: Sequence[str]) -> None:
    """Run the chain's process with the arguments `--home=DIR` and the folders of its jobs."""
    home = next((word.removeprefix("--home=") for word in words if word.startswith("--home=")), None)
    run([Path(word) for word in words if not word.startswith("--")], home)


if __name__ == "__main__":
    main(sys.argv[1:])
