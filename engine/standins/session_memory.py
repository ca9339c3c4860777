"""Whether a session of a stand-in fits into memory; nothing heavy is imported: plans are made on every key press."""

from engine.step import SurveyResult
from engine.system import free_memory
from engine.text import size


def session_memory(session_bytes: int, smaller: str) -> SurveyResult:
    """Return how much memory a session is going to take; `conflict` where there is less.

    `smaller` is the variation of a model that takes less, for the remedy.
    """
    free = free_memory()
    text = f"a session takes {size(session_bytes)} of memory, {size(free)} are free"
    if free < session_bytes:
        return SurveyResult("conflict", text=text, remedy=f"end other programs, or take a smaller model: {smaller}")
    return SurveyResult("run", text=text)
