"""The step contract by its former name, for step files of a person's own; it is engine.step."""

from engine.step import Artifact, Look, Sight, Step, SurveyContext, SurveyResult

__all__ = ["Artifact", "Look", "Sight", "Step", "SurveyContext", "SurveyResult"]
