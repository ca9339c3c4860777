"""Abort the harness process on an error in any thread.

LoadGen waits for an answer to every sample. A worker that dies would leave it waiting for ever, and an exception that
passes through LoadGen's own frames ends in a crash; made-up answers would be worse than both. So the boundaries between
threads, LoadGen and our code end the process themselves on an exception.
"""

import os
import sys
import threading
import traceback
from types import TracebackType

from engine import codec
from engine.errors import InferdeckError, RunError

USER_ERROR = 3
"""Exit status of an error that the user can fix; its last line on stderr is JSON with `what` and `remedy`."""
BUG = 1
"""Exit status of any other error; stderr ends in a traceback."""


class FailLoudly:
    """`with FailLoudly("where"):` ends the process when the block raises, after writing the error to stderr."""

    _lock = threading.Lock()

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._end(error)

    def _end(self, error: BaseException) -> None:
        if isinstance(error, MemoryError):
            told = RunError(f"the memory ran out: {error}".rstrip(": "), "use fewer sessions or a smaller batch")
            told.__cause__, error = error, told
        with self._lock:  # of several threads that fail together the first one reports, the others wait for the end
            if isinstance(error, InferdeckError):
                # The cause, a framework's own error, comes first; the last line is the summary.
                if error.__cause__ is not None:
                    traceback.print_exception(error.__cause__, file=sys.stderr)
                report = {"what": f"{self._where}: {error.what}", "remedy": error.remedy}
                sys.stderr.write(codec.encode(report).decode() + "\n")
                status = USER_ERROR
            else:
                sys.stderr.write(f"{self._where}:\n")
                traceback.print_exception(error, file=sys.stderr)
                status = BUG
            sys.stderr.flush()
            os._exit(status)  # LoadGen's and the framework's threads cannot be stopped cleanly from here
