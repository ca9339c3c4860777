"""The process that runs inputs one after another and says of each what went wrong: `python -m tests.fuzz.worker`.

A line of standard input asks for an input (JSON: kind, seed, the parts to keep, seconds); a line of standard output
answers. What the product writes goes into two files and is looked at.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from io import FileIO, TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import IO

from engine.errors import InferdeckError
from tests.fuzz import case, guard, places

MEGABYTES = 500
"""That an input may add to the memory that is in use."""
ADDRESS_SPACE = 2 << 30
"""Bytes that an input may add to the address space; beyond, allocations fail."""
FILE_SIZE = 300 << 20
ROOT = Path(__file__).parents[2]

_BAD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What a terminal acts on, besides the line feed and the tabulator."""
_CRASH = re.compile(r"Traceback|\ba bug\b")


class Hang(BaseException):
    """The input takes too long; says where."""

    def __init__(self, stack: traceback.StackSummary) -> None:
        super().__init__()
        self.stack = stack


@dataclass(frozen=True)
class Asked:
    """One run."""

    kind: str
    seed: int
    kept: Sequence[int] | None = None
    """Indices of the parts; all without it."""
    seconds: float = 5.0


@dataclass(frozen=True)
class Answer:
    """What became of a run."""

    parts: Sequence[str]
    kept: Sequence[int]
    cause: str = ""
    """Short, the same for the same fault; empty where all is well."""
    detail: str = ""
    seconds: float = 0.0


def main() -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    asked = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _prepare()
    out, err = _captured(1), _captured(2)
    _reopen_streams()
    for line in asked:
        answer = _run(Asked(**json.loads(line)), out, err)
        answers.write(json.dumps(asdict(answer)) + "\n")
        answers.flush()


def _prepare() -> None:
    import cv2
    import numpy  # noqa: F401  (not counted as time and memory of the first input)
    import onnx  # noqa: F401

    cv2.setNumThreads(1)
    logging.disable(logging.CRITICAL)
    guard.install()
    os.environ["INFERDECK_HOME"] = "/nonexistent"
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, _alarm)


def _reopen_streams() -> None:
    """Write as in a terminal of most languages: UTF-8, and nothing that is not."""
    sys.stdout = TextIOWrapper(FileIO(1, "w", closefd=False), "utf-8")
    sys.stderr = TextIOWrapper(FileIO(2, "w", closefd=False), "utf-8", "backslashreplace")
    setattr(sys, "__stdout__", sys.stdout)  # noqa: B010  (declared final, and read by engine/cli/output.py)


def _alarm(_number: int, frame: FrameType | None) -> None:
    raise Hang(traceback.extract_stack(frame))


def _captured(number: int) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the process)
    os.dup2(file.fileno(), number)
    return file


def _run(asked: Asked, out: IO[bytes], err: IO[bytes]) -> Answer:
    made = case.make(asked.kind, asked.seed)
    kept = list(range(len(made.parts))) if asked.kept is None else asked.kept
    parts = [str(part) for part in made.parts]
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        os.chdir(folder)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        gc.collect()
        used, begin = _memory("VmRSS"), time.monotonic()
        _forget_peak()
        cause, detail = _outcome(made, kept, folder, asked.seconds)
        added, seconds = _memory("VmHWM") - used, time.monotonic() - begin
        places.unlock(folder)
        seen = (_text(out), _text(err), _logs(folder))
        os.chdir("/")
    if not cause and added > MEGABYTES:
        cause, detail = "memory", f"{added} MB more than before"
    if not cause:
        cause, detail = _said(*seen)
    for where, text in zip(("out", "err"), seen, strict=False):
        detail += f"\n--- {where}\n{text[-600:]}" if text else ""
    return Answer(parts, list(kept), cause, detail if cause else "", seconds)


def _outcome(made: case.Case, kept: Sequence[int], folder: Path, seconds: float) -> tuple[str, str]:
    try:
        with _limits(seconds):
            wrong = made.run(kept, folder)
            sys.stdout.flush()
            sys.stderr.flush()
    except InferdeckError:
        return "", ""
    except Hang as error:
        return f"hang at {_place(error.stack)}", "".join(error.stack.format()[-6:])
    except BaseException as error:  # noqa: BLE001  (whatever it is, it is a fault)
        return f"{type(error).__name__} at {_place(traceback.extract_tb(error.__traceback__))}", "".join(
            traceback.format_exception(error)[-5:]
        )
    finally:
        _flushed()
    return (wrong[0], "\n".join(wrong)) if wrong else ("", "")


@contextmanager
def _limits(seconds: float) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, ((_memory("VmSize") << 20) + ADDRESS_SPACE, before[1]))
    # Again and again: the first may be raised where nobody looks, in a finaliser or a callback.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        with guard.permissions():
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _flushed() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def _place(frames: traceback.StackSummary) -> str:
    """Return where in the product that is: the innermost of its functions."""
    ours = [one for one in frames if one.filename.startswith((str(ROOT / "engine"), str(ROOT / "tui")))]
    if not ours:
        return "no function of the product" if not frames else f"{Path(frames[-1].filename).name} {frames[-1].name}"
    return f"{Path(ours[-1].filename).relative_to(ROOT)} {ours[-1].name}"


def _said(out: str, err: str, logs: str) -> tuple[str, str]:
    """Look at what was written: no traceback and nothing that a terminal would act on."""
    for where, text in (("stdout", out), ("stderr", err), ("a log", logs)):
        if found := _CRASH.search(text):
            frames = re.findall(rf'File "{ROOT}/((?:engine|tui)[^"]+)", line \d+, in (\w+)', text)
            place = " ".join(frames[-1]) if frames else ""
            return f"'{found[0]}' in {where}: {text.strip().splitlines()[-1][:60]} at {place}", text[-1500:]
        if where != "a log" and (found := _BAD.search(text)):
            return f"{found[0]!r} on {where}", repr(text[max(found.start() - 200, 0) : found.end() + 50])
    return "", ""


def _text(file: IO[bytes]) -> str:
    """Return what was written, and empty the file."""
    size = os.fstat(file.fileno()).st_size
    data = os.pread(file.fileno(), min(size, 50 << 20), 0)
    os.ftruncate(file.fileno(), 0)
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    return data.decode("utf-8", "backslashreplace")


def _logs(folder: Path) -> str:
    """Return what the product logged."""
    found = []
    for name in ("screen.log", "job.log"):
        for path in folder.rglob(name):
            with suppress(OSError):
                if path.is_file() and not path.is_symlink():
                    found.append(path.read_text(errors="replace"))
    return "\n".join(found)


def _memory(name: str) -> int:
    """Return a figure of this process in MB; 0 where the system does not tell."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) >> 10
    return 0


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    threading.stack_size(1 << 20)
    main()
