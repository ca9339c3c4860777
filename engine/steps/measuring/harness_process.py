"""Run the harness in a process of its own, forward its events, and report how it failed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from engine import codec
from engine.crashes import crash
from engine.errors import RunError
from engine.step import Step
from engine.steps.measuring.listening import harness_events
from engine.system import isolation

KEPT_ERROR_BYTES = 1 << 20
"""Bytes of the harness's stderr that are kept; a backend may repeat a warning for hours."""
USER_ERROR = 3
"""Exit status of the harness for an error that a user can fix."""


def harness(step: Step, spec_file: Path, batch_ms: float = 0.0) -> None:
    """Run the harness in a process of its own and forward its events; `batch_ms` determines the hang timeout.

    It is killed where `step.emit` raises, and where it hangs. Raises RunError with its error, or its exit status.
    """
    read_end, write_end = os.pipe()
    words = [*isolation.here().words, "-m", "engine.harness.main", str(spec_file), "--events-fd", str(write_end)]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stderr=errors, pass_fds=(write_end,), cwd=step.output
        )
        os.close(write_end)
        try:
            for event in harness_events(read_end, batch_ms):
                step.emit(event)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            os.close(read_end)
        status = process.wait()
        errors.seek(max(errors.seek(0, os.SEEK_END) - KEPT_ERROR_BYTES, 0))
        error_text = errors.read().decode("utf-8", "replace")
    if error_text:
        sys.stderr.write(error_text)
    lines = error_text.strip().splitlines()
    if status == USER_ERROR and lines:
        last = codec.decode(lines[-1].encode(), dict[str, str])
        raise RunError(last["what"], last["remedy"])
    if status:
        raise crash("the harness", status, lines[-60:], "the step's log")
