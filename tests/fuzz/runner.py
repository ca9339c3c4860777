"""Runs inputs in worker processes, makes those that fail smaller, and starts a process anew that hangs or dies."""

from __future__ import annotations

import json
import queue
import select
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from tests.fuzz import case
from tests.fuzz.worker import Answer, Asked

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds beyond after which a process is taken for lost."""

ENOUGH = 2
"""Inputs that are made smaller for each fault."""


@dataclass(frozen=True)
class Failure:
    """An input that does what no input may do."""

    kind: str
    seed: int
    answer: Answer

    def __str__(self) -> str:
        parts = "\n".join(f"    {self.answer.parts[index]}" for index in self.answer.kept)
        again = f"python -m tests.fuzz --kind {self.kind} --only {self.seed}"
        detail = "\n".join(f"    | {line}" for line in self.answer.detail.splitlines())
        return f"{self.kind} {self.seed}: {self.answer.cause}\n  {again}\n{parts}\n{detail}"


class Worker:
    """One process that runs inputs."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def run(self, asked: Asked) -> Answer:
        """Run one input; a process that does not answer is ended and counts as a fault."""
        process = self._process = self._process or _started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(asked)) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], asked.seconds + PATIENCE)
        line = process.stdout.readline() if ready else ""
        if line:
            return Answer(**json.loads(line))
        self._stop()
        cause = f"the process died: {process.returncode}" if ready else "hang outside Python"
        return Answer([], [], cause)

    def judge(self, asked: Asked, known: Mapping[str, int]) -> Answer:
        """Run an input; one that fails is run again with more time and as few parts as fail in the same way.

        A fault that was seen often enough already (`known`: how often, by cause) is left as it is.
        """
        first = self.run(asked)
        if not first.cause or known.get(first.cause, 0) >= ENOUGH:
            return first
        slow = Asked(asked.kind, asked.seed, asked.kept, 2 * asked.seconds)
        again = self.run(slow) if first.cause.startswith("hang") else first
        return self._smaller(asked, again) if again.cause else again

    def _smaller(self, asked: Asked, failing: Answer) -> Answer:
        for part in list(failing.kept):
            kept = [one for one in failing.kept if one != part]
            found = self.run(Asked(asked.kind, asked.seed, kept, asked.seconds)) if kept else None
            if found is not None and found.cause == failing.cause:
                failing = found
        return failing

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _started() -> subprocess.Popen[str]:
    command = [sys.executable, "-X", "utf8=0", "-m", "tests.fuzz.worker"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)


def run(
    inputs: Iterable[tuple[str, int]],
    workers: int,
    seen: Callable[[Failure], None] = lambda _: None,
    count: Callable[[int], None] = lambda _: None,
) -> list[Failure]:
    """Run inputs (kind and seed) in so many processes.

    `seen` gets each failure as soon as it is known, `count` how many inputs have been run.
    """
    waiting: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
    for one in inputs:
        waiting.put(one)
    failures: list[Failure] = []
    done = 0
    known: Counter[str] = Counter()
    lock = threading.Lock()

    def work() -> None:
        nonlocal done
        with Worker() as worker:
            while True:
                try:
                    kind, seed = waiting.get_nowait()
                except queue.Empty:
                    return
                answer = worker.judge(Asked(kind, seed, seconds=case.SECONDS.get(kind, case.USUAL_SECONDS)), known)
                with lock:
                    done += 1
                    count(done)
                    if answer.cause:
                        known[answer.cause] += 1
                        failures.append(Failure(kind, seed, answer))
                        seen(failures[-1])

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def grouped(failures: Sequence[Failure]) -> dict[str, list[Failure]]:
    """Return the failures by their cause, the most frequent first."""
    found: dict[str, list[Failure]] = {}
    for one in failures:
        found.setdefault(one.answer.cause, []).append(one)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))
