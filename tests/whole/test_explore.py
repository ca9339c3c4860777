"""An exploration on the offline demonstration: killed in the middle, gone on with, shown."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from engine.design_space import trial_log
from engine.design_space.trial_log import progress
from tests.whole.command import SHORT, inferdeck

ASKED = (
    "explore",
    "--recipe=demo-offline",
    *SHORT,
    "--axis=sessions=1,2",
    "--axis=max_batch=2,8",
    "--objective=Offline",
    "--objective=peak_memory",
    "--name=try",
    "--trials=7",
)
PATIENCE = 60.0


@pytest.mark.slow
def test_it_goes_on_after_a_kill(tmp_path: Path) -> None:
    home = tmp_path / "home"
    status, out, err = inferdeck(home, *ASKED, "--dry-run")
    assert (status, err) == (0, "")
    assert "4 points; sampler grid" in out
    assert not (home / "state" / "explorations").exists(), "nothing is started"
    status, out, err = inferdeck(home, *ASKED, "--detach")
    assert status == 0, err
    folder = home / "state" / "explorations" / "try"
    limit = time.monotonic() + PATIENCE
    while len(progress(folder).trials) < 2 or progress(folder).started is None:
        assert time.monotonic() < limit
        time.sleep(0.02)
    os.kill(progress(folder).pid, signal.SIGKILL)
    status, out, err = inferdeck(home, *ASKED)
    assert status == 0, err
    assert "going on with try" in out
    found = progress(folder)
    assert found.session == 2
    assert found.over is not None
    assert found.over.ending == "finished"
    assert isinstance(next(iter(trial_log.LogReader(folder).read())), trial_log.SessionBegan)
    points = {trial.point for trial in found.trials if "default" not in dict(trial.point).values()}
    assert len(points) == 4
    assert len(found.trials) == 7
    assert len({trial.job for trial in found.trials}) == 7, "each trial is a job, and none was made twice"
    assert all({"Offline", "peak_memory"} <= trial.figures.keys() for trial in found.trials)
    listed = json.loads(inferdeck(home, "explore", "list", "--json")[1])
    assert [(one["name"], one["trials"], one["running"]) for one in listed] == [("try", 7, False)]
    status, out, _ = inferdeck(home, "explore", "promote", "try", str(found.trials[1].number), "--dry-run")
    assert status == 0
    assert "_valid,_submission" in out
