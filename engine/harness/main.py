"""One LoadGen run in a process of its own: `python -m engine.harness.main SPEC.json [--events-fd N]`.

SPEC.json is an engine.harness.spec.RunSpec. Events go to the file descriptor as JSON lines, LoadGen's files into the
spec's log folder, which becomes the working directory because LoadGen looks for audit.config there. `run.json` is
written last: a folder without it is an unfinished run, however the process ended.

Exit status: 0 done; 3 something that a user can fix, the last line on stderr being JSON with `what` and `remedy`; 2 a
wrong command line; anything else is a bug or a kill.
"""

import argparse
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import msgspec

from engine import codec, events
from engine.errors import RunError
from engine.harness.failure import FailLoudly
from engine.harness.run import run
from engine.harness.spec import RunSpec


def main(argv: Sequence[str] | None = None) -> None:
    """Run the spec of the command line."""
    parser = argparse.ArgumentParser(prog="engine.harness.main")
    parser.add_argument("spec", type=Path)
    parser.add_argument("--events-fd", type=int, default=1)
    arguments = parser.parse_args(argv)
    # Python handles Ctrl-C between its own instructions only, and LoadGen does not return to it for ten minutes.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with FailLoudly("the run"):
        run(read_spec(arguments.spec), PipeWriter(arguments.events_fd).emit)


def read_spec(path: Path) -> RunSpec:
    """Read a spec. Raises RunError if the file does not exist or is invalid."""
    try:
        return codec.decode(path.read_bytes(), type=RunSpec)
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}", "give the path of a run's spec") from error
    except msgspec.DecodeError as error:
        raise RunError(f"{path}: this is not the spec of a run: {error}", "see engine/harness/spec.py") from error


class PipeWriter:
    """Writes whole lines from several threads to one file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = Lock()

    def emit(self, event: events.AnyEvent) -> None:
        """Write one event. Raises OSError if the reader is gone."""
        line = memoryview(events.encode(event))
        with self._lock:
            while line:
                line = line[os.write(self._descriptor, line) :]


if __name__ == "__main__":
    main()
