"""The step contract (engine.step) under its former name, for users' own step files."""

from engine.step import Artifact, Look, Sight, Step, SurveyContext, SurveyResult

__all__ = ["Artifact", "Look", "Sight", "Step", "SurveyContext", "SurveyResult"]
