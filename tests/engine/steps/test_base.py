"""The former name of the step contract, which step files of a user's own may import."""

from engine import step
from engine.steps import base


def test_the_former_name_is_the_same_contract() -> None:
    assert (base.Artifact, base.SurveyContext, base.SurveyResult, base.Step) == (
        step.Artifact,
        step.SurveyContext,
        step.SurveyResult,
        step.Step,
    )
