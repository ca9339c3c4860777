"""The memory that the rules' 3-D U-Net takes, for a plan; nothing heavy is imported, as a plan is made on every key
press."""

from engine.standins.session_memory import session_memory
from engine.step import SurveyContext, SurveyResult

SESSION_BYTES = 2_400_000_000
"""Of memory that a session takes for one window at a time: measured with ONNX Runtime, 2.38 GB; OpenVINO takes 1.5 GB
in fp32 and 1.0 GB in bf16."""


def survey(_: SurveyContext) -> SurveyResult:
    """Say how much memory a session is going to take; `conflict` where there is less."""
    return session_memory(SESSION_BYTES, "_kidneys-net")
