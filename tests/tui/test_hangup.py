"""The terminal closes during a job: the screen ends at once, the job continues, and another screen finds it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.tui.pty import ROOT, PseudoTerminal, environment, python
from tests.tui.running import goes_on, jobs, none_left, wait_for

pytestmark = pytest.mark.slow


def screen(home: Path) -> PseudoTerminal:
    return PseudoTerminal(python("-m", "tui", f"--home={home}"), columns=80, rows=24)


def test_a_job_begun_on_the_screen_outlives_the_terminal(tmp_path: Path) -> None:
    with none_left(tmp_path):
        with screen(tmp_path) as terminal:
            terminal.until("ready")
            terminal.press("t")
            terminal.until(lambda: bool(jobs(tmp_path)) and jobs(tmp_path)[0].state == "running")
            terminal.hang_up()
            wait_for(lambda: terminal.process.poll() is not None, "the screen outlives its terminal")
        (job,) = jobs(tmp_path)
        assert goes_on(job)
        with screen(tmp_path) as terminal:
            terminal.until(job.id)
            terminal.press("\r")
            terminal.until("3 Run")
            terminal.until(lambda: "Guided first submission" not in terminal.text and job.id in terminal.text)


def test_a_job_begun_with_words_is_found_by_the_screen_and_outlives_it(tmp_path: Path) -> None:
    with none_left(tmp_path):
        command = python("-m", "tui", "demo", "--offline", "--detach", f"--home={tmp_path}")
        subprocess.run(command, check=True, cwd=ROOT, env=environment({}), stdout=subprocess.DEVNULL)
        (job,) = jobs(tmp_path)
        with screen(tmp_path) as terminal:
            terminal.until(job.id)
            terminal.hang_up()
            wait_for(lambda: terminal.process.poll() is not None, "the screen outlives its terminal")
        assert goes_on(job)
        with PseudoTerminal(python("-m", "tui", "watch", "--plain", job.id, f"--home={tmp_path}")) as attached:
            attached.until("Measure")
