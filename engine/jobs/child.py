"""Run a step in a worker process, forward its events, and read its result."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from engine import codec
from engine.crashes import LONGEST, crash
from engine.errors import InferdeckError, RunError
from engine.events import AnyEvent
from engine.facts import CommonFacts
from engine.jobs.job_spec import JobSpec
from engine.jobs.worker import Answer, Task
from engine.plan.plan import Node
from engine.profile.component import Component
from engine.step import Artifact
from engine.store.files import disk_errors, open_plain
from engine.system.isolation import Environment, PythonCommand, here, within_environment
from engine.text import clean, cut

_TAIL = 16384
"""Bytes at the end of a log that are searched for its last lines."""


class StepFailedError(InferdeckError):
    """A step failed with an error that its function reported."""


class Children:
    """The workers of one job, which can all be stopped at once."""

    def __init__(
        self,
        folder: Path,
        spec: JobSpec,
        emit: Callable[[AnyEvent], None],
        profiles: tuple[Path, ...],
        own_profiles: Path,
        store: Path,
    ) -> None:
        self.folder = folder
        self.spec = spec
        self.profiles = profiles
        self.own_profiles = own_profiles
        self.store = store
        self.emit = emit
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = False

    def run(
        self, node: Node, component: Component, inputs: Mapping[str, Artifact], output: Path, locks: tuple[int, ...]
    ) -> dict[str, Any]:
        """Run a step in a worker and return its facts.

        `locks` are descriptors that the worker inherits, so that what it writes stays locked until it has ended. A step
        that needs something with an environment of its own (a backend) runs in that environment. Raises StepFailedError
        with the step's own words, RunError if the worker crashed, CannotRunError where the environment's Python is
        gone.
        """
        log = self.folder / "logs" / f"{file_name(node.id)}.log"
        task = Task(
            id=node.id,
            title=node.title,
            step=component.step,
            command=component.command,
            profile=component.place.file,
            profiles=tuple(str(one) for one in self.profiles),
            own_profiles=str(self.own_profiles),
            results=str(self.spec.results_folder(self.folder)),
            made_by=self.spec.command,
            notice=self.spec.notice,
            version=node.version_range,
            store=str(self.store),
            options=node.values(),
            inputs=dict(inputs),
            output=str(output),
        )
        with disk_errors(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            launch = _launch(inputs, self.folder / "python")
            with log.open("ab") as log_file:
                status, answer = self._follow(task, launch, log_file, locks)
        if answer is None:
            raise crash("the step's process", status, last_lines(log, 60), str(log))
        if answer.what:
            raise StepFailedError(answer.what, answer.remedy)
        return answer.facts

    def stop(self) -> None:
        """Kill every worker and its process group; none is started afterwards."""
        with self._lock:
            self._stopping = True
            for process in self._running:
                _kill_group(process)

    def _follow(
        self, task: Task, launch: PythonCommand, log_file: BinaryIO, locks: tuple[int, ...]
    ) -> tuple[int, Answer | None]:
        read_end, write_end = os.pipe()
        with self._lock:
            if self._stopping:
                os.close(read_end)
                os.close(write_end)
                return -signal.SIGTERM, None
            process = subprocess.Popen(
                [*launch.words, "-m", "engine.jobs.worker", "--events-fd", str(write_end)],
                env=launch.environment,
                stdin=subprocess.PIPE,
                stdout=log_file,
                stderr=log_file,
                pass_fds=(write_end, *locks),
                process_group=0,
            )
            self._running.add(process)
        os.close(write_end)
        assert process.stdin is not None
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(codec.encode(task) + b"\n")
                process.stdin.flush()
            with os.fdopen(read_end, "rb") as lines:
                answer = self._forward(lines)
            return process.wait(), answer
        finally:
            with self._lock:
                self._running.discard(process)
            _kill_group(process)
            with suppress(BrokenPipeError):
                process.stdin.close()

    def _forward(self, lines: BinaryIO) -> Answer | None:
        """Forward events until the pipe ends; returns the worker's answer, or None where it sent none."""
        for line in lines:
            decoded = _decoded(line)
            if isinstance(decoded, Answer):
                return decoded
            self.emit(decoded)
        return None


def _launch(inputs: Mapping[str, Artifact], ours: Path) -> PythonCommand:
    for artifact in inputs.values():
        if environment := artifact.read(CommonFacts).environment:
            return within_environment(artifact.folder, msgspec.convert(environment, Environment), ours)
    return here()


def _decoded(line: bytes) -> AnyEvent | Answer:
    try:
        return _decoder.decode(line)
    except msgspec.DecodeError:
        raise RunError(
            f"the step's process sent what is no event: {line[:80]!r}", "this is a bug; see its log"
        ) from None


_decoder: codec.Decoder[AnyEvent | Answer] = codec.Decoder(AnyEvent | Answer)


def file_name(step: str) -> str:
    """Return a step's id as a file name."""
    return re.sub(r"[^A-Za-z0-9_.#\[\]-]", "_", step)


def last_lines(log: Path, count: int = 20) -> list[str]:
    """Return the last lines of a log, without control characters."""
    try:
        with open_plain(log) as file:
            file.seek(max(os.fstat(file.fileno()).st_size - _TAIL, 0))
            text = file.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return []
    return [cut(clean(line), LONGEST) for line in text.splitlines()[-count:]]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
