"""A task for tests that always fails."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.backends.base import Array
from engine.tasks.base import Responses


def respond(outputs: Sequence[Array], indices: Sequence[int], options: Mapping[str, Any]) -> Responses:
    """Fail."""
    raise ZeroDivisionError("this task is at fault")
