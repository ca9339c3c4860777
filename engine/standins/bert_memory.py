"""The memory that BERT-Large takes, for a plan; nothing heavy is imported, as a plan is made on every key press."""

from engine.step import SurveyContext, SurveyResult
from engine.system import free_memory
from engine.text import size

SESSION_BYTES = 1_500_000_000
"""Of memory that a session takes: measured with ONNX Runtime, 1.31 GB loaded and 1.45 GB at 384 tokens."""


def survey(context: SurveyContext) -> SurveyResult:
    """Say how much memory a session is going to take; `conflict` where there is less."""
    free = free_memory()
    text = f"a session takes {size(SESSION_BYTES)} of memory, {size(free)} are free"
    if free < SESSION_BYTES:
        return SurveyResult("conflict", text=text, remedy="end other programs, or take a smaller model: _span-net")
    return SurveyResult("run", text=text)
