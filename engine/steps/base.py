"""The step contract (engine.step) under its former name, for users' own step files."""

from engine.step import Artifact, Step, SurveyContext, SurveyResult

__all__ = ["Artifact", "Step", "SurveyContext", "SurveyResult"]
