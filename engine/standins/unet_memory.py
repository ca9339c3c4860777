"""The memory that the rules' 3-D U-Net takes, for a plan; nothing heavy is imported, as a plan is made on every key
press."""

from engine.step import SurveyContext, SurveyResult
from engine.system import free_memory
from engine.text import size

SESSION_BYTES = 2_400_000_000
"""Of memory that a session takes for one window at a time: measured with ONNX Runtime, 2.38 GB; OpenVINO takes 1.5 GB
in fp32 and 1.0 GB in bf16."""


def survey(context: SurveyContext) -> SurveyResult:
    """Say how much memory a session is going to take; `conflict` where there is less."""
    free = free_memory()
    text = f"a session takes {size(SESSION_BYTES)} of memory, {size(free)} are free"
    if free < SESSION_BYTES:
        return SurveyResult("conflict", text=text, remedy="end other programs, or take a smaller model: _kidneys-net")
    return SurveyResult("run", text=text)
