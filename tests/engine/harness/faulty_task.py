"""A task for tests that always fails."""

from collections.abc import Sequence

from engine.backends.base import Array
from engine.tasks.base import Responses, TaskOptions


def respond(outputs: Sequence[Array], indices: Sequence[int], model: TaskOptions) -> Responses:
    """Fail."""
    raise ZeroDivisionError("this task is at fault")
