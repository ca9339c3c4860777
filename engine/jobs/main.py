"""The process of one job: `python -m engine.jobs.main FOLDER`. It outlives the terminal that started it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import engine
from engine import events
from engine.errors import InferdeckError, JobError
from engine.jobs import places
from engine.jobs.job_spec import read_spec
from engine.jobs.runner import Runner
from engine.profile import catalog
from engine.store.files import locked
from engine.store.folders import folders
from engine.text import clean_lines

STATUS: dict[str, int] = {"finished": 0, "failed": 1, "cancelled": 130}


def main(arguments: list[str]) -> int:
    """Take the job's lock and run it; returns 0 finished, 1 failed, 130 cancelled."""
    folder = Path(arguments[0])
    try:
        with locked(folder / places.LOCK, wait=False) as lock:
            if lock is None:
                raise JobError(f"the job {folder.name} is running already", f"inferdeck attach {folder.name}")
            return STATUS[_run(folder, lock)]
    except InferdeckError as error:
        sys.stderr.write(f"{clean_lines(str(error))}\n")
        return error.exit_status


def _run(folder: Path, lock: int) -> events.Ending:
    spec = read_spec(folder)
    known = catalog.load([Path(one) for one in spec.profiles])
    runner = Runner(folder, spec, known, folders(), lock)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.cancel())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log = folder / places.EVENTS
    resumed = log.stat().st_size > 0
    runner.log.write(
        events.Launch(
            at=time.time(),
            job=folder.name,
            pid=os.getpid(),
            command=spec.command,
            version=engine.VERSION,
            steps=len(spec.plan.nodes),
            resumed=resumed,
        )
    )
    if spec.start_notice and not resumed:
        runner.log.write(events.Warned(at=time.time(), step=spec.plan.root, text=spec.start_notice))
    return runner.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
