"""Run one step's function in a process of its own: a crash there is one failed step, not a failed job.

    python -m engine.jobs.worker --events-fd N

The first line of standard input is the task, as JSON. Events go to the descriptor as JSON lines, and last the answer:
by pipes, because the disk may be what is full. Standard input is held open by the job. When it closes, the job is gone,
and this process ends itself and everything it started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from engine import codec, events
from engine.errors import DataError, InferdeckError
from engine.profile.component import Component
from engine.profile.document import SourceLocation
from engine.step import Artifact, Step
from engine.store.files import explained, read_plain
from engine.survey.survey import load_function

LARGEST_FACTS = 16 << 20
"""Maximum bytes of the facts that a user's program returns."""
USER_ERROR = 3
"""Exit status for an error of the family in engine.errors; its text is in the answer."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The worker's input."""

    id: str
    title: str
    step: str
    command: tuple[str, ...]
    profile: str
    """The component's file; its own Python files are next to it."""
    profiles: tuple[str, ...]
    """The profile folders, ours first."""
    own_profiles: str
    """The user's own profile folder."""
    results: str
    """The results folder of the job."""
    made_by: tuple[str, ...] = ()
    """Arguments after `inferdeck` that make this job again."""
    notice: str = ""
    version: str = ""
    """The requested version range."""
    store: str = ""
    options: dict[str, Any]
    inputs: dict[str, Artifact]
    output: str


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="answer"):
    """The worker's result: the last line on the pipe."""

    facts: dict[str, Any] = {}
    what: str = ""
    """What failed, if it is something that a user can fix; otherwise empty."""
    remedy: str = ""


def main(arguments: list[str]) -> int:
    """Run the step of the task; returns the exit status."""
    task = codec.decode(_first_line(), type=Task)
    threading.Thread(target=_die_with_the_job, daemon=True).start()
    with os.fdopen(int(arguments[1]), "wb", buffering=0) as out:
        step = Step(
            id=task.id,
            title=task.title,
            options=task.options,
            inputs=task.inputs,
            output=Path(task.output),
            emit=lambda event: _send(out.fileno(), events.encode(event)),
            profiles=tuple(Path(one) for one in task.profiles),
            own_profiles=Path(task.own_profiles),
            results=Path(task.results),
            command=task.made_by,
            notice=task.notice,
            version=task.version,
            store=Path(task.store),
        )
        try:
            answer = Answer(facts=_run(task, step))
        except InferdeckError as error:
            answer = Answer(what=error.what, remedy=error.remedy)
        except OSError as error:
            _log_traceback()
            known_error = explained(error, step.output)
            answer = Answer(what=known_error.what, remedy=known_error.remedy)
        except MemoryError:
            _log_traceback()
            answer = Answer(what="the memory ran out", remedy="use fewer workers, a smaller batch or fewer samples")
        _send(out.fileno(), codec.encode(answer) + b"\n")
    return USER_ERROR if answer.what else 0


def _run(task: Task, step: Step) -> dict[str, Any]:
    if task.command:
        return _run_command(task, step)
    component = Component(name=task.id, place=SourceLocation(task.profile, 1, ""), step=task.step)
    facts = load_function(task.step, component)(step)
    if not isinstance(facts, dict):
        raise DataError(f"the step function {task.step} returned no facts", "let it return a dict of JSON values")
    return facts


def _run_command(task: Task, step: Step) -> dict[str, Any]:
    """Run a user's program: it gets options and inputs as a JSON file and returns facts as another."""
    asked, given = step.output.parent / "asked.json", step.output / "facts.json"
    asked.write_bytes(codec.encode({"options": task.options, "inputs": task.inputs, "output": task.output}))
    environment = {**os.environ, "INFERDECK_ASKED": str(asked), "INFERDECK_OUTPUT": task.output}
    folder = Path(task.profile).parent
    ended = subprocess.run(task.command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False)
    if ended.returncode:
        raise DataError(f"the command {' '.join(task.command)} ended with status {ended.returncode}", "see its log")
    if not given.exists():
        return {}
    try:
        return codec.decode(read_plain(given, LARGEST_FACTS), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise DataError(f"{given.name} of the command {task.command[0]}: {error}", "write one JSON object") from None


def _log_traceback() -> None:
    with suppress(OSError):  # the log's disk may be what is full
        traceback.print_exc()


def _send(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _first_line() -> bytes:
    """Read standard input up to the first newline, byte by byte so that what follows is left unread."""
    line = bytearray()
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return bytes(line)


def _die_with_the_job() -> None:
    """Wait for the pipe to close, then kill the process group."""
    while os.read(0, 4096):
        time.sleep(0)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
