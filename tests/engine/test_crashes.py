"""Diagnosis of a process that ended, from its exit status and output."""

from __future__ import annotations

import pytest

from engine.crashes import crash


@pytest.mark.parametrize(
    "line",
    [
        "  what():  std::bad_alloc",
        "cv2.error: OpenCV(4.11.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 12 bytes",
        "onnxruntime.RuntimeException: Failed to allocate memory for requested buffer of size 512",
        "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 64.0 GiB for an array",
        "MemoryError",
    ],
)
@pytest.mark.parametrize("status", [1, -6, -9])
def test_memory_that_ran_out_is_named_so(line: str, status: int) -> None:
    error = crash("the step's process", status, ["Traceback", line, "", "  "], "x.log")
    assert error.what.startswith("the step's process ran out of memory: ")
    assert line.strip() in error.what
    assert "fewer sessions" in error.remedy


@pytest.mark.parametrize(
    ("status", "said", "what"),
    [
        (-9, ["well so far"], "the harness was killed by SIGKILL"),
        (137, [], "the harness was killed by SIGKILL"),
        (-11, ["Fatal Python error"], "the harness ended by signal 11 (SIGSEGV)"),
        (1, ["ZeroDivisionError: a bug", "", " "], "the harness ended with status 1: ZeroDivisionError: a bug"),
        (4, ["", " "], "the harness ended with status 4 without output"),
        (1, ["\x1b[31mred\x07"], "the harness ended with status 1: [31mred"),
    ],
)
def test_other_ends_are_named_by_signal_or_last_line(status: int, said: list[str], what: str) -> None:
    assert crash("the harness", status, said, "x.log").what == what


def test_a_line_of_any_length_is_cut() -> None:
    assert len(crash("it", 1, ["x" * 10_000], "x.log").what) < 500
