"""A model's task options, read as the struct that its task declares."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest

from engine.errors import DataError
from engine.tasks import image_classification, medical_segmentation, question_answering, recommendation
from engine.tasks.base import TaskOptions, model_options


@pytest.mark.parametrize(
    ("task", "known", "found"),
    [
        (image_classification, {"label_offset": 1}, image_classification.ClassOptions(label_offset=1)),
        (medical_segmentation, {"window": None}, medical_segmentation.OPTIONS(window=None)),
        (question_answering, {}, question_answering.PaddingOptions(bucket=question_answering.BUCKET)),
        (recommendation, {}, TaskOptions()),
    ],
)
def test_the_options_of_a_model(task: ModuleType, known: dict[str, Any], found: TaskOptions) -> None:
    assert model_options(task, known) == found


@pytest.mark.parametrize(
    ("task", "known", "fault"),
    [
        (image_classification, {}, "missing required field `label_offset`"),
        (image_classification, {"label_offset": "1"}, "Expected `int`"),
        (medical_segmentation, {"windows": 3}, "unknown field `windows`"),
    ],
)
def test_what_does_not_fit_is_named(task: ModuleType, known: dict[str, Any], fault: str) -> None:
    with pytest.raises(DataError, match=f"task options do not fit: .*{re.escape(fault)}") as caught:
        model_options(task, known)
    assert task.__name__ in caught.value.remedy
